//! What the compiler is asked about the user's types, each question once and under the user's words.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::support;
use crate::{model::FunctionDefinition, syntax::glue_span};

/// Declares the types of inputs and output on a type of their own: it is private, so a private type
/// of the user may stand there, and an unfit one is reported here and nowhere else.
pub(super) fn of(definition: &FunctionDefinition) -> TokenStream {
    let support = support(definition);
    let sound = definition.inputs.iter().enumerate().filter(|(_, input)| input.is_sound);
    let inputs = sound.map(|(place, input)| {
        let r#type = &input.r#type;
        let span = glue_span(r#type);
        quote_spanned!(span=> impl #support::Input<#place> for __Function { type Type = #r#type; })
    });
    let output = output(definition);
    let glue = glue_span(&definition.ident);
    quote_spanned! {glue=>
        struct __Function {}
        #(#inputs)*
        #output
    }
}

fn output(definition: &FunctionDefinition) -> TokenStream {
    if !definition.returns.is_sound {
        return TokenStream::new();
    }
    let support = support(definition);
    let output = &definition.returns.output;
    let glue = glue_span(output);
    let declared = quote_spanned!(glue=> impl #support::Output for __Function { type Type = #output; });
    if definition.returns.failure.is_some() {
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
