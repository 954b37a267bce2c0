//! The function with its types erased, and its submission for discovery at link time.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};

use super::{proxy::name_and_version, support};
use crate::{
    model::{FunctionDefinition, FunctionKind, Returns},
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
    let answer = answer(&support, &quote!(__Function), &definition.returns, name);
    quote_spanned! {glue=>
        |__context, __payload| {
            #support::run(#read.map(|__inputs| #running), |__returned| #answer)
        }
    }
}

/// What is done with `__returned`, which the function called `name` returned; its output is declared on
/// `key`.
pub(crate) fn answer(support: &TokenStream, key: &TokenStream, returns: &Returns, name: &str) -> TokenStream {
    let glue = glue_span(&returns.written);
    let Some(error) = &returns.failure else {
        return quote_spanned!(glue=> #support::write_output::<#key>(#name, &__returned));
    };
    let output = &returns.output;
    let failure = failure(support, error);
    quote_spanned! {glue=>
        match #support::returned::<#output, _>(__returned) {
            ::core::result::Result::Ok(__output) => #support::write_output::<#key>(#name, &__output),
            ::core::result::Result::Err(__error) => ::core::result::Result::Err(#failure),
        }
    }
}

/// What is stored of `__error`, whose type is to be blamed if that is unclear.
pub(crate) fn failure(support: &TokenStream, r#type: &TokenStream) -> TokenStream {
    let blamed = glue_span(r#type);
    quote_spanned! {blamed=> {
        #[allow(unused_imports)]
        use #support::{
            OwnConversion as _, TypedError as _, PlainError as _, LentError as _, BoxableError as _, NoError as _,
        };
        (&&&&&&#support::Kind::of(&__error)).kind().convert(__error)
    }}
}
