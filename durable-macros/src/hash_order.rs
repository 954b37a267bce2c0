//! Finds walks over hash tables, whose order differs from run to run (replay R6).
//!
//! Sees tables that the body or a parameter names as `HashMap` or `HashSet`; a table from elsewhere
//! is left to the engine, which compares inputs on replay.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::{
    determinism,
    diagnostics::Diagnostics,
    model::Topic,
    tokens::{each_level, ident, is_punct, is_word},
};

const WALKS: [&str; 10] = [
    "iter",
    "iter_mut",
    "keys",
    "values",
    "values_mut",
    "into_iter",
    "into_keys",
    "into_values",
    "drain",
    "retain",
];

/// Reports walks over the hash tables that `parameters` and `body` declare.
pub(crate) fn check(parameters: TokenStream, body: TokenStream, diagnostics: &mut Diagnostics) {
    let mut tables = BTreeSet::new();
    each_level(parameters, &mut |tokens| declared_parameters(tokens, &mut tables));
    each_level(body.clone(), &mut |tokens| declared_locals(tokens, &mut tables));
    if tables.is_empty() {
        return;
    }
    each_level(body, &mut |tokens| {
        for place in 0..tokens.len() {
            if let Some(words) = walk_at(tokens, place, &tables) {
                let written = words.to_string().replace(' ', "");
                diagnostics.at(&words, determinism::message(Topic::HashOrder, &written));
            }
        }
    });
}

/// `name: HashMap<..>`, up to the next comma.
fn declared_parameters(tokens: &[TokenTree], tables: &mut BTreeSet<String>) {
    for (place, token) in tokens.iter().enumerate() {
        let (TokenTree::Ident(name), Some(colon)) = (token, tokens.get(place + 1)) else {
            continue;
        };
        if is_punct(colon, ':') && names_table(type_of(&tokens[place + 2..])) {
            tables.insert(name.to_string());
        }
    }
}

/// The outermost type: what stands before its angle brackets.
fn type_of(tokens: &[TokenTree]) -> &[TokenTree] {
    let end = tokens.iter().position(|token| ['<', ',', '=', ';'].iter().any(|end| is_punct(token, *end)));
    &tokens[..end.unwrap_or(tokens.len())]
}

/// `let name: HashMap<..>`, `let name = HashMap::..`, `let name = ...collect::<HashMap<..>>()`.
fn declared_locals(tokens: &[TokenTree], tables: &mut BTreeSet<String>) {
    for (place, token) in tokens.iter().enumerate() {
        if !is_word(Some(token), "let") {
            continue;
        }
        let place = place + 1 + usize::from(is_word(tokens.get(place + 1), "mut"));
        let Some(name) = ident(tokens.get(place)) else {
            continue;
        };
        let rest = &tokens[place + 1..];
        let end = rest.iter().position(|token| is_punct(token, ';')).unwrap_or(rest.len());
        if declares_table(&rest[..end]) {
            tables.insert(name.to_string());
        }
    }
}

fn declares_table(rest: &[TokenTree]) -> bool {
    let Some((first, value)) = rest.split_first() else {
        return false;
    };
    if is_punct(first, ':') {
        return names_table(type_of(value));
    }
    let constructed =
        value.iter().position(|token| is_punct(token, '<') || matches!(token, TokenTree::Group(_)));
    if names_table(&value[..constructed.unwrap_or(value.len())]) {
        return true;
    }
    let collected = value.iter().rposition(|token| is_word(Some(token), "collect"));
    // `collect :: < HashMap`: two colons and a bracket stand between.
    collected.is_some_and(|place| names_table(type_of(value.get(place + 4..).unwrap_or_default())))
}

fn names_table(tokens: &[TokenTree]) -> bool {
    tokens.iter().any(|token| is_word(Some(token), "HashMap") || is_word(Some(token), "HashSet"))
}

/// `table.keys(`, or `in &mut table {`.
fn walk_at(tokens: &[TokenTree], place: usize, tables: &BTreeSet<String>) -> Option<TokenStream> {
    let name = ident(tokens.get(place)).filter(|name| tables.contains(&name.to_string()))?;
    let is_field = place > 0 && is_punct(&tokens[place - 1], '.');
    if is_field {
        return None;
    }
    let dot = tokens.get(place + 1);
    let method = ident(tokens.get(place + 2)).filter(|method| WALKS.iter().any(|walk| *method == walk));
    if let (Some(dot), Some(_)) = (dot.filter(|dot| is_punct(dot, '.')), method) {
        let words = [tokens[place].clone(), dot.clone(), tokens[place + 2].clone()];
        return Some(words.into_iter().collect());
    }
    let mut before =
        tokens[..place].iter().rev().filter(|token| !is_punct(token, '&') && !is_word(Some(token), "mut"));
    let in_loop = is_word(before.next(), "in") && matches!(dot, Some(TokenTree::Group(_)));
    in_loop.then(|| TokenTree::from(name.clone()).into())
}
