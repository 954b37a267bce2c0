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

/// What may stand in the brackets of an attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    /// The attribute as the user writes it.
    pub(crate) attribute: &'static str,
    /// The word with its article for what it stands on.
    pub(crate) one: &'static str,
    /// The options.
    pub(crate) options: &'static [&'static str],
    /// Whether paths of interfaces may stand beside them.
    pub(crate) interfaces: bool,
}

impl FunctionKind {
    fn accepted(self) -> Accepted {
        let options: &[_] = match self {
            Self::Orchestrator => &["name", "version", "allow", "crate"],
            Self::Activity => &["name", "version", "crate"],
        };
        Accepted { attribute: self.attribute(), one: self.one(), options, interfaces: false }
    }
}

/// Reads what stands in the brackets of a function's attribute.
pub(crate) fn read(kind: FunctionKind, args: TokenStream, diagnostics: &mut Diagnostics) -> Options {
    read_accepted(kind.accepted(), args, diagnostics)
}

/// Reads what stands in the brackets.
pub(crate) fn read_accepted(accepted: Accepted, args: TokenStream, diagnostics: &mut Diagnostics) -> Options {
    let mut reader = Reader { accepted, options: Options::default(), seen: Vec::new(), diagnostics };
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
    accepted: Accepted,
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
        if self.accepted.interfaces && self.is_path(input) {
            self.options.interfaces.push(input.call(Path::parse_mod_style)?);
            return Ok(());
        }
        let key = input.call(Ident::parse_any)?;
        let option = key.to_string();
        if !self.accepted.options.contains(&option.as_str()) {
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
            "skip" => self.options.skip = true,
            "init" => self.options.init = Some(self.read_path(input)?),
            "attach" => self.options.attach = Some(self.read_path(input)?),
            _ => self.options.support = Some(self.read_path(input)?),
        }
        Ok(())
    }

    /// Whether the next option is the path of an interface, by its spelling.
    fn is_path(&self, input: ParseStream<'_>) -> bool {
        let word = input.fork().call(Ident::parse_any);
        let is_word = word
            .is_ok_and(|word| word == "skip" || self.accepted.options.iter().any(|option| word == option));
        let is_alone = !input.peek2(Token![=]) && !input.peek2(token::Paren);
        input.peek(Token![::]) || (is_alone && (!is_word || input.peek2(Token![::])))
    }

    fn unknown(&self, option: &str) -> String {
        let Accepted { attribute, one, options, .. } = self.accepted;
        match option {
            "allow" => format!("{one} may do anything: there is nothing to allow"),
            "skip" => "`skip` stands on a method, to leave it alone: `#[entity(skip)] fn ..`".into(),
            _ => format!(
                "`{option}` is not an option of {attribute}: it knows {}",
                listed(options.iter().copied())
            ),
        }
    }

    fn read_path(&self, input: ParseStream<'_>) -> syn::Result<Path> {
        input.parse::<Token![=]>()?;
        input.call(Path::parse_mod_style)
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

pub(crate) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
