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

const WALKS: [&str; 9] =
    ["iter", "iter_mut", "keys", "values", "values_mut", "into_iter", "into_keys", "into_values", "drain"];

/// What makes the order of a walk not matter, in the same statement.
const ORDERLESS_TYPES: [&str; 3] = ["BTreeMap", "BTreeSet", "BinaryHeap"];
const ORDERLESS_METHODS: [&str; 5] = ["count", "all", "any", "min", "max"];

/// Reports walks over the hash tables that `parameters` and `body` declare.
pub(crate) fn check(parameters: TokenStream, body: TokenStream, diagnostics: &mut Diagnostics) {
    let mut tables = BTreeSet::new();
    let mut others = BTreeSet::new();
    each_level(parameters, &mut |tokens| declared_parameters(tokens, &mut tables));
    each_level(body.clone(), &mut |tokens| declared_locals(tokens, &mut tables, &mut others));
    // A name that also means something else is not followed: better silent than wrong.
    tables.retain(|name| !others.contains(name));
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
fn declared_locals(tokens: &[TokenTree], tables: &mut BTreeSet<String>, others: &mut BTreeSet<String>) {
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
        let names = if declares_table(&rest[..end]) { &mut *tables } else { &mut *others };
        names.insert(name.to_string());
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
        if is_orderless(tokens, place) {
            return None;
        }
        let words = [tokens[place].clone(), dot.clone(), tokens[place + 2].clone()];
        return Some(words.into_iter().collect());
    }
    let mut before =
        tokens[..place].iter().rev().filter(|token| !is_punct(token, '&') && !is_word(Some(token), "mut"));
    let in_loop = is_word(before.next(), "in") && matches!(dot, Some(TokenTree::Group(_)));
    in_loop.then(|| TokenTree::from(name.clone()).into())
}

fn is_orderless(tokens: &[TokenTree], place: usize) -> bool {
    let is_end = |token: &TokenTree| is_punct(token, ';');
    let start = tokens[..place].iter().rposition(is_end).map_or(0, |end| end + 1);
    let end = tokens[place..].iter().position(is_end).map_or(tokens.len(), |end| place + end);
    let statement = &tokens[start..end];
    let is_one_of = |words: &[&str], token| words.iter().any(|word| is_word(Some(token), word));
    statement.iter().enumerate().any(|(place, token)| {
        let follows_dot = place > 0 && is_punct(&statement[place - 1], '.');
        is_one_of(&ORDERLESS_TYPES, token) || follows_dot && is_one_of(&ORDERLESS_METHODS, token)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(parameters: &str, body: &str) -> usize {
        let mut diagnostics = Diagnostics::default();
        check(parameters.parse().unwrap(), body.parse().unwrap(), &mut diagnostics);
        diagnostics.finish().into_iter().filter(|token| is_word(Some(token), "compile_error")).count()
    }

    // Replay R6.
    #[test]
    fn walks_over_hash_tables_are_seen() {
        for (parameters, body) in [
            ("prices: HashMap<String, u8>", "prices.keys()"),
            ("mut prices: std::collections::HashMap<String, u8>", "f(|| prices.drain())"),
            ("", "let t = HashMap::new(); for (a, b) in &t {}"),
            ("", "let mut t: HashSet<u8> = make(); for a in &mut t {}"),
            ("", "let t = list.iter().collect::<HashSet<_>>(); t.into_iter()"),
        ] {
            assert_eq!(reported(parameters, body), 1, "{parameters} {body}");
        }
    }

    #[test]
    fn what_has_no_order_or_no_table_is_left_alone() {
        for (parameters, body) in [
            ("prices: HashMap<String, u8>", "prices.get(\"tea\"); prices.insert(k, v); prices.len()"),
            ("prices: HashMap<String, u8>", "let sorted: BTreeMap<_, _> = prices.into_iter().collect();"),
            ("prices: HashMap<String, u8>", "prices.values().any(|price| *price > 3)"),
            ("prices: HashMap<String, u8>", "let prices = sorted(prices); prices.iter()"),
            ("list: Vec<HashMap<String, u8>>", "list.iter()"),
            ("", "let t = f(HashMap::new()); t.iter()"),
        ] {
            assert_eq!(reported(parameters, body), 0, "{parameters} {body}");
        }
    }
}
