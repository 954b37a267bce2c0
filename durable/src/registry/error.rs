//! What can be wrong with a set of functions.

use std::fmt;

use super::FunctionKind;
use crate::model::{FunctionName, FunctionVersion};

/// Two functions claim the same name; history could not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", Lines(.duplicates))]
pub struct RegistryError {
    duplicates: Vec<Duplicate>,
}

impl RegistryError {
    pub(super) fn new(duplicates: Vec<Duplicate>) -> Self {
        Self { duplicates }
    }

    /// Every clash, in the order of the names.
    pub fn duplicates(&self) -> &[Duplicate] {
        &self.duplicates
    }
}

/// One name that two functions of a kind have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    /// The kind of both.
    pub kind: FunctionKind,
    /// The name of both.
    pub name: FunctionName,
    /// The version of both.
    pub version: Option<FunctionVersion>,
    /// Where one is defined, as `file:line`.
    pub first: String,
    /// Where the other is defined.
    pub second: String,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, version, first, second } = self;
        write!(f, "two {} are called `{name}`", kind.plural())?;
        if let Some(version) = version {
            write!(f, " in version `{version}`")?;
        }
        write!(
            f,
            ", at {first} and at {second}: give one of them another `name = \"..\"` or `version = \"..\"`"
        )
    }
}

struct Lines<'a>(&'a [Duplicate]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, duplicate) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{duplicate}")?;
        }
        Ok(())
    }
}
