//! The function with its types erased, and its submission for discovery at link time.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{proxy::name_and_version, support};
use crate::{
    model::{FunctionDefinition, FunctionKind},
    syntax::glue_span,
};

/// What the registry takes.
pub(super) fn of(definition: &FunctionDefinition) -> TokenStream {
    let support = support(definition);
    let ident = &definition.ident;
    let (name, version) = name_and_version(definition);
    let kind = match definition.kind {
        FunctionKind::Orchestrator => quote!(orchestrator),
        FunctionKind::Activity => quote!(activity),
    };
    let code = code(definition, &name);
    quote_spanned! {glue_span(ident)=>
        impl #support::Definition for #ident {
            const REGISTRATION: #support::Registration = #support::Registration::#kind(
                #name,
                #version,
                ::core::concat!(::core::file!(), ":", ::core::line!()),
                #code,
            );
        }
        #support::inventory::submit! { <#ident as #support::Definition>::REGISTRATION }
    }
}

/// A closure without captures. The future is made outside of an `async` block wherever it can be,
/// so that one that is not `Send` is reported under the function's name.
fn code(definition: &FunctionDefinition, name: &str) -> TokenStream {
    let support = support(definition);
    let ident = &definition.ident;
    let glue = glue_span(ident);
    let count = definition.inputs.len();
    let read = definition.inputs.iter().enumerate().map(|(place, input)| {
        let parameter = input.name.to_string();
        quote_spanned!(glue=> #support::read_input::<__Function, #place>(&__arguments, #parameter)?)
    });
    let read = quote_spanned! {glue=>
        #support::Arguments::of(#name, __payload, #count).and_then(|__arguments| {
            ::core::result::Result::Ok((#(#read,)*))
        })
    };
    let borrow = definition.context.as_ref().map(|context| &context.borrow);
    let context = borrow.map(|borrow| quote_spanned!(glue=> #borrow { __context }));
    let inputs = (0..count).map(|place| {
        let field = Literal::usize_unsuffixed(place);
        quote_spanned!(glue=> __inputs.#field)
    });
    let arguments = context.into_iter().chain(inputs);
    let called = quote_spanned!(ident.span()=> #ident(#(#arguments),*));
    let running = match borrow.is_some_and(|borrow| !borrow.is_empty()) {
        true => quote_spanned!(ident.span()=> async move { #called.await }),
        false => called,
    };
    let answer = answer(definition, name);
    quote_spanned! {glue=>
        |__context, __payload| {
            #support::run(#read.map(|__inputs| #running), |__returned| #answer)
        }
    }
}

/// What is done with what the function returned.
fn answer(definition: &FunctionDefinition, name: &str) -> TokenStream {
    let support = support(definition);
    let glue = glue_span(&definition.returns.written);
    let Some(error) = &definition.returns.failure else {
        return quote_spanned!(glue=> #support::write_output::<__Function>(#name, &__returned));
    };
    let output = &definition.returns.output;
    let blamed = glue_span(error);
    let failure = quote_spanned!(blamed=> (&&&&&&#support::Kind::of(&__error)).kind().convert(__error));
    quote_spanned! {glue=>
        match #support::returned::<#output, _>(__returned) {
            ::core::result::Result::Ok(__output) => #support::write_output::<__Function>(#name, &__output),
            ::core::result::Result::Err(__error) => {
                #[allow(unused_imports)]
                use #support::{
                    OwnConversion as _, TypedError as _, PlainError as _, LentError as _, BoxableError as _,
                    NoError as _,
                };
                ::core::result::Result::Err(#failure)
            }
        }
    }
}
