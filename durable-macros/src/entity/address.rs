//! The address of an entity: a type with a method for each operation, which says what should be done.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

use super::model::OperationDefinition;
use crate::{
    expand::{assertions, proxy, stand_in},
    model::InputParameter,
    syntax::glue_span,
};

/// The address type of an entity or an interface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Address<'a> {
    pub(super) support: &'a TokenStream,
    pub(super) name: &'a Ident,
    /// Whether it is generic over the state, which may be private (api.md C1). An interface knows none.
    pub(super) is_typed: bool,
}

impl Address<'_> {
    /// The type.
    pub(super) fn structure(self, visibility: &impl ToTokens, documentation: &str) -> TokenStream {
        let Self { support, name, is_typed } = self;
        let glue = glue_span(name);
        let (state, field) = if is_typed {
            (Some(quote!(<S>)), Some(quote!(, ::core::marker::PhantomData<fn() -> S>)))
        } else {
            (None, None)
        };
        quote_spanned! {glue=>
            #[doc = #documentation]
            #visibility struct #name #state(#support::EntityId #field);
        }
    }

    /// What every address can do.
    pub(super) fn abilities(self) -> TokenStream {
        let Self { support, name, is_typed } = self;
        let glue = glue_span(name);
        let shown = name.to_string();
        let state = is_typed.then(|| quote!(<S>));
        let marker = is_typed.then(|| quote!(, ::core::marker::PhantomData));
        quote_spanned! {glue=>
            impl #state ::core::clone::Clone for #name #state {
                fn clone(&self) -> Self {
                    Self(::core::clone::Clone::clone(&self.0) #marker)
                }
            }

            impl #state ::core::fmt::Debug for #name #state {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_tuple(#shown).field(&self.0).finish()
                }
            }

            impl #state ::core::cmp::PartialEq for #name #state {
                fn eq(&self, other: &Self) -> bool {
                    self.0 == other.0
                }
            }

            impl #state ::core::cmp::Eq for #name #state {}

            impl #state ::core::convert::From<#support::EntityId> for #name #state {
                fn from(entity: #support::EntityId) -> Self {
                    Self(entity #marker)
                }
            }

            impl #state ::core::convert::AsRef<#support::EntityId> for #name #state {
                fn as_ref(&self) -> &#support::EntityId {
                    &self.0
                }
            }
        }
    }
}

/// Declares the types of all operations, each once.
pub(super) fn declared(support: &TokenStream, operations: &[OperationDefinition], glue: Span) -> TokenStream {
    let declared = operations.iter().enumerate().map(|(place, operation)| {
        let OperationDefinition { inputs, returns, .. } = operation;
        let key = OperationDefinition::key(place);
        conditioned(
            operation,
            &assertions::declared(support, &key, inputs.get(..1).unwrap_or_default(), returns),
        )
    });
    quote_spanned! {glue=>
        struct __Operation<const N: usize>;
        #(#declared)*
    }
}

/// Items that exist if the operation does.
fn conditioned(operation: &OperationDefinition, items: &TokenStream) -> TokenStream {
    if operation.conditions.is_empty() {
        return items.clone();
    }
    let conditions = &operation.conditions;
    quote!(#(#conditions)* const _: () = { #items };)
}

/// How the methods of an address are made.
#[derive(Debug, Clone, Copy)]
pub(super) enum Made<'a> {
    /// From the operation itself.
    Here,
    /// By the address type of this interface.
    By(&'a Type),
    /// Not: a mistake was reported.
    StandIn,
}

/// The method for the operation at `place`; its visibility is `visibility`.
pub(super) fn method(
    support: &TokenStream,
    place: usize,
    operation: &OperationDefinition,
    visibility: &impl ToTokens,
    made: Made<'_>,
) -> TokenStream {
    let OperationDefinition { conditions, ident, name, inputs, returns, .. } = operation;
    let glue = glue_span(ident);
    let output = if returns.is_sound { returns.output.to_token_stream() } else { quote!(#support::Payload) };
    let (types, parameters): (Vec<_>, Vec<_>) =
        inputs.iter().enumerate().map(|(place, input)| parameter(place, input, glue)).unzip();
    let body = match made {
        Made::Here => {
            let count = inputs.len();
            let key = OperationDefinition::key(place);
            let none = quote_spanned!(glue=> #support::Inputs::new(#count));
            let all = inputs.iter().fold(none, |all, input| proxy::add(support, &key, &all, 0, input));
            quote_spanned!(glue=> #support::operation(&self.0, #name, #all.finish()))
        }
        Made::By(interface) => {
            let arguments = inputs.iter().map(|input| &input.name);
            quote_spanned!(glue=> #support::seen_as::<#interface>(&self.0).#ident(#(#arguments),*))
        }
        Made::StandIn => stand_in::body(glue),
    };
    let documentation = format!("The operation `{ident}`, as a value.");
    quote_spanned! {glue=>
        #(#conditions)*
        #[doc = #documentation]
        #visibility fn #ident<#(#types)*>(&self, #(#parameters),*) -> #support::Operation<#output> {
            #body
        }
    }
}

/// A type parameter, if the parameter's own type is not fit to be repeated, and the parameter.
fn parameter(place: usize, input: &InputParameter, glue: Span) -> (TokenStream, TokenStream) {
    if input.is_text || input.is_sound {
        return (TokenStream::new(), proxy::parameter(input, glue));
    }
    let (any, name) = (format_ident!("__Input{place}"), &input.name);
    (quote!(#any,), quote!(#name: #any))
}

/// `delete`, which every entity knows (R2:ENT-17), unless one of the operations is called so.
pub(super) fn delete(
    support: &TokenStream,
    operations: &[OperationDefinition],
    visibility: &impl ToTokens,
    glue: Span,
) -> TokenStream {
    let is_taken =
        |operation: &OperationDefinition| operation.found_by() == "delete" || operation.ident == "delete";
    if operations.iter().any(is_taken) {
        return TokenStream::new();
    }
    quote_spanned! {glue=>
        /// The operation `delete`, which takes the state away.
        #visibility fn delete(&self) -> #support::Operation<()> {
            #support::operation(&self.0, "delete", #support::Inputs::new(0).finish())
        }
    }
}
