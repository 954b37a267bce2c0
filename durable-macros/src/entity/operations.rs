//! From methods to operations, and the rules that they must keep.
//!
//! What a type is, the compiler judges; here is only what spelling decides. Begin with [`read`].

use std::collections::BTreeMap;

use proc_macro2::Ident;
use syn::{
    Attribute, FnArg, Meta, PatType, ReceiverKind, Safety, Signature, Type, ext::IdentExt as _,
    visit_mut::VisitMut,
};

use super::{
    ON_METHOD,
    block::Method,
    model::{OperationDefinition, Receiver},
};
use crate::{
    args, check,
    diagnostics::Diagnostics,
    model::{ContextParameter, InputParameter, Options},
    syntax,
    types::ungrouped,
};

/// Where the methods stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// In an `impl` block of this type.
    Impl(&'a Type),
    /// In a trait.
    Trait,
}

/// Reads the methods that are operations.
pub(super) fn read<'a>(
    methods: impl Iterator<Item = &'a Method>,
    place: Place<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<OperationDefinition> {
    let operations: Vec<_> = methods.filter_map(|method| operation(method, place, diagnostics)).collect();
    let mut names: BTreeMap<String, &Ident> = BTreeMap::new();
    for operation in &operations {
        let first = names.entry(operation.found_by()).or_insert(&operation.ident);
        // The same word twice is the compiler's to refuse, unless a condition leaves one of them out.
        if **first != operation.ident {
            let message = format!(
                "operations are found whatever the case of their names, so this one and `{first}` are one: rename it"
            );
            diagnostics.at(&operation.ident, message);
        }
    }
    operations
}

