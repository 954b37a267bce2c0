//! What the compiler is asked about the user's types, each question once and under the user's words.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::support;
use crate::{
    model::{FunctionDefinition, InputParameter, Returns},
    syntax::glue_span,
};

/// Declares the types of inputs and output on a type of their own: it is private, so a private type
/// of the user may stand there, and an unfit one is reported here and nowhere else.
pub(super) fn of(definition: &FunctionDefinition) -> TokenStream {
    let support = support(definition);
    let declared = declared(&support, &quote!(__Function), &definition.inputs, &definition.returns);
    let glue = glue_span(&definition.ident);
    quote_spanned! {glue=>
        struct __Function {}
        #declared
    }
}

/// Declares the types of inputs and output on the private type `key`.
pub(crate) fn declared(
    support: &TokenStream,
    key: &TokenStream,
    inputs: &[InputParameter],
    returns: &Returns,
) -> TokenStream {
    let sound = inputs.iter().enumerate().filter(|(_, input)| input.is_sound);
    let inputs = sound.map(|(place, input)| {
        let r#type = &input.r#type;
        let span = glue_span(r#type);
        quote_spanned!(span=> impl #support::Input<#place> for #key { type Type = #r#type; })
    });
    let output = output(support, key, returns);
    quote!(#(#inputs)* #output)
}

fn output(support: &TokenStream, key: &TokenStream, returns: &Returns) -> TokenStream {
    if !returns.is_sound {
        return TokenStream::new();
    }
    let output = &returns.output;
    let glue = glue_span(output);
    let declared = quote_spanned!(glue=> impl #support::Output for #key { type Type = #output; });
    if returns.failure.is_some() {
        return declared;
    }
    quote_spanned! {glue=>
        #declared
        const _: () = {
            use #support::PlainReturn as _;
            ::core::assert!(
                !#support::Returned::<#output>::IS_RESULT,
                "this type is a `Result` under another name: write `Result<..>` in the signature, so that its error is not stored as a success"
            );
        };
    }
}
