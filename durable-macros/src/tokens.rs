//! Reading a body as tokens: paths in it, also inside macros and closures, where syntax trees end.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A path as written, such as `std::time::SystemTime::now`.
#[derive(Debug)]
pub(crate) struct WrittenPath {
    words: Vec<String>,
    /// Its tokens, to be blamed.
    pub(crate) tokens: TokenStream,
    /// Whether it stands after a dot, as a method or field does.
    pub(crate) follows_dot: bool,
    /// The place of the token after it, among its neighbours.
    pub(crate) end: usize,
}

impl WrittenPath {
    /// Its words, raw prefixes taken away.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.trim_start_matches("r#")).collect()
    }
}

/// Reads the path that begins at `start`, if one does.
pub(crate) fn path_at(tokens: &[TokenTree], start: usize) -> Option<WrittenPath> {
    let follows_colons = start >= 2 && is_colons(tokens, start - 2);
    let TokenTree::Ident(first) = tokens.get(start)? else {
        return None;
    };
    if follows_colons && start >= 3 && matches!(tokens[start - 3], TokenTree::Ident(_)) {
        return None;
    }
    let mut path = WrittenPath {
        words: vec![first.to_string()],
        tokens: TokenStream::from(tokens[start].clone()),
        follows_dot: start > 0 && is_punct(&tokens[start - 1], '.'),
        end: start + 1,
    };
    while is_colons(tokens, path.end) {
        let Some(TokenTree::Ident(word)) = tokens.get(path.end + 2) else {
            break;
        };
        path.words.push(word.to_string());
        path.tokens.extend(tokens[path.end..path.end + 3].iter().cloned());
        path.end += 3;
    }
    Some(path)
}

/// Calls `visit` with each list of neighbouring tokens, outer ones first.
pub(crate) fn each_level(tokens: TokenStream, visit: &mut impl FnMut(&[TokenTree])) {
    let level: Vec<_> = tokens.into_iter().collect();
    visit(&level);
    for token in level {
        if let TokenTree::Group(group) = token {
            each_level(group.stream(), visit);
        }
    }
}

/// Whether a `::` stands at `place`.
fn is_colons(tokens: &[TokenTree], place: usize) -> bool {
    matches!(tokens.get(place..place + 2), Some([a, b]) if is_punct(a, ':') && is_punct(b, ':'))
}

/// Whether the token is this punctuation.
pub(crate) fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// The identifier, if the token is one.
pub(crate) fn ident(token: Option<&TokenTree>) -> Option<&Ident> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    }
}

/// Whether the token is this word.
pub(crate) fn is_word(token: Option<&TokenTree>, word: &str) -> bool {
    ident(token).is_some_and(|ident| ident == word)
}

/// The tokens in the round brackets at `place`, if there are some.
pub(crate) fn in_brackets(token: Option<&TokenTree>) -> Option<TokenStream> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::None => Some(group.stream()),
        _ => None,
    }
}
