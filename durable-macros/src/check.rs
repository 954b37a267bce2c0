//! The rules that a signature must keep. What a type is, the compiler judges; here is only what
//! spelling decides.

use quote::ToTokens as _;
use syn::{FnArg, Signature, Type, spanned::Spanned as _, visit::Visit};

use crate::{
    diagnostics::Diagnostics,
    model::FunctionKind,
    types::{last_segment, ungrouped},
};

const CONTEXTS: [&str; 3] = ["OrchestrationContext", "ActivityContext", "EntityContext"];

/// What a parameter is for.
pub(crate) enum Parameter {
    Context,
    /// A context that must not stand there; already reported.
    Misplaced,
    Input,
}

/// Checks all but the types of a signature.
pub(crate) fn signature(kind: FunctionKind, signature: &Signature, diagnostics: &mut Diagnostics) {
    let one = kind.one();
    if signature.asyncness.is_none() {
        let message = format!("{one} is an `async fn`: write `async` before `fn`");
        diagnostics.at(signature.fn_token, message);
    }
    if let Some(word) = &signature.constness {
        diagnostics.at(word, format!("{one} cannot be `const`"));
    }
    if let syn::Safety::Unsafe(word) = &signature.safety {
        diagnostics.at(word, format!("{one} cannot be `unsafe`: the engine calls it"));
    }
    if let Some(abi) = &signature.abi {
        diagnostics.at(abi, format!("{one} cannot be `extern`"));
    }
    if !signature.generics.params.is_empty() {
        let message =
            format!("{one} is found by its name, so it cannot be generic: one name must be one function");
        diagnostics.at(&signature.generics, message);
    }
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        let message = format!(
            "{one} is a free function: move it out of the `impl` block and pass what it needs as an input"
        );
        diagnostics.at(receiver, message);
        return;
    }
    if kind == FunctionKind::Orchestrator && !has_context(signature) {
        let message = "an orchestrator needs its context as the first parameter: `ctx: OrchestrationContext`";
        diagnostics.at(&signature.ident, message);
    }
}

fn has_context(signature: &Signature) -> bool {
    signature.inputs.iter().any(|input| match input {
        FnArg::Typed(typed) => context_name(&typed.ty).is_some(),
        FnArg::Receiver(_) => false,
    })
}

/// Checks whether a parameter is a context, and may be.
pub(crate) fn context(
    kind: FunctionKind,
    place: usize,
    r#type: &Type,
    diagnostics: &mut Diagnostics,
) -> Parameter {
    let Some(name) = context_name(r#type) else {
        return Parameter::Input;
    };
    if name != kind.context() {
        diagnostics.at(r#type, format!("{} has an `{}`, not an `{name}`", kind.one(), kind.context()));
        return Parameter::Misplaced;
    }
    if place > 0 {
        diagnostics.at(r#type, "the context is the first parameter, and there is one");
        return Parameter::Misplaced;
    }
    Parameter::Context
}

pub(crate) fn context_name(r#type: &Type) -> Option<String> {
    let owned = match ungrouped(r#type) {
        Type::Reference(reference) => &reference.elem,
        other => other,
    };
    let name = last_segment(owned)?.ident.to_string();
    CONTEXTS.contains(&name.as_str()).then_some(name)
}

/// Checks the type of an input; whether it can stand in generated code.
pub(crate) fn input(one: &str, r#type: &Type, diagnostics: &mut Diagnostics) -> bool {
    match unstorable_part(r#type) {
        None => return true,
        Some((words, Part::Borrowed(owned))) => {
            let text = if owned == "String" { "; callers may still pass `&str` for a `String`" } else { "" };
            let message = format!("an input is stored in history and must be owned: take `{owned}`{text}");
            diagnostics.at(words, message);
        }
        Some((words, Part::Unnamed)) => {
            let message = format!("an input of {one} is read back from history: name its type");
            diagnostics.at(words, message);
        }
    }
    false
}

/// Checks the type of an output; whether it can stand in generated code.
pub(crate) fn output(r#type: &Type, diagnostics: &mut Diagnostics) -> bool {
    match unstorable_part(r#type) {
        None => return true,
        Some((words, Part::Borrowed(owned))) => {
            diagnostics
                .at(words, format!("an output is stored in history and must be owned: return `{owned}`"));
        }
        Some((words, Part::Unnamed)) => {
            diagnostics.at(words, "an output is read back from history: name its type");
        }
    }
    false
}

enum Part {
    /// A reference, with the spelling of what should stand for it.
    Borrowed(String),
    /// `impl Trait` or `_`.
    Unnamed,
}

/// The first part of a type that cannot be stored whatever its name means, and why.
fn unstorable_part(r#type: &Type) -> Option<(&Type, Part)> {
    struct Search<'ast>(Option<(&'ast Type, Part)>);
    impl<'ast> Visit<'ast> for Search<'ast> {
        fn visit_type(&mut self, r#type: &'ast Type) {
            let part = match r#type {
                Type::Reference(reference) => Part::Borrowed(owned(&reference.elem)),
                Type::ImplTrait(_) | Type::Infer(_) => Part::Unnamed,
                other => return syn::visit::visit_type(self, other),
            };
            self.0.get_or_insert((r#type, part));
        }
    }
    let mut search = Search(None);
    search.visit_type(r#type);
    search.0
}

fn owned(borrowed: &Type) -> String {
    match ungrouped(borrowed) {
        Type::Slice(slice) => format!("Vec<{}>", written(&slice.elem)),
        other => match written(other).as_str() {
            "str" => "String".into(),
            "Path" => "PathBuf".into(),
            name => name.into(),
        },
    }
}

fn written(r#type: &Type) -> String {
    let text = r#type.span().source_text();
    text.unwrap_or_else(|| r#type.to_token_stream().to_string())
}
