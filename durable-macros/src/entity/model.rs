//! What was meant by an item with operations, free of the rules of reading and writing it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Path, Type, Visibility, ext::IdentExt as _};

use crate::model::{ContextParameter, InputParameter, Options, Returns};

/// An `impl` block that has been read.
#[derive(Debug)]
pub(super) struct EntityDefinition {
    pub(super) options: Options,
    /// The conditions under which the block exists, and so all that is made from it.
    pub(super) conditions: Vec<Attribute>,
    /// The type of the state, and the last word of its path.
    pub(super) state: Type,
    pub(super) ident: Ident,
    /// The interface that the block implements, if it does.
    pub(super) interface: Option<Path>,
    pub(super) operations: Vec<OperationDefinition>,
}

impl EntityDefinition {
    /// The name in history, lower-case.
    pub(super) fn name(&self) -> String {
        match &self.options.name {
            Some(name) => name.value().to_lowercase(),
            None => self.ident.unraw().to_string().to_lowercase(),
        }
    }

    /// The interfaces it has, that of the block itself first.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = &Path> {
        self.interface.iter().chain(&self.options.interfaces)
    }

    /// The name of its address type.
    pub(super) fn address(&self) -> Ident {
        format_ident!("{}Ref", self.ident.unraw(), span = self.ident.span())
    }
}

/// A trait that has been read.
#[derive(Debug)]
pub(super) struct InterfaceDefinition {
    pub(super) options: Options,
    pub(super) conditions: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    pub(super) operations: Vec<OperationDefinition>,
}

impl InterfaceDefinition {
    /// The name of its address type.
    pub(super) fn address(&self) -> Ident {
        format_ident!("{}Ref", self.ident.unraw(), span = self.ident.span())
    }
}

/// A method that is an operation.
#[derive(Debug)]
pub(super) struct OperationDefinition {
    pub(super) conditions: Vec<Attribute>,
    pub(super) visibility: Visibility,
    pub(super) ident: Ident,
    /// The name in messages to the entity.
    pub(super) name: String,
    pub(super) receiver: Receiver,
    pub(super) is_async: bool,
    pub(super) context: Option<ContextParameter>,
    /// At most one, unless a mistake has been reported.
    pub(super) inputs: Vec<InputParameter>,
    pub(super) returns: Returns,
}

impl OperationDefinition {
    /// The name by which it is found.
    pub(super) fn found_by(&self) -> String {
        self.name.to_lowercase()
    }

    /// Whether it can change the state: one with a context may delete it.
    pub(super) fn is_read_only(&self) -> bool {
        self.receiver == Receiver::Shared && self.context.is_none()
    }

    /// The private type on which the types of the operation at `place` are declared.
    pub(super) fn key(place: usize) -> TokenStream {
        quote!(__Operation<#place>)
    }
}

/// How an operation takes the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    /// `&self`: reads.
    Shared,
    /// `&mut self`: changes.
    Exclusive,
    /// `self`: deletes.
    Value,
}
