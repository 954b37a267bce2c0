//! The proxy: a type of the function's name, whose functions say what should be done.

use proc_macro2::{TokenStream, TokenTree};
use quote::{quote, quote_spanned};

use super::support;
use crate::{
    model::{FunctionDefinition, FunctionKind, InputParameter},
    syntax::glue_span,
};

/// The type. Braced, so that it leaves the name of the value to the function.
pub(super) fn structure(definition: &FunctionDefinition) -> TokenStream {
    let FunctionDefinition { conditions, visibility, ident, .. } = definition;
    let documentation = format!("The calls of `{ident}`, as values.");
    quote! {
        #(#conditions)*
        #[doc = #documentation]
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unnameable_types, unreachable_pub)]
        #visibility struct #ident {}
    }
}

/// Its functions.
pub(super) fn methods(definition: &FunctionDefinition) -> TokenStream {
    let ident = &definition.ident;
    let with = with(definition);
    let at = match definition.kind {
        FunctionKind::Orchestrator => at(definition),
        FunctionKind::Activity => TokenStream::new(),
    };
    quote!(impl #ident { #with #at })
}

/// The names that every part of the expansion agrees on.
pub(super) fn name_and_version(definition: &FunctionDefinition) -> (String, TokenStream) {
    let version = match &definition.options.version {
        Some(version) => quote!(::core::option::Option::Some(#version)),
        None => quote!(::core::option::Option::None),
    };
    (definition.name(), version)
}

fn with(definition: &FunctionDefinition) -> TokenStream {
    let FunctionDefinition { visibility, ident, inputs, .. } = definition;
    let support = support(definition);
    let glue = glue_span(ident);
    let (name, version) = name_and_version(definition);
    let output = &definition.returns.output;
    let (call, make) = match definition.kind {
        FunctionKind::Orchestrator => (quote!(OrchestrationCall), quote!(orchestration_call)),
        FunctionKind::Activity => (quote!(ActivityCall), quote!(activity_call)),
    };
    let parameters = inputs.iter().map(|input| parameter(input, glue));
    let count = inputs.len();
    let added = inputs
        .iter()
        .enumerate()
        .fold(quote_spanned!(glue=> #support::Inputs::new(#count)), |inputs, (place, input)| {
            add(&support, &quote!(__Function), &inputs, place, input)
        });
    let documentation = format!("A call of `{ident}` with these inputs.");
    quote_spanned! {glue=>
        #[doc = #documentation]
        #visibility fn with(#(#parameters),*) -> #support::#call<#output> {
            #support::#make(#name, #version, #added.finish())
        }
    }
}

/// A text may be given as anything that lends one (api.md section 2, "Smaller").
pub(crate) fn parameter(input: &InputParameter, glue: proc_macro2::Span) -> TokenStream {
    let InputParameter { name, r#type, is_text, .. } = input;
    if *is_text {
        quote_spanned!(glue=> #name: impl ::core::convert::AsRef<str>)
    } else {
        quote_spanned!(glue=> #name: #r#type)
    }
}

/// Adds an input to those of a call; its type is declared on `key`.
pub(crate) fn add(
    support: &TokenStream,
    key: &TokenStream,
    inputs: &TokenStream,
    place: usize,
    input: &InputParameter,
) -> TokenStream {
    let name = &input.name;
    let glue = glue_span(&TokenTree::from(name.clone()));
    if input.is_text {
        quote_spanned!(glue=> #inputs.add_text(::core::convert::AsRef::<str>::as_ref(&#name)))
    } else {
        quote_spanned!(glue=> #support::add_input::<#key, #place>(#inputs, &#name))
    }
}

fn at(definition: &FunctionDefinition) -> TokenStream {
    let FunctionDefinition { visibility, ident, .. } = definition;
    let support = support(definition);
    let output = &definition.returns.output;
    let documentation = format!("The instance `id`, which runs `{ident}`.");
    quote_spanned! {glue_span(ident)=>
        #[doc = #documentation]
        #visibility fn at(id: impl ::std::string::ToString) -> #support::RunId<#output> {
            #support::RunId::new(id)
        }
    }
}
