//! The options of an attribute, each read on its own, so that one mistake does not hide another.

use proc_macro2::{Ident, TokenStream};
use syn::{
    LitStr, Path, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    punctuated::Punctuated,
    token,
};

use crate::{
    diagnostics::Diagnostics,
    model::{FunctionKind, Options, Topic},
};

/// Reads what stands in the brackets.
pub(crate) fn read(kind: FunctionKind, args: TokenStream, diagnostics: &mut Diagnostics) -> Options {
    let mut reader = Reader { kind, options: Options::default(), seen: Vec::new(), diagnostics };
    let parsed = (|input: ParseStream<'_>| {
        reader.read_all(input);
        Ok(())
    })
    .parse2(args);
    let options = reader.options;
    diagnostics.absorb(parsed);
    options
}

struct Reader<'a> {
    kind: FunctionKind,
    options: Options,
    seen: Vec<String>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn read_all(&mut self, input: ParseStream<'_>) {
        while !input.is_empty() {
            let option = self.read_one(input);
            let read = self.diagnostics.absorb(option).is_some();
            if read && !input.is_empty() && !input.peek(Token![,]) {
                self.diagnostics.absorb::<()>(Err(input.error("expected `,` between two options")));
            }
            skip_past_comma(input);
        }
    }

    fn read_one(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key = input.call(Ident::parse_any)?;
        let option = key.to_string();
        if !self.known().contains(&option.as_str()) {
            self.diagnostics.at(&key, self.unknown(&option));
            return self.skip_value(input);
        }
        if self.seen.contains(&option) {
            self.diagnostics.at(&key, format!("the option `{option}` is given twice"));
            return self.skip_value(input);
        }
        self.seen.push(option.clone());
        match option.as_str() {
            "name" => self.options.name = self.read_text(input, &option)?,
            "version" => self.options.version = self.read_text(input, &option)?,
            "allow" => self.read_allow(input)?,
            _ => {
                input.parse::<Token![=]>()?;
                self.options.support = Some(input.call(Path::parse_mod_style)?);
            }
        }
        Ok(())
    }

    fn known(&self) -> &'static [&'static str] {
        match self.kind {
            FunctionKind::Orchestrator => &["name", "version", "allow", "crate"],
            FunctionKind::Activity => &["name", "version", "crate"],
        }
    }

    fn unknown(&self, option: &str) -> String {
        if option == "allow" {
            return "an activity may do anything: there is nothing to allow".into();
        }
        let known = listed(self.known().iter().copied());
        format!("`{option}` is not an option of {}: it knows {known}", self.kind.attribute())
    }

    fn read_text(&mut self, input: ParseStream<'_>, option: &str) -> syn::Result<Option<LitStr>> {
        input.parse::<Token![=]>()?;
        let text: LitStr = input.parse()?;
        if text.value().is_empty() {
            self.diagnostics.at(&text, format!("the {option} must not be empty"));
            return Ok(None);
        }
        Ok(Some(text))
    }

    fn read_allow(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let content;
        syn::parenthesized!(content in input);
        for word in Punctuated::<Ident, Token![,]>::parse_terminated(&content)? {
            match Topic::ALL.into_iter().find(|topic| word == topic.option()) {
                Some(topic) => self.options.allowed.push(topic),
                None => {
                    let known = listed(Topic::ALL.into_iter().map(Topic::option));
                    self.diagnostics.at(&word, format!("`{word}` cannot be allowed: there are {known}"));
                }
            }
        }
        Ok(())
    }

    fn skip_value(&self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() && !input.peek(Token![,]) {
            input.parse::<proc_macro2::TokenTree>()?;
        }
        Ok(())
    }
}

fn skip_past_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        if input.peek(Token![,]) {
            let _ = input.parse::<token::Comma>();
            return;
        }
        let _ = input.parse::<proc_macro2::TokenTree>();
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
