//! From an annotated function to its item and what stands beside it.
//!
//! The item always comes back; after a mistake a stand-in keeps its callers quiet, and all mistakes
//! are shown at once. Begin with [`function`].

pub(crate) mod assertions;
pub(crate) mod proxy;
pub(crate) mod registration;
pub(crate) mod stand_in;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::Path;

use crate::{
    args, determinism,
    diagnostics::Diagnostics,
    hash_order,
    model::{FunctionDefinition, FunctionKind, Topic},
    select,
    syntax::{self, FunctionItem},
};

/// Expands an attribute of `kind` that stands on `item`.
pub(crate) fn function(kind: FunctionKind, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = args::read(kind, args, &mut diagnostics);
    let read = read_item(kind, &item);
    let Some(function) = diagnostics.absorb(read) else {
        let errors = diagnostics.finish();
        return quote!(#item #errors);
    };
    let is_method = function.signature.receiver().is_some();
    let body = function.body.clone();
    let parameters = function.signature.inputs.to_token_stream();
    let definition = syntax::function(kind, options, function, &mut diagnostics);
    let mut item = item;
    if kind == FunctionKind::Orchestrator {
        let allowed = &definition.options.allowed;
        determinism::check(body.clone(), allowed, &mut diagnostics);
        if !allowed.contains(&Topic::HashOrder) {
            hash_order::check(parameters, body, &mut diagnostics);
        }
        item = select::rewrite(item, &crate_path(&definition), &mut diagnostics);
    }
    if diagnostics.is_empty() {
        diagnostics.finish();
        let proxy = whole(&definition);
        return quote!(#item #proxy);
    }
    // A type cannot stand in an `impl` block: a method gets no stand-in.
    let stand_in = if is_method { TokenStream::new() } else { stand_in::of(&definition) };
    let errors = diagnostics.finish();
    quote!(#item #stand_in #errors)
}

fn read_item(kind: FunctionKind, item: &TokenStream) -> syn::Result<FunctionItem> {
    syn::parse2::<FunctionItem>(item.clone()).map_err(|error| match syn::parse2::<syn::Item>(item.clone()) {
        Ok(other) => syn::Error::new_spanned(other, format!("{} stands on an `async fn`", kind.attribute())),
        Err(_) => error,
    })
}

/// Everything that stands beside a sound function.
fn whole(definition: &FunctionDefinition) -> TokenStream {
    let conditions = &definition.conditions;
    let structure = proxy::structure(definition);
    let assertions = assertions::of(definition);
    let methods = proxy::methods(definition);
    let registration = registration::of(definition);
    quote! {
        #structure
        #(#conditions)*
        #[doc(hidden)]
        #[allow(deprecated, private_interfaces, unnameable_types, unreachable_pub, dead_code, unused_qualifications)]
        const _: () = {
            #assertions
            #methods
            #registration
        };
    }
}

/// Where `durable` is. Its span is the function's name, as is that of all glue.
fn crate_path(definition: &FunctionDefinition) -> Path {
    definition.options.crate_path(syntax::glue_span(&definition.ident))
}

/// Where the functions that expanded code calls are.
fn support(definition: &FunctionDefinition) -> TokenStream {
    let durable = crate_path(definition);
    quote_spanned!(syntax::glue_span(&definition.ident)=> #durable::macro_support)
}
