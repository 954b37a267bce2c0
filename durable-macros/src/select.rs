//! Races must have a fixed poll order (replay rule 3): a bare `select!` becomes `durable::select!`,
//! one of another crate is refused unless it says `biased;`.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Path;

use crate::{
    diagnostics::Diagnostics,
    tokens::{in_brackets, is_punct, is_word, path_at},
};

/// Rewrites the races in `item`, and refuses those that cannot be.
pub(crate) fn rewrite(item: TokenStream, support: &Path, diagnostics: &mut Diagnostics) -> TokenStream {
    rewritten(item.clone(), support, diagnostics).unwrap_or(item)
}

/// The tokens with their races rewritten, if there are any: what has none keeps its exact spans.
fn rewritten(tokens: TokenStream, support: &Path, diagnostics: &mut Diagnostics) -> Option<TokenStream> {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut output = TokenStream::new();
    let mut is_changed = false;
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        if let Some(race) = race_at(&tokens, place) {
            race.check(diagnostics);
            output.extend(race.path(support));
            is_changed |= race.is_bare();
            place = race.end;
            continue;
        }
        let inner = match token {
            TokenTree::Group(group) => {
                rewritten(group.stream(), support, diagnostics).map(|inner| (group, inner))
            }
            _ => None,
        };
        is_changed |= inner.is_some();
        output.extend([inner.map_or_else(|| token.clone(), |(group, inner)| regrouped(group, inner))]);
        place += 1;
    }
    is_changed.then_some(output)
}

fn regrouped(group: &Group, inner: TokenStream) -> TokenTree {
    let mut regrouped = Group::new(group.delimiter(), inner);
    regrouped.set_span(group.span());
    TokenTree::Group(regrouped)
}

/// The path of a `select!`, up to its `!`.
struct Race {
    written: TokenStream,
    words: Vec<String>,
    is_biased: bool,
    end: usize,
}

fn race_at(tokens: &[TokenTree], place: usize) -> Option<Race> {
    let path = path_at(tokens, place)?;
    let words: Vec<_> = path.words().into_iter().map(str::to_owned).collect();
    let is_macro = tokens.get(path.end).is_some_and(|token| is_punct(token, '!'));
    if path.follows_dot || !is_macro || words.last().is_none_or(|word| word != "select") {
        return None;
    }
    let branches: Vec<_> = in_brackets(tokens.get(path.end + 1))?.into_iter().collect();
    let is_biased =
        is_word(branches.first(), "biased") && branches.get(1).is_some_and(|token| is_punct(token, ';'));
    Some(Race { end: path.end, written: path.tokens, words, is_biased })
}

impl Race {
    fn is_bare(&self) -> bool {
        self.words.len() == 1
    }

    fn check(&self, diagnostics: &mut Diagnostics) {
        let of_tokio_or_futures = self.words.iter().any(|word| {
            matches!(word.as_str(), "tokio" | "futures" | "futures_util" | "futures_lite" | "smol")
        });
        if self.is_bare() || !of_tokio_or_futures || self.is_biased {
            return;
        }
        let written = self.words.join("::");
        let message = format!(
            "`{written}!` polls its branches in random order, so a replay could let another branch win: write `durable::select!`, which prefers the upper branch"
        );
        diagnostics.at(&self.written, message);
    }

    fn path(&self, support: &Path) -> TokenStream {
        if !self.is_bare() {
            return self.written.clone();
        }
        let span = self
            .written
            .clone()
            .into_iter()
            .next()
            .map_or_else(proc_macro2::Span::call_site, |token| token.span());
        quote_spanned!(span=> #support::select)
    }
}
