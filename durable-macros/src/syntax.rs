//! From the tokens of a function to what was meant by it.
//!
//! The body is kept as tokens: no rule needs more, and an unfinished body must not hide the proxy.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, FnArg, GenericArgument, Pat, PathArguments, ReturnType, Signature, Type, TypePath, Visibility,
    parse::{Parse, ParseStream},
    spanned::Spanned as _,
};

use crate::{
    check,
    diagnostics::Diagnostics,
    model::{ContextParameter, FunctionDefinition, FunctionKind, InputParameter, Options, Returns},
    types::{last_segment, ungrouped},
};

/// A free function, its body unread.
#[derive(Debug)]
pub(crate) struct FunctionItem {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
}

impl Parse for FunctionItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

/// Reads a function; where a mistake leaves something unclear, what follows is a guess.
pub(crate) fn function(
    kind: FunctionKind,
    options: Options,
    item: FunctionItem,
    diagnostics: &mut Diagnostics,
) -> FunctionDefinition {
    let FunctionItem { attributes, visibility, signature, .. } = item;
    check::signature(kind, &signature, diagnostics);
    let mut context = None;
    let mut inputs = Vec::new();
    let typed = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    for (place, parameter) in typed.enumerate() {
        match check::context(kind, place, &parameter.ty, diagnostics) {
            check::Parameter::Context => context = Some(context_parameter(&parameter.ty)),
            check::Parameter::Misplaced => {}
            check::Parameter::Input => inputs.push(input(kind.one(), inputs.len(), parameter, diagnostics)),
        }
    }
    FunctionDefinition {
        kind,
        options,
        conditions: conditions(&attributes),
        visibility,
        ident: signature.ident,
        context,
        inputs,
        returns: returns(&signature.output, diagnostics),
    }
}

/// The conditions among the attributes.
pub(crate) fn conditions(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// Reads how a function wants its context.
pub(crate) fn context_parameter(r#type: &Type) -> ContextParameter {
    let borrow = match ungrouped(r#type) {
        Type::Reference(reference) => {
            let mutability = &reference.mutability;
            quote!(& #mutability)
        }
        _ => TokenStream::new(),
    };
    ContextParameter { borrow }
}

/// Reads a parameter that is an input of `one`, an activity say.
pub(crate) fn input(
    one: &str,
    place: usize,
    parameter: &syn::PatType,
    diagnostics: &mut Diagnostics,
) -> InputParameter {
    let name = match &*parameter.pat {
        Pat::Ident(pattern) if pattern.subpat.is_none() => pattern.ident.clone(),
        _ => format_ident!("input_{place}", span = parameter.pat.span()),
    };
    InputParameter {
        name,
        r#type: (*parameter.ty).clone(),
        is_text: is_string(&parameter.ty),
        is_sound: check::input(one, &parameter.ty, diagnostics),
    }
}

/// By spelling, as the last word of a path: the compiler asserts what follows from it.
pub(crate) fn returns(written: &ReturnType, diagnostics: &mut Diagnostics) -> Returns {
    let unit = || syn::parse_quote!(());
    let ReturnType::Type(_, written) = written else {
        return Returns { written: unit(), output: unit(), failure: None, is_sound: true };
    };
    let written: Type = (**written).clone();
    let Some(result) = last_segment(&written).filter(|segment| segment.ident == "Result") else {
        let is_sound = check::output(&written, diagnostics);
        return Returns { output: written.clone(), written, failure: None, is_sound };
    };
    let mut arguments = Vec::new();
    if let PathArguments::AngleBracketed(angled) = &result.arguments {
        arguments.extend(angled.args.iter().filter_map(|argument| match argument {
            GenericArgument::Type(r#type) => Some(r#type.clone()),
            _ => None,
        }));
    }
    let mut arguments = arguments.into_iter();
    let output = arguments.next().unwrap_or_else(unit);
    let failure = arguments.next().map_or_else(|| written.to_token_stream(), ToTokens::into_token_stream);
    let is_sound = check::output(&output, diagnostics);
    Returns { written, output, failure: Some(failure), is_sound }
}

fn is_string(r#type: &Type) -> bool {
    let Type::Path(TypePath { qself: None, path, .. }) = ungrouped(r#type) else {
        return false;
    };
    let words: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    matches!(words[..], ["String"] | ["string", "String"] | ["std" | "alloc", "string", "String"])
}

/// Where generated code that speaks about `ident` is shown.
pub(crate) fn glue_span(words: &impl ToTokens) -> Span {
    Span::mixed_site().located_at(words.to_token_stream().span())
}
