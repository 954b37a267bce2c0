//! `#[entity]` on an `impl` block: the state's operations, its own or those of an interface.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Path, Type, TypePath, ext::IdentExt as _, parse_quote};

use super::{
    ON_IMPL,
    address::{self, Address, Made},
    block::{Block, BlockHead},
    dispatch::Source,
    model::{EntityDefinition, OperationDefinition},
    operations::{self, Place},
};
use crate::{
    args,
    diagnostics::Diagnostics,
    expand::registration,
    model::Options,
    syntax::{conditions, glue_span},
    types::{last_segment, ungrouped},
};

/// Expands the attribute on an `impl` block.
pub(super) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = args::read_accepted(ON_IMPL, args, &mut diagnostics);
    let Some(block) = diagnostics.absorb(Block::<BlockHead>::read(item.clone())) else {
        let errors = diagnostics.finish();
        return quote!(#item #errors);
    };
    let definition = read(options, &block, &mut diagnostics);
    let is_sound = diagnostics.is_empty();
    let errors = diagnostics.finish();
    let beside = definition.map(|definition| beside(&definition, is_sound));
    quote!(#block #beside #errors)
}

fn read(
    options: Options,
    block: &Block<BlockHead>,
    diagnostics: &mut Diagnostics,
) -> Option<EntityDefinition> {
    let BlockHead { attributes, generics, interface, state } = &block.head;
    check_options(&options, diagnostics);
    if !generics.params.is_empty() {
        let message =
            "an entity is found by its name, so it cannot be generic: one name must be one type of state";
        diagnostics.at(generics, message);
    }
    if let Some(clause) = &generics.where_clause {
        diagnostics.at(clause, "an entity is not generic, so its `impl` block needs no `where`");
    }
    let operations = operations::read(block.methods(), Place::Impl(state), diagnostics);
    if interface.is_some() {
        for renamed in operations.iter().filter(|operation| operation.ident.unraw() != operation.name) {
            diagnostics
                .at(&renamed.ident, "an interface names its operations: write `name` in the trait, not here");
        }
    }
    let Some(word) = last_segment(state).filter(|_| generics.params.is_empty()) else {
        if generics.params.is_empty() {
            diagnostics
                .at(state, "the state of an entity is a type with a name: a struct or an enum of its own");
        }
        return None;
    };
    Some(EntityDefinition {
        options,
        conditions: conditions(attributes),
        state: state.clone(),
        ident: word.ident.clone(),
        interface: interface.as_ref().and_then(trait_path),
        operations,
    })
}

fn check_options(options: &Options, diagnostics: &mut Diagnostics) {
    if let Some(name) = options.name.as_ref().filter(|name| name.value().contains('@')) {
        diagnostics.at(name, "the name of an entity must not contain `@`, which parts it from the key");
    }
}

fn trait_path(interface: &Type) -> Option<Path> {
    match ungrouped(interface) {
        Type::Path(TypePath { qself: None, path, .. }) => Some(path.clone()),
        _ => None,
    }
}

/// Everything that stands beside the block.
fn beside(definition: &EntityDefinition, is_sound: bool) -> TokenStream {
    let EntityDefinition { options, conditions, state, ident, .. } = definition;
    let glue = glue_span(ident);
    let durable = options.crate_path(glue);
    let support = quote_spanned!(glue=> #durable::macro_support);
    let name = definition.name();
    let address = definition.address();
    let documentation = format!("The address of an entity `{name}`.");
    let address = Address { support: &support, name: &address, is_typed: true };
    let structure = address.structure(&quote!(pub), &documentation);
    let abilities = address.abilities();
    let address = address.name;
    let methods = methods(&support, definition, is_sound);
    let own = own(definition);
    let declared = address::declared(&support, own, glue);
    let code = if is_sound { code(&support, definition) } else { stand_in(&support, definition) };
    let blamed = glue_span(state);
    let entity = quote_spanned! {blamed=>
        impl #support::Entity for #state {
            type Proxy = #address<#state>;
            const NAME: &'static str = #name;
        }
    };
    quote_spanned! {glue=>
        #(#conditions)*
        #[doc(hidden)]
        #[allow(
            deprecated, private_interfaces, private_bounds, unnameable_types, unreachable_pub, dead_code,
            missing_docs, unused_qualifications, unused_variables, unused_mut, non_camel_case_types
        )]
        const _: () = {
            #structure
            #abilities
            impl<S> #support::Proxy for #address<S> { type State = S; }
            #entity
            impl #address<#state> { #methods }
            #declared
            #code
        };
    }
}

/// The operations that the block itself declares; those of an interface are declared by its trait.
fn own(definition: &EntityDefinition) -> &[OperationDefinition] {
    if definition.interface.is_some() { &[] } else { &definition.operations }
}

