//! `#[entity]`: operations of a type, an interface of operations, or one function that dispatches.
//!
//! An item is taken apart (`block`), its methods are read and checked (`operations`), and what stands
//! beside it is written: `address` and `dispatch` for operations of any kind, `typed`, `interface` and
//! `function` for what an `impl` block, a trait and a function need besides. The item always comes back.
//! Knows nothing of how entities run. Begin with [`expand`].

mod address;
mod block;
mod dispatch;
mod function;
mod interface;
mod model;
mod operations;
mod typed;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::{args::Accepted, tokens::is_word};

/// The options of an `impl` block.
const ON_IMPL: Accepted = Accepted {
    attribute: "#[entity]",
    one: "an entity",
    options: &["name", "init", "attach", "crate"],
    interfaces: true,
};

/// The options of a function.
const ON_FUNCTION: Accepted =
    Accepted { attribute: "#[entity]", one: "an entity", options: &["name", "crate"], interfaces: false };

/// The options of a trait.
const ON_TRAIT: Accepted = Accepted {
    attribute: "#[entity]",
    one: "an interface of entities",
    options: &["crate"],
    interfaces: false,
};

/// The options of a method.
const ON_METHOD: Accepted =
    Accepted { attribute: "#[entity]", one: "an operation", options: &["name", "skip"], interfaces: false };

/// Expands the attribute that stands on `item`.
pub(crate) fn expand(args: TokenStream, item: &TokenStream) -> TokenStream {
    let words: Vec<_> = item.clone().into_iter().take_while(|token| !is_body(token)).collect();
    let has = |word| words.iter().any(|token| is_word(Some(token), word));
    if has("fn") {
        return function::expand(args, item);
    }
    if has("impl") {
        return typed::expand(args, item);
    }
    if has("trait") {
        return interface::expand(args, item);
    }
    let message = if has("struct") || has("enum") {
        "#[entity] stands on the `impl` block with the operations, not on the type of the state"
    } else {
        "#[entity] stands on an `impl` block, on a trait, or on a function of an `EntityContext`"
    };
    let error = syn::Error::new_spanned(item, message).to_compile_error();
    quote!(#item #error)
}

fn is_body(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace)
}