fn operation(
    method: &Method,
    place: Place<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<OperationDefinition> {
    let Method { attributes, visibility, signature, .. } = method;
    let options = options(&method.marks, diagnostics);
    if hides_address(&signature.ident, diagnostics) || options.skip {
        return None;
    }
    let Some(receiver) = signature.receiver() else {
        if let Place::Trait = place {
            let message = "an interface has only operations, which are methods: give it `&self` or `&mut self`, or \
                           move it to another trait";
            diagnostics.at(&signature.ident, message);
        }
        return None;
    };
    if is_taken(&signature.ident, place, diagnostics) {
        return None;
    }
    let receiver = read_receiver(receiver, diagnostics);
    check_signature(signature, place, diagnostics);
    let (context, inputs) = parameters(signature, place, diagnostics);
    let mut output = signature.output.clone();
    if let syn::ReturnType::Type(_, output) = &mut output {
        name_self(output, place, diagnostics);
    }
    let name = options.name.map_or_else(|| signature.ident.unraw().to_string(), |name| name.value());
    Some(OperationDefinition {
        conditions: syntax::conditions(attributes),
        visibility: visibility.clone(),
        ident: signature.ident.clone(),
        name,
        receiver,
        is_async: signature.asyncness.is_some(),
        context,
        inputs,
        returns: syntax::returns(&output, diagnostics),
    })
}

/// The context, if there is one, and the inputs.
fn parameters(
    signature: &Signature,
    place: Place<'_>,
    diagnostics: &mut Diagnostics,
) -> (Option<ContextParameter>, Vec<InputParameter>) {
    let mut context = None;
    let mut inputs = Vec::new();
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    for (index, parameter) in typed.enumerate() {
        match check_context(index, parameter, diagnostics) {
            check::Parameter::Context => context = Some(syntax::context_parameter(&parameter.ty)),
            check::Parameter::Misplaced => {}
            check::Parameter::Input => inputs.push(input(inputs.len(), parameter, place, diagnostics)),
        }
    }
    (context, inputs)
}

fn options(marks: &[Attribute], diagnostics: &mut Diagnostics) -> Options {
    let mut options = Options::default();
    for mark in marks {
        let args = match &mark.meta {
            Meta::List(list) => list.tokens.clone(),
            Meta::Path(_) | Meta::NameValue(_) => {
                let message = "#[entity] stands on the whole block; on a method write `#[entity(skip)]` or `#[entity(name = \"..\")]`";
                diagnostics.at(mark, message);
                continue;
            }
        };
        let Options { name, skip, .. } = args::read_accepted(ON_METHOD, args, diagnostics);
        options.skip |= skip;
        options.name = options.name.or(name);
    }
    options
}

/// Whether a function of this name would stand in the way of `Account::at(key)`.
fn hides_address(ident: &Ident, diagnostics: &mut Diagnostics) -> bool {
    let hides = ident.unraw() == "at";
    if hides {
        let message =
            "`at` is taken: `Account::at(key)` is the address of an entity; name this `fn` otherwise";
        diagnostics.at(ident, message);
    }
    hides
}

/// Whether an address cannot have a method of this name.
fn is_taken(ident: &Ident, place: Place<'_>, diagnostics: &mut Diagnostics) -> bool {
    let name = ident.unraw().to_string();
    let why = match (place, name.as_str()) {
        (_, "into" | "try_into") => "on an address it is the conversion that every type has",
        (Place::Trait, "from" | "of_key") => "it makes the address of an entity",
        (Place::Impl(_) | Place::Trait, _) => return false,
    };
    let message = format!(
        "`{name}` is taken: {why}; name this operation otherwise, or leave it alone with `#[entity(skip)]`"
    );
    diagnostics.at(ident, message);
    true
}

fn read_receiver(receiver: &syn::Receiver, diagnostics: &mut Diagnostics) -> Receiver {
    match &receiver.kind {
        ReceiverKind::Value => return Receiver::Value,
        ReceiverKind::Reference(_, _, None) => return Receiver::Shared,
        ReceiverKind::Reference(_, _, Some(_)) => return Receiver::Exclusive,
        _ => {}
    }
    diagnostics.at(receiver, "an operation takes `&self`, `&mut self`, or `self`, which deletes the state");
    Receiver::Shared
}

fn check_signature(signature: &Signature, place: Place<'_>, diagnostics: &mut Diagnostics) {
    if !signature.generics.params.is_empty() {
        let message = "an operation is found by its name, so it cannot be generic: one name must be one function; \
             `#[entity(skip)]` leaves a method alone";
        diagnostics.at(&signature.generics, message);
    }
    if let Safety::Unsafe(word) = &signature.safety {
        diagnostics.at(word, "an operation cannot be `unsafe`: the engine calls it");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.at(abi, "an operation cannot be `extern`");
    }
    if let (Place::Trait, Some(word)) = (place, &signature.asyncness) {
        let message = "an operation of an interface is not `async`: whoever asks for it waits with `ctx.call(..).await` \
                       anyway; an `impl` block may have `async` operations of its own";
        diagnostics.at(word, message);
    }
}

fn check_context(index: usize, parameter: &PatType, diagnostics: &mut Diagnostics) -> check::Parameter {
    let Some(name) = check::context_name(&parameter.ty) else {
        return check::Parameter::Input;
    };
    if name != "EntityContext" {
        diagnostics.at(&parameter.ty, format!("an entity has an `EntityContext`, not an `{name}`"));
        return check::Parameter::Misplaced;
    }
    if index > 0 {
        diagnostics.at(&parameter.ty, "the context stands first after `self`, and there is one");
        return check::Parameter::Misplaced;
    }
    check::Parameter::Context
}

fn input(
    index: usize,
    parameter: &PatType,
    place: Place<'_>,
    diagnostics: &mut Diagnostics,
) -> InputParameter {
    if index > 0 {
        let message = "an operation has at most one input beside its context: put several values in a struct or a tuple";
        diagnostics.at(parameter, message);
    }
    let mut parameter = parameter.clone();
    name_self(&mut parameter.ty, place, diagnostics);
    syntax::input("an operation", index, &parameter, diagnostics)
}

/// Names the type that `Self` stands for: the types stand outside of the block as well.
fn name_self(r#type: &mut Type, place: Place<'_>, diagnostics: &mut Diagnostics) {
    struct Naming<'a, 'd> {
        place: Place<'a>,
        diagnostics: &'d mut Diagnostics,
    }
    impl VisitMut for Naming<'_, '_> {
        fn visit_type_mut(&mut self, r#type: &mut Type) {
            let is_self = matches!(ungrouped(r#type), Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self"));
            match self.place {
                Place::Impl(state) if is_self => *r#type = state.clone(),
                Place::Trait if is_self => {
                    let message =
                        "an interface does not know who implements it: name the type instead of `Self`";
                    self.diagnostics.at(&*r#type, message);
                    *r#type = syn::parse_quote!(());
                }
                Place::Impl(_) | Place::Trait => syn::visit_mut::visit_type_mut(self, r#type),
            }
        }
    }
    Naming { place, diagnostics }.visit_type_mut(r#type);
}
