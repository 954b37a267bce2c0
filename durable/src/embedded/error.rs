//! What went wrong inside the store, before it is known for whom.
//!
//! The one place that reads SQLite's error codes. Must not know operations: whoever asked adds what
//! was tried, on what, with [`Trouble::on`].

use std::{error::Error, io};

use rusqlite::ErrorCode;

use crate::{
    history::format::UnreadableEvents,
    provider::{ProviderError, ProviderErrorKind},
};

/// A failure without its circumstances.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: ProviderErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Trouble {
    pub(super) fn new(kind: ProviderErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// What is stored cannot be understood; `place` says where it stands.
    pub(super) fn corrupt(place: impl Into<String>) -> Self {
        Self::new(ProviderErrorKind::Corrupt(place.into()))
    }

    pub(super) fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds what was tried, on what.
    pub(super) fn on(self, operation: &'static str, subject: impl Into<String>) -> ProviderError {
        ProviderError { kind: self.kind, operation, subject: subject.into(), source: self.source }
    }

    /// Names the place where something damaged was met; other troubles stay as they are.
    pub(super) fn at(mut self, place: impl FnOnce() -> String) -> Self {
        if let ProviderErrorKind::Corrupt(found) = &mut self.kind {
            *found = format!("{}: {found}", place());
        }
        self
    }

    /// Whether the next operation would meet the same. On a full disk a small one may still find room.
    pub(super) fn concerns_everything(&self) -> bool {
        matches!(self.kind, ProviderErrorKind::ReadOnly | ProviderErrorKind::Unavailable)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(code) => kind_of(code),
            // Everything rusqlite finds by itself is a value of an unexpected type or form.
            None => ProviderErrorKind::Corrupt("a row has an unexpected form".into()),
        };
        Self::new(kind).caused_by(error)
    }
}

impl From<UnreadableEvents> for Trouble {
    fn from(error: UnreadableEvents) -> Self {
        Self::corrupt("stored events are unreadable").caused_by(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ProviderErrorKind::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                ProviderErrorKind::ReadOnly
            }
            _ => ProviderErrorKind::Unavailable,
        };
        Self::new(kind).caused_by(error)
    }
}

fn kind_of(code: ErrorCode) -> ProviderErrorKind {
    match code {
        ErrorCode::DiskFull => ProviderErrorKind::Full,
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => ProviderErrorKind::ReadOnly,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::SystemIoFailure
        | ErrorCode::CannotOpen
        | ErrorCode::FileLockingProtocolFailed => ProviderErrorKind::Unavailable,
        ErrorCode::DatabaseCorrupt => ProviderErrorKind::Corrupt("the file is damaged".into()),
        ErrorCode::NotADatabase => ProviderErrorKind::Corrupt("the file is no SQLite database".into()),
        _ => ProviderErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    fn kind(code: i32) -> ProviderErrorKind {
        Trouble::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)).kind
    }

    #[test]
    fn what_sqlite_reports_becomes_a_kind_that_says_what_to_do() {
        assert_eq!(kind(ffi::SQLITE_FULL), ProviderErrorKind::Full);
        assert_eq!(kind(ffi::SQLITE_READONLY), ProviderErrorKind::ReadOnly);
        assert_eq!(kind(ffi::SQLITE_BUSY), ProviderErrorKind::Unavailable);
        assert_eq!(kind(ffi::SQLITE_IOERR), ProviderErrorKind::Unavailable);
        assert!(matches!(kind(ffi::SQLITE_CORRUPT), ProviderErrorKind::Corrupt(_)));
        assert!(matches!(kind(ffi::SQLITE_NOTADB), ProviderErrorKind::Corrupt(_)));
    }

    #[test]
    fn damage_is_reported_with_its_place() {
        let trouble = Trouble::corrupt("row 3").at(|| "instance `a`".into());
        assert_eq!(trouble.kind, ProviderErrorKind::Corrupt("instance `a`: row 3".into()));
        let trouble = Trouble::new(ProviderErrorKind::Full).at(|| "instance `a`".into());
        assert_eq!(trouble.kind, ProviderErrorKind::Full);
    }
}
