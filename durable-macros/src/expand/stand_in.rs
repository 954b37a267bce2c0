//! What remains after a mistake: enough for the callers of the function to compile, so that only the
//! mistake is reported.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::{assertions, proxy, support};
use crate::model::{FunctionDefinition, FunctionKind, InputParameter};

/// A proxy that takes any input whose type is not clear, and what the compiler has to say about the types.
pub(super) fn of(definition: &FunctionDefinition) -> TokenStream {
    let FunctionDefinition { conditions, visibility, ident, kind, .. } = definition;
    let support = support(definition);
    let structure = proxy::structure(definition);
    let assertions = assertions::of(definition);
    let output = if definition.returns.is_sound {
        let output = &definition.returns.output;
        quote!(#output)
    } else {
        quote!(#support::Payload)
    };
    let call = match kind {
        FunctionKind::Orchestrator => quote!(OrchestrationCall),
        FunctionKind::Activity => quote!(ActivityCall),
    };
    let (types, parameters): (Vec<_>, Vec<_>) = definition.inputs.iter().enumerate().map(parameter).unzip();
    let at = (*kind == FunctionKind::Orchestrator).then(
        || quote!(#visibility fn at<__Id>(_: __Id) -> #support::RunId<#output> { ::core::unimplemented!() }),
    );
    quote! {
        #structure
        #(#conditions)*
        #[allow(deprecated, private_interfaces, unnameable_types, unreachable_pub, dead_code, missing_docs)]
        const _: () = {
            #assertions
            impl #ident {
                #visibility fn with<#(#types)*>(#(#parameters),*) -> #support::#call<#output> {
                    ::core::unimplemented!()
                }
                #at
            }
            impl #support::Definition for #ident {
                const REGISTRATION: #support::Registration = #support::STAND_IN;
            }
        };
    }
}

/// The body of a function that is never called, since its crate does not compile.
pub(crate) fn body(glue: Span) -> TokenStream {
    quote_spanned!(glue=> ::core::unimplemented!())
}

/// A type parameter, if the parameter's own type is not fit to be repeated, and the parameter.
fn parameter((place, input): (usize, &InputParameter)) -> (TokenStream, TokenStream) {
    let r_type = &input.r#type;
    match (input.is_text, input.is_sound) {
        (true, _) => (TokenStream::new(), quote!(_: impl ::core::convert::AsRef<str>)),
        (false, true) => (TokenStream::new(), quote!(_: #r_type)),
        (false, false) => {
            let any = format_ident!("__Input{place}");
            (quote!(#any,), quote!(_: #any))
        }
    }
}
