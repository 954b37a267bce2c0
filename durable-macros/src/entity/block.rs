//! Taking an `impl` block or a trait apart, and putting it together again without our marks.
//!
//! Bodies stay unread: an unfinished one must not hide the operations. Begin with [`Block::read`].

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt as _};
use syn::{
    Attribute, Generics, Ident, Signature, Token, Type, Visibility, WhereClause,
    parse::{Parse, ParseStream, Parser as _, discouraged::Speculative as _},
};

/// An item whose last token is a pair of braces with members in it.
#[derive(Debug)]
pub(super) struct Block<H> {
    pub(super) head: H,
    before: TokenStream,
    braces: Group,
    pub(super) members: Vec<Member>,
}

/// One thing in the braces.
#[derive(Debug)]
pub(super) enum Member {
    Method(Box<Method>),
    Other(TokenStream),
}

/// A method, its body unread.
#[derive(Debug)]
pub(super) struct Method {
    /// Our own attributes, which do not come back.
    pub(super) marks: Vec<Attribute>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) signature: Signature,
    body: TokenTree,
}

/// What stands before the braces of an `impl` block.
#[derive(Debug)]
pub(super) struct BlockHead {
    pub(super) attributes: Vec<Attribute>,
    pub(super) generics: Generics,
    /// The trait, as a type.
    pub(super) interface: Option<Type>,
    pub(super) state: Type,
}

/// What stands before the braces of a trait.
#[derive(Debug)]
pub(super) struct TraitHead {
    pub(super) attributes: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    pub(super) generics: Generics,
}

impl<H: Parse> Block<H> {
    /// Takes an item apart.
    pub(super) fn read(item: TokenStream) -> syn::Result<Self> {
        let mut before: Vec<_> = item.into_iter().collect();
        let braces = match before.pop() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => group,
            last => return Err(syn::Error::new_spanned(last, "expected a block in braces")),
        };
        let before = TokenStream::from_iter(before);
        let head = syn::parse2(before.clone())?;
        let members = members.parse2(braces.stream())?;
        Ok(Self { head, before, braces, members })
    }

    /// Its methods.
    pub(super) fn methods(&self) -> impl Iterator<Item = &Method> {
        self.members.iter().filter_map(|member| match member {
            Member::Method(method) => Some(&**method),
            Member::Other(_) => None,
        })
    }
}

fn members(input: ParseStream<'_>) -> syn::Result<Vec<Member>> {
    let mut members = Vec::new();
    while !input.is_empty() {
        let ahead = input.fork();
        members.push(match ahead.parse() {
            Ok(method) => {
                input.advance_to(&ahead);
                Member::Method(Box::new(method))
            }
            Err(_) => Member::Other(other(input)?),
        });
    }
    Ok(members)
}

/// Passes over what is no method: an inner attribute, or all up to a `;` or the end of a pair of braces.
fn other(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut passed = TokenStream::new();
    let is_inner_attribute = input.peek(Token![#]) && input.peek2(Token![!]);
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let is_last = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) if is_inner_attribute => group.delimiter() == Delimiter::Bracket,
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        passed.append(token);
        if is_last {
            break;
        }
    }
    Ok(passed)
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let (marks, attributes) = attributes.into_iter().partition(is_mark);
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body: TokenTree = input.parse()?;
        match &body {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {}
            TokenTree::Punct(punct) if punct.as_char() == ';' => {}
            _ => return Err(syn::Error::new_spanned(body, "expected a body or `;`")),
        }
        Ok(Self { marks, attributes, visibility, signature, body })
    }
}

fn is_mark(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|word| word.ident == "entity")
}

impl Parse for BlockHead {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Option<Token![unsafe]>>()?;
        input.parse::<Token![impl]>()?;
        let mut generics: Generics = input.parse()?;
        let first: Type = input.parse()?;
        let is_of_trait = input.parse::<Option<Token![for]>>()?.is_some();
        let (interface, state) = if is_of_trait { (Some(first), input.parse()?) } else { (None, first) };
        generics.where_clause = input.parse::<Option<WhereClause>>()?;
        Ok(Self { attributes, generics, interface, state })
    }
}

impl Parse for TraitHead {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Option<Token![unsafe]>>()?;
        input.parse::<Token![trait]>()?;
        let (ident, generics) = (input.parse()?, input.parse()?);
        // What it demands of those who implement it is the compiler's to judge.
        input.parse::<TokenStream>()?;
        Ok(Self { attributes, visibility, ident, generics })
    }
}

impl<H> ToTokens for Block<H> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.before.to_tokens(tokens);
        let mut inside = TokenStream::new();
        inside.append_all(&self.members);
        let mut braces = Group::new(Delimiter::Brace, inside);
        braces.set_span(self.braces.span());
        tokens.append(braces);
    }
}

impl ToTokens for Member {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Method(method) => method.to_tokens(tokens),
            Self::Other(other) => other.to_tokens(tokens),
        }
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attributes);
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
