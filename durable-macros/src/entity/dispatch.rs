//! From the name of an operation to the user's method.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::model::{OperationDefinition, Receiver};
use crate::{expand::registration, syntax::glue_span};

/// Where the operations are found.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) support: &'a TokenStream,
    /// What stands before `::method`: the state's type, or a trait of it.
    pub(super) path: TokenStream,
    /// The name of the entity or the interface, for messages.
    pub(super) name: String,
    pub(super) operations: &'a [OperationDefinition],
    pub(super) glue: Span,
}

impl Source<'_> {
    /// The names of the operations as a list.
    pub(super) fn names(&self) -> TokenStream {
        let names = self.operations.iter().map(|operation| {
            let (conditions, name) = (&operation.conditions, operation.found_by());
            quote!(#(#conditions)* #name)
        });
        quote_spanned!(self.glue=> &[#(#names),*])
    }

    /// Whether `__operation` only reads; what is not here is asked of `others`, which are interfaces.
    pub(super) fn is_read_only(&self, others: &[TokenStream]) -> TokenStream {
        let reading = self.operations.iter().filter(|operation| operation.is_read_only());
        let arms = reading.map(|operation| {
            let (conditions, name) = (&operation.conditions, operation.found_by());
            quote!(#(#conditions)* #name => true,)
        });
        quote_spanned! {self.glue=>
            match __operation {
                #(#arms)*
                #(_ if #others::OPERATIONS.contains(&__operation) => #others::is_read_only(__operation),)*
                _ => false,
            }
        }
    }

    /// Begins `__operation` on `state`, with `__context` and `__input`; here, or by one of `others`.
    pub(super) fn operate(&self, state: &TokenStream, others: &[TokenStream]) -> TokenStream {
        let arms = self.operations.iter().enumerate().map(|(place, operation)| {
            let (conditions, name) = (&operation.conditions, operation.found_by());
            let begun = self.begun(place, operation, state);
            quote!(#(#conditions)* #name => ::core::result::Result::Ok(#begun),)
        });
        quote_spanned! {self.glue=>
            match __operation {
                #(#arms)*
                #(_ if #others::OPERATIONS.contains(&__operation) => {
                    #others::operate(#state, __operation, __context, __input)
                })*
                _ => ::core::result::Result::Err(#state),
            }
        }
    }

    /// A future that owns the state. One that is not `Send` is reported under the operation's name.
    fn begun(&self, place: usize, operation: &OperationDefinition, state: &TokenStream) -> TokenStream {
        let Self { support, path, name, .. } = self;
        let OperationDefinition { ident, receiver, is_async, context, inputs, returns, .. } = operation;
        let glue = glue_span(ident);
        let key = OperationDefinition::key(place);
        let full_name = format!("{name}.{}", operation.name);
        let (held, lent, left) = match receiver {
            Receiver::Shared => (quote!(), quote_spanned!(glue=> &__state), true),
            Receiver::Exclusive => (quote!(mut), quote_spanned!(glue=> &mut __state), true),
            Receiver::Value => (quote!(), quote_spanned!(glue=> __state), false),
        };
        let left = match left {
            true => quote_spanned!(glue=> ::core::option::Option::Some(__state)),
            false => quote_spanned!(glue=> ::core::option::Option::None),
        };
        let context = context.as_ref().map(|context| {
            let borrow = &context.borrow;
            quote_spanned!(glue=> #borrow { __context })
        });
        let input = inputs.first().map(|_| quote_spanned!(glue=> __input));
        let arguments = [lent].into_iter().chain(context).chain(input);
        let awaited = is_async.then(|| quote_spanned!(glue=> .await));
        let called = quote_spanned!(ident.span()=> #path::#ident(#(#arguments),*));
        let answer = registration::answer(support, &key, returns, &full_name);
        let answered = quote_spanned!(glue=> { let __returned = #called #awaited; #answer });
        let result = match inputs.first() {
            None => answered,
            Some(input) => {
                let parameter = input.name.to_string();
                quote_spanned! {glue=>
                    match #support::read_operation_input::<#key>(#full_name, #parameter, __input) {
                        ::core::result::Result::Ok(__input) => #answered,
                        ::core::result::Result::Err(__failure) => ::core::result::Result::Err(__failure),
                    }
                }
            }
        };
        quote_spanned! {glue=>
            #support::running(async move {
                let #held __state = #state;
                let __result = #result;
                (#left, __result)
            })
        }
    }
}
