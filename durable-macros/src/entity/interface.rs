//! `#[entity]` on a trait: operations that several kinds of entities have in common.
//!
//! The five rules of such a trait (R3:ENT-35 to ENT-39) are checked here and in `operations`. The first,
//! that trait and entity share a crate, is not needed: the link-time list of implementers crosses crates.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt as _;

use super::{
    ON_TRAIT,
    address::{self, Address, Made},
    block::{Block, Member, TraitHead},
    dispatch::Source,
    model::InterfaceDefinition,
    operations::{self, Place},
};
use crate::{
    args,
    diagnostics::Diagnostics,
    expand::stand_in,
    model::Options,
    syntax::{conditions, glue_span},
};

/// Expands the attribute on a trait.
pub(super) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = args::read_accepted(ON_TRAIT, args, &mut diagnostics);
    let Some(block) = diagnostics.absorb(Block::<TraitHead>::read(item.clone())) else {
        let errors = diagnostics.finish();
        return quote!(#item #errors);
    };
    let definition = read(options, &block, &mut diagnostics);
    let is_sound = diagnostics.is_empty();
    let errors = diagnostics.finish();
    let beside = beside(&definition, is_sound);
    quote!(#block #beside #errors)
}

fn read(options: Options, block: &Block<TraitHead>, diagnostics: &mut Diagnostics) -> InterfaceDefinition {
    let TraitHead { attributes, visibility, ident, generics } = &block.head;
    if !generics.params.is_empty() {
        let message =
            "an interface of entities has no generic parameters: its operations are found by their names";
        diagnostics.at(generics, message);
    }
    for member in &block.members {
        if let Member::Other(other) = member {
            let message = "an interface of entities has methods only, no constants, types or macros: move this to another trait";
            diagnostics.at(other, message);
        }
    }
    InterfaceDefinition {
        options,
        conditions: conditions(attributes),
        visibility: visibility.clone(),
        ident: ident.clone(),
        operations: operations::read(block.methods(), Place::Trait, diagnostics),
    }
}

/// Everything that stands beside the trait.
fn beside(definition: &InterfaceDefinition, is_sound: bool) -> TokenStream {
    let InterfaceDefinition { options, conditions, visibility, ident, operations } = definition;
    let glue = glue_span(ident);
    let durable = options.crate_path(glue);
    let support = quote_spanned!(glue=> #durable::macro_support);
    let name = definition.address();
    let documentation = format!(
        "The address of an entity that implements [`{ident}`]: `{name}::from(&entity)`, or unchecked `{name}::from(entity_id)`."
    );
    let address = Address { support: &support, name: &name, is_typed: false };
    let structure = address.structure(visibility, &documentation);
    let abilities = address.abilities();
    let declared = address::declared(&support, operations, glue);
    let made = if is_sound { Made::Here } else { Made::StandIn };
    let methods = operations
        .iter()
        .enumerate()
        .map(|(place, operation)| address::method(&support, place, operation, visibility, made));
    let delete = address::delete(&support, operations, visibility, glue);
    let own = if is_sound { own(&support, definition) } else { unsound(&support, definition) };
    quote_spanned! {glue=>
        #(#conditions)*
        #[allow(dead_code)]
        #structure
        #(#conditions)*
        #[doc(hidden)]
        #[allow(
            deprecated, private_interfaces, private_bounds, unnameable_types, unreachable_pub, dead_code,
            missing_docs, unused_qualifications, unused_variables, unused_mut
        )]
        const _: () = {
            #abilities
            impl #name {
                #(#methods)*
                #delete
            }
            #declared
            #own
        };
    }
}

/// What makes the trait an interface: the ways to an address, and its code.
fn own(support: &TokenStream, definition: &InterfaceDefinition) -> TokenStream {
    let InterfaceDefinition { visibility, ident, .. } = definition;
    let address = definition.address();
    let name = ident.unraw().to_string();
    let code = code(support, definition);
    let of_key = format!(
        "The entity `key` of the only kind that implements [`{name}`] in this program.\n\n# Errors\nWhen none or several kinds implement it."
    );
    quote_spanned! {glue_span(ident)=>
        impl #address {
            #[doc = #of_key]
            #visibility fn of_key(
                key: impl ::core::fmt::Display,
            ) -> ::core::result::Result<Self, #support::ImplementerError> {
                #support::of_only_implementer::<dyn #ident>(key)
            }
        }
        impl<__Address: #support::Proxy> ::core::convert::From<&__Address> for #address
        where
            __Address::State: #support::Implements<dyn #ident>,
        {
            fn from(entity: &__Address) -> Self {
                Self(::core::clone::Clone::clone(::core::convert::AsRef::<#support::EntityId>::as_ref(entity)))
            }
        }
        impl #support::Interface for dyn #ident {
            type Address = #address;
            const NAME: &'static str = #name;
        }
        #code
    }
}

/// Its operations on any state that implements it.
fn code(support: &TokenStream, definition: &InterfaceDefinition) -> TokenStream {
    let InterfaceDefinition { ident, operations, .. } = definition;
    let glue = glue_span(ident);
    let name = ident.unraw().to_string();
    let path = quote_spanned!(glue=> <__State as #ident>);
    let source = Source { support, path, name, operations, glue };
    let (names, is_read_only) = (source.names(), source.is_read_only(&[]));
    let operate = source.operate(&quote_spanned!(glue=> __state), &[]);
    quote_spanned! {glue=>
        impl<__State: #ident + ::core::marker::Send + 'static> #support::InterfaceCode<__State> for dyn #ident {
            const OPERATIONS: &'static [&'static str] = #names;

            fn is_read_only(__operation: &str) -> bool {
                #is_read_only
            }

            fn operate(
                __state: __State,
                __operation: &str,
                __context: #support::EntityContext,
                __input: #support::Payload,
            ) -> ::core::result::Result<#support::Running<__State>, __State> {
                #operate
            }
        }
    }
}

/// What remains after a mistake: the ways to an address, so that only the mistake is reported.
fn unsound(support: &TokenStream, definition: &InterfaceDefinition) -> TokenStream {
    let InterfaceDefinition { visibility, ident, .. } = definition;
    let address = definition.address();
    let glue = glue_span(ident);
    let body = stand_in::body(glue);
    quote_spanned! {glue=>
        impl #address {
            #visibility fn of_key<__Key>(
                _: __Key,
            ) -> ::core::result::Result<Self, #support::ImplementerError> {
                #body
            }
        }
        impl<__Address: #support::Proxy> ::core::convert::From<&__Address> for #address {
            fn from(_: &__Address) -> Self {
                #body
            }
        }
    }
}
