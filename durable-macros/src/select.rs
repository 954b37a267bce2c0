//! Races must have a fixed poll order (replay rule 3): a bare `select!` becomes `durable::select!`,
//! one of another crate is refused unless it says `biased;`.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::Path;

use crate::{
    diagnostics::Diagnostics,
    tokens::{in_brackets, is_punct, is_word, path_at},
};

/// Rewrites the races in `body`, and refuses those that cannot be.
pub(crate) fn rewrite(body: TokenStream, support: &Path, diagnostics: &mut Diagnostics) -> TokenStream {
    let tokens: Vec<_> = body.into_iter().collect();
    let mut rewritten = TokenStream::new();
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        match race_at(&tokens, place) {
            Some(race) => {
                race.check(diagnostics);
                rewritten.extend(race.path(support));
                place = race.end;
            }
            None => {
                rewritten.extend([inside(token, support, diagnostics)]);
                place += 1;
            }
        }
    }
    rewritten
}

fn inside(token: &TokenTree, support: &Path, diagnostics: &mut Diagnostics) -> TokenTree {
    let TokenTree::Group(group) = token else {
        return token.clone();
    };
    let mut rewritten = Group::new(group.delimiter(), rewrite(group.stream(), support, diagnostics));
    rewritten.set_span(group.span());
    TokenTree::Group(rewritten)
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
    fn check(&self, diagnostics: &mut Diagnostics) {
        let of_tokio_or_futures = self.words.iter().any(|word| {
            matches!(word.as_str(), "tokio" | "futures" | "futures_util" | "futures_lite" | "smol")
        });
        if self.words.len() == 1 || !of_tokio_or_futures || self.is_biased {
            return;
        }
        let written = self.words.join("::");
        let message = format!(
            "`{written}!` polls its branches in random order, so a replay could let another branch win: write `durable::select!`, which prefers the upper branch"
        );
        diagnostics.at(&self.written, message);
    }

    fn path(&self, support: &Path) -> TokenStream {
        if self.words.len() > 1 {
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
