//! What can go wrong with a store.

use std::{error::Error, fmt};

/// What was tried on what, why it failed, and what led to it.
///
/// Whether trying again can help follows from the kind.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{subject}`: {kind}")]
pub struct ProviderError {
    /// What sort of failure it is.
    pub kind: ProviderErrorKind,
    /// What was tried, as a verb: `"open"`, `"start"`, `"read the history of"`.
    pub operation: &'static str,
    /// What it was tried on: an instance id, a file.
    pub subject: String,
    /// What led to it.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// What sort of failure it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// No such instance in this hub.
    NotFound,
    /// The instance has ended.
    Ended,
    /// The instance has not ended.
    NotEnded,
    /// A live instance has this id already, or any has and reuse was ruled out.
    AlreadyExists,
    /// Another worker took the work item: whatever was done with it must be thrown away.
    LockLost,
    /// Somebody else holds the hub; the text says who.
    Held(String),
    /// The store is busy or cannot be reached for now.
    Unavailable,
    /// The store cannot be written.
    ReadOnly,
    /// The store has no room left.
    Full,
    /// What is stored is damaged; the text says where.
    Corrupt(String),
    /// What is stored was written by a version that this one does not know, or knows no longer.
    UnknownFormat {
        /// The format's number in the store.
        found: u32,
        /// The newest number that this version reads.
        known: u32,
    },
    /// A page token is damaged, or was made for another filter or by another store.
    BadPageToken,
    /// The provider has been shut down.
    Closed,
    /// The address of a hub is not well-formed; the text says what is expected.
    BadAddress(String),
    /// Something else; the cause says what.
    Other,
}

impl ProviderErrorKind {
    /// Whether the same call may succeed later without anybody's doing.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable | Self::Full => true,
            Self::NotFound
            | Self::Ended
            | Self::NotEnded
            | Self::AlreadyExists
            | Self::LockLost
            | Self::Held(_)
            | Self::ReadOnly
            | Self::Corrupt(_)
            | Self::UnknownFormat { .. }
            | Self::BadPageToken
            | Self::Closed
            | Self::BadAddress(_)
            | Self::Other => false,
        }
    }
}

impl fmt::Display for ProviderErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such instance"),
            Self::Ended => f.write_str("the instance has ended"),
            Self::NotEnded => {
                f.write_str("the instance has not ended; wait until it has, or terminate it first")
            }
            Self::AlreadyExists => {
                f.write_str("an instance with this id exists; choose another id, or wait until it has ended")
            }
            Self::LockLost => f.write_str("another worker took the work item"),
            Self::Held(holder) => write!(f, "{holder}; stop it first, or open the hub as a client only"),
            Self::Unavailable => f.write_str("the store is busy or out of reach; try again"),
            Self::ReadOnly => f.write_str("the store is read-only; check the permissions of file and folder"),
            Self::Full => f.write_str("the store is full; make room, nothing acknowledged is lost"),
            Self::Corrupt(place) => write!(f, "the store is damaged: {place}; restore it from a copy"),
            Self::UnknownFormat { found, known } if found < known => write!(
                f,
                "it has format {found} of a version before the first release, and this version of `durable` reads \
                 {known}; finish what is in it with the version that wrote it, and begin a new one"
            ),
            Self::UnknownFormat { found, known } => write!(
                f,
                "it has format {found}, and this version of `durable` reads up to {known}; use a newer version"
            ),
            Self::BadPageToken => f.write_str(
                "the page token is not one of this query; begin without one, and keep the filter from page to page",
            ),
            Self::Closed => f.write_str("the hub has been closed"),
            Self::BadAddress(expected) => f.write_str(expected),
            Self::Other => f.write_str("the store refused"),
        }
    }
}

impl ProviderError {
    /// A failure without a cause.
    pub fn new(kind: ProviderErrorKind, operation: &'static str, subject: impl Into<String>) -> Self {
        Self { kind, operation, subject: subject.into(), source: None }
    }

    /// Adds what led to it.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }
}