fn methods(support: &TokenStream, definition: &EntityDefinition, is_sound: bool) -> TokenStream {
    let EntityDefinition { interface, operations, ident, .. } = definition;
    let interface: Option<Type> = interface.as_ref().map(|path| parse_quote!(dyn #path));
    let made = match &interface {
        _ if !is_sound => Made::StandIn,
        Some(interface) => Made::By(interface),
        None => Made::Here,
    };
    let methods = operations.iter().enumerate().map(|(place, operation)| {
        let visibility = match interface {
            Some(_) => quote!(pub),
            None => operation.visibility.to_token_stream(),
        };
        address::method(support, place, operation, &visibility, made)
    });
    let delete = address::delete(support, operations, &quote!(pub), glue_span(ident));
    quote!(#(#methods)* #delete)
}

/// The code of the entity, and its submission for discovery at link time.
fn code(support: &TokenStream, definition: &EntityDefinition) -> TokenStream {
    let EntityDefinition { state, ident, .. } = definition;
    let name = definition.name();
    let (interfaces, of_interface): (Vec<_>, Vec<_>) = definition
        .interfaces()
        .enumerate()
        .map(|(place, path)| interface(support, definition, place, path))
        .unzip();
    let states = states(support, definition);
    let operating = operating(support, definition, &of_interface);
    let glue = glue_span(ident);
    let distinct = (!interfaces.is_empty()).then(|| {
        quote_spanned!(glue=> const _: () = #support::assert_distinct(<#state as #support::EntityCode>::OPERATIONS);)
    });
    quote_spanned! {glue=>
        struct __Entity;
        #(#interfaces)*
        #distinct
        impl #support::EntityCode for #state {
            #operating
            #states
        }
        impl #support::Definition for #state {
            const REGISTRATION: #support::Registration = #support::Registration::entity::<#state>(
                #name,
                ::core::concat!(::core::file!(), ":", ::core::line!()),
            );
        }
        #support::inventory::submit! { <#state as #support::Definition>::REGISTRATION }
    }
}

/// From the name of an operation to the method, of the block or of an interface.
fn operating(
    support: &TokenStream,
    definition: &EntityDefinition,
    of_interface: &[TokenStream],
) -> TokenStream {
    let EntityDefinition { state, ident, .. } = definition;
    let glue = glue_span(ident);
    let path = quote_spanned!(glue=> <#state>);
    let source = Source { support, path, name: definition.name(), operations: own(definition), glue };
    let names = source.names();
    let is_read_only = source.is_read_only(of_interface);
    let operate = source.operate(&quote_spanned!(glue=> self), of_interface);
    quote_spanned! {glue=>
        const OPERATIONS: &'static [&'static [&'static str]] = &[#names, #(#of_interface::OPERATIONS),*];

        fn is_read_only(__operation: &str) -> bool {
            #is_read_only
        }

        fn operate(
            self,
            __operation: &str,
            __context: #support::EntityContext,
            __input: #support::Payload,
        ) -> ::core::result::Result<#support::Running<Self>, Self> {
            #operate
        }
    }
}

/// What is said of an interface once, and the type that it is said of.
fn interface(
    support: &TokenStream,
    definition: &EntityDefinition,
    place: usize,
    path: &Path,
) -> (TokenStream, TokenStream) {
    let EntityDefinition { state, .. } = definition;
    let glue = glue_span(path);
    let name = definition.name();
    let declared = quote_spanned! {glue=>
        impl #support::Implemented<#place> for __Entity {
            type State = #state;
            type Interface = dyn #path;
        }
        impl #support::Implements<dyn #path> for #state {}
        #support::inventory::submit! { #support::Implementer::of::<dyn #path>(#name) }
    };
    (declared, quote_spanned!(glue=> <__Entity as #support::Implemented<#place>>))
}

/// Where states come from: the first one, one that was stored, and a copy; and what completes them.
fn states(support: &TokenStream, definition: &EntityDefinition) -> TokenStream {
    let EntityDefinition { options, state, ident, .. } = definition;
    let glue = glue_span(ident);
    let first = match &options.init {
        None => {
            let blamed = glue_span(state);
            quote_spanned!(blamed=> ::core::result::Result::Ok(#support::first_state::<#state>()))
        }
        Some(function) => {
            let init =
                quote_spanned!(glue_span(function)=> #support::init::<#state, _, _>(#function, __context));
            or_failure(support, function, &init)
        }
    };
    let attach = options.attach.as_ref().map(|function| {
        let attach =
            quote_spanned!(glue_span(function)=> #support::attach::<#state, _, _>(#function, self, __context));
        let attached = or_failure(support, function, &attach);
        quote_spanned! {glue=>
            fn attach(
                &mut self,
                __context: &#support::EntityContext,
            ) -> ::core::result::Result<(), #support::Failure> {
                #attached
            }
        }
    });
    quote_spanned! {glue=>
        fn first(
            __context: &#support::EntityContext,
        ) -> ::core::result::Result<Self, #support::Failure> {
            #first
        }

        #attach

        fn read(__stored: &#support::Payload) -> ::core::result::Result<Self, #support::NotStorable> {
            #support::read_state(__stored)
        }

        fn write(&self) -> #support::Encoded {
            #support::write_state(self)
        }

        fn copy(&self) -> ::core::option::Option<Self> {
            #[allow(unused_imports)]
            use #support::{ByClone as _, NotClone as _};
            (&#support::Copied(self)).copied()
        }
    }
}

/// What a function of the user's returns, its error made a failure.
fn or_failure(support: &TokenStream, function: &Path, returned: &TokenStream) -> TokenStream {
    let failure = registration::failure(support, &function.to_token_stream());
    quote_spanned! {glue_span(function)=>
        match #returned {
            ::core::result::Result::Ok(__value) => ::core::result::Result::Ok(__value),
            ::core::result::Result::Err(__error) => ::core::result::Result::Err(#failure),
        }
    }
}

/// What remains after a mistake: enough for others to compile, so that only the mistake is reported.
fn stand_in(support: &TokenStream, definition: &EntityDefinition) -> TokenStream {
    let EntityDefinition { state, .. } = definition;
    let interfaces = definition.interfaces();
    quote_spanned! {glue_span(&definition.ident)=>
        #(impl #support::Implements<dyn #interfaces> for #state {})*
        impl #support::Definition for #state {
            const REGISTRATION: #support::Registration = #support::STAND_IN;
        }
    }
}
