//! `#[entity]` on a function: it looks at the operation's name and keeps the state by hand.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{FnArg, Safety, Type, ext::IdentExt as _};

use super::ON_FUNCTION;
use crate::{
    args, check,
    diagnostics::Diagnostics,
    expand::registration,
    model::{ContextParameter, Options, Returns},
    syntax::{self, FunctionItem, glue_span},
};

/// A function that has been read.
#[derive(Debug)]
struct EntityFunction {
    options: Options,
    item: FunctionItem,
    context: Option<ContextParameter>,
    returns: Returns,
}

/// Expands the attribute on a function.
pub(super) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let mut diagnostics = Diagnostics::default();
    let options = args::read_accepted(ON_FUNCTION, args, &mut diagnostics);
    let Some(function) = diagnostics.absorb(syn::parse2::<FunctionItem>(item.clone())) else {
        let errors = diagnostics.finish();
        return quote!(#item #errors);
    };
    let is_method = function.signature.receiver().is_some();
    let function = read(options, function, &mut diagnostics);
    let is_sound = diagnostics.is_empty();
    let errors = diagnostics.finish();
    // A type cannot stand in an `impl` block.
    let beside = (!is_method).then(|| beside(&function, is_sound));
    quote!(#item #beside #errors)
}

fn read(options: Options, item: FunctionItem, diagnostics: &mut Diagnostics) -> EntityFunction {
    let signature = &item.signature;
    if let Some(receiver) = signature.receiver() {
        let message = "#[entity] stands on the whole `impl` block, whose methods are the operations then; as a function an \
                       entity is a free one";
        diagnostics.at(receiver, message);
    }
    if !signature.generics.params.is_empty() {
        let message =
            "an entity is found by its name, so it cannot be generic: one name must be one function";
        diagnostics.at(&signature.generics, message);
    }
    if let Safety::Unsafe(word) = &signature.safety {
        diagnostics.at(word, "an entity cannot be `unsafe`: the engine calls it");
    }
    if let Some(name) = options.name.as_ref().filter(|name| name.value().contains('@')) {
        diagnostics.at(name, "the name of an entity must not contain `@`, which parts it from the key");
    }
    let context = read_context(&item, diagnostics);
    let returns = syntax::returns(&signature.output, diagnostics);
    let is_unit = matches!(&returns.output, Type::Tuple(tuple) if tuple.elems.is_empty());
    if returns.is_sound && !is_unit {
        let message = "an entity as a function returns nothing or `Result<(), E>`: what the caller gets is said with \
                       `ctx.return_value(..)`";
        diagnostics.at(&returns.output, message);
    }
    EntityFunction { options, item, context, returns }
}

fn read_context(item: &FunctionItem, diagnostics: &mut Diagnostics) -> Option<ContextParameter> {
    let mut context = None;
    for input in &item.signature.inputs {
        let FnArg::Typed(parameter) = input else { continue };
        match check::context_name(&parameter.ty) {
            Some(name) if name == "EntityContext" && context.is_none() => {
                context = Some(syntax::context_parameter(&parameter.ty));
            }
            Some(name) if name == "EntityContext" => {
                diagnostics.at(parameter, "the context is the first parameter, and there is one");
            }
            Some(name) => {
                diagnostics.at(&parameter.ty, format!("an entity has an `EntityContext`, not an `{name}`"));
                context.get_or_insert_with(|| syntax::context_parameter(&parameter.ty));
            }
            None => {
                let message = "an entity as a function takes its context alone: the input of the operation is \
                               `ctx.input()`";
                diagnostics.at(parameter, message);
            }
        }
    }
    if context.is_none() && item.signature.receiver().is_none() {
        let message = "an entity as a function needs its context: `ctx: EntityContext`";
        diagnostics.at(&item.signature.ident, message);
    }
    context
}

/// The type beside the function, with its address and its registration.
fn beside(function: &EntityFunction, is_sound: bool) -> TokenStream {
    let EntityFunction { options, item: FunctionItem { attributes, visibility, signature, .. }, .. } =
        function;
    let ident = &signature.ident;
    let glue = glue_span(ident);
    let durable = options.crate_path(glue);
    let support = quote_spanned!(glue=> #durable::macro_support);
    let conditions = syntax::conditions(attributes);
    let name =
        options.name.as_ref().map_or_else(|| ident.unraw().to_string(), syn::LitStr::value).to_lowercase();
    let documentation = format!("The addresses of entities `{name}`.");
    let of_key = format!("The entity `{name}` that has this key.");
    let registration = registration(&support, function, &name, is_sound);
    quote_spanned! {glue=>
        #(#conditions)*
        #[doc = #documentation]
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code, missing_debug_implementations, unnameable_types, unreachable_pub)]
        #visibility struct #ident {}
        #(#conditions)*
        #[doc(hidden)]
        #[allow(deprecated, unnameable_types, unreachable_pub, dead_code, unused_qualifications)]
        const _: () = {
            impl #ident {
                #[doc = #of_key]
                #visibility fn at(key: impl ::core::fmt::Display) -> #support::EntityId {
                    #support::entity_id(#name, key)
                }
            }
            #registration
        };
    }
}

/// What the registry takes, and its submission for discovery at link time.
fn registration(support: &TokenStream, function: &EntityFunction, name: &str, is_sound: bool) -> TokenStream {
    let ident = &function.item.signature.ident;
    let glue = glue_span(ident);
    if !is_sound {
        return quote_spanned! {glue=>
            impl #support::Definition for #ident {
                const REGISTRATION: #support::Registration = #support::STAND_IN;
            }
        };
    }
    let code = code(support, function);
    quote_spanned! {glue=>
        impl #support::Definition for #ident {
            const REGISTRATION: #support::Registration = #support::Registration::entity_function(
                #name,
                ::core::concat!(::core::file!(), ":", ::core::line!()),
                #code,
            );
        }
        #support::inventory::submit! { <#ident as #support::Definition>::REGISTRATION }
    }
}

/// A closure without captures.
fn code(support: &TokenStream, function: &EntityFunction) -> TokenStream {
    let EntityFunction { item: FunctionItem { signature, .. }, context, returns, .. } = function;
    let ident = &signature.ident;
    let glue = glue_span(ident);
    let borrow = context.as_ref().map(|context| &context.borrow);
    let context = quote_spanned!(glue=> #borrow { __context });
    let called = quote_spanned!(ident.span()=> #ident(#context));
    let awaited = signature.asyncness.map(|_| quote_spanned!(glue=> .await));
    let answer = match &returns.failure {
        None => quote_spanned!(glue=> ::core::result::Result::Ok(__returned)),
        Some(error) => {
            let failure = registration::failure(support, error);
            let blamed = glue_span(&returns.written.to_token_stream());
            quote_spanned! {blamed=>
                match #support::returned::<(), _>(__returned) {
                    ::core::result::Result::Ok(()) => ::core::result::Result::Ok(()),
                    ::core::result::Result::Err(__error) => ::core::result::Result::Err(#failure),
                }
            }
        }
    };
    quote_spanned! {glue=>
        |__context| #support::run_entity(async move { #called #awaited }, |__returned| #answer)
    }
}
