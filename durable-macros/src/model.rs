//! What was meant by an annotated function, free of the rules of reading and writing it.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Attribute, LitStr, Path, Type, Visibility, parse_quote_spanned};

/// Which attribute it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionKind {
    Orchestrator,
    Activity,
}

impl FunctionKind {
    /// The attribute as the user writes it.
    pub(crate) fn attribute(self) -> &'static str {
        match self {
            Self::Orchestrator => "#[orchestrator]",
            Self::Activity => "#[activity]",
        }
    }

    /// The word with its article.
    pub(crate) fn one(self) -> &'static str {
        match self {
            Self::Orchestrator => "an orchestrator",
            Self::Activity => "an activity",
        }
    }

    /// The type of its context.
    pub(crate) fn context(self) -> &'static str {
        match self {
            Self::Orchestrator => "OrchestrationContext",
            Self::Activity => "ActivityContext",
        }
    }
}

/// What stands in the brackets of the attribute.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) version: Option<LitStr>,
    pub(crate) support: Option<Path>,
    pub(crate) allowed: Vec<Topic>,
    /// Of an entity: the function that makes its first state.
    pub(crate) init: Option<Path>,
    /// Of an entity: the function that completes a state which comes into memory.
    pub(crate) attach: Option<Path>,
    /// Of an entity: the interfaces that it implements elsewhere.
    pub(crate) interfaces: Vec<Path>,
    /// Of a method: whether it is to be left alone.
    pub(crate) skip: bool,
}

impl Options {
    /// Where `durable` is; the path stands at `glue` unless the user wrote it.
    pub(crate) fn crate_path(&self, glue: Span) -> Path {
        self.support.clone().unwrap_or_else(|| parse_quote_spanned!(glue=> ::durable))
    }
}

/// A group of things that take another path on replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Clock,
    Random,
    Sleep,
    Spawn,
    Thread,
    Env,
    Io,
    HashOrder,
    PollOrder,
}

impl Topic {
    pub(crate) const ALL: [Self; 9] = [
        Self::Clock,
        Self::Random,
        Self::Sleep,
        Self::Spawn,
        Self::Thread,
        Self::Env,
        Self::Io,
        Self::HashOrder,
        Self::PollOrder,
    ];

    /// The word for it in `allow(..)`.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Sleep => "sleep",
            Self::Spawn => "spawn",
            Self::Thread => "thread",
            Self::Env => "env",
            Self::Io => "io",
            Self::HashOrder => "hash_order",
            Self::PollOrder => "poll_order",
        }
    }
}

/// A function that has been read.
#[derive(Debug)]
pub(crate) struct FunctionDefinition {
    pub(crate) kind: FunctionKind,
    pub(crate) options: Options,
    /// The conditions under which the function exists, and so all that is made from it.
    pub(crate) conditions: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) ident: Ident,
    pub(crate) context: Option<ContextParameter>,
    pub(crate) inputs: Vec<InputParameter>,
    pub(crate) returns: Returns,
}

impl FunctionDefinition {
    /// The name in history.
    pub(crate) fn name(&self) -> String {
        use syn::ext::IdentExt as _;
        match &self.options.name {
            Some(name) => name.value(),
            None => self.ident.unraw().to_string(),
        }
    }
}

/// How the function wants its context; the tokens before the argument: none, `&` or `&mut`.
#[derive(Debug)]
pub(crate) struct ContextParameter {
    pub(crate) borrow: TokenStream,
}

/// A parameter that is part of the stored input.
#[derive(Debug)]
pub(crate) struct InputParameter {
    /// The user's name, or one made up for a pattern.
    pub(crate) name: Ident,
    pub(crate) r#type: Type,
    /// Whether the type is `String`, which callers may give as any text.
    pub(crate) is_text: bool,
    /// Whether the type can stand in generated code: owned, and named.
    pub(crate) is_sound: bool,
}

/// What the function returns.
#[derive(Debug)]
pub(crate) struct Returns {
    /// The return type as written; `()` when none is.
    pub(crate) written: Type,
    /// What is stored on success.
    pub(crate) output: Type,
    /// The type of the error, if it returns a `Result`.
    pub(crate) failure: Option<TokenStream>,
    /// Whether the output can stand in generated code: owned, and named.
    pub(crate) is_sound: bool,
}
