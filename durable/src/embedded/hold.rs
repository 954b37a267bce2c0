//! One worker for each file: a lock that the operating system gives back when a process dies.
//!
//! Must not know the database. The lock's file says who holds it, for whoever is refused.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

use super::error::Trouble;
use crate::{model::Timestamp, provider::ProviderErrorKind};

/// The right to work a hub; given back when dropped.
#[derive(Debug)]
pub(super) struct Hold(File);

impl Hold {
    /// Takes the lock at `path`, and leaves a note of who has it since when.
    pub(super) fn take(path: &Path, since: Timestamp) -> Result<Self, Trouble> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Trouble::new(ProviderErrorKind::Held(note(&mut file))));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        write!(file, "process {} has worked this hub since {since}", std::process::id())?;
        Ok(Self(file))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // A stale note does no harm: it is read only while somebody has the lock.
        let _ = self.0.set_len(0);
        let _ = self.0.unlock();
    }
}

fn note(file: &mut File) -> String {
    let mut note = String::new();
    match file.read_to_string(&mut note) {
        Ok(length) if length > 0 => note,
        _ => "another process works this hub".into(),
    }
}
