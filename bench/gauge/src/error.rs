//! What can go wrong while measuring.

use std::{io, path::PathBuf};

/// A measurement that could not be made, or a job that is not one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GaugeError {
    /// The system did not say what this process uses.
    #[error("reading the {what} of this process failed")]
    Usage {
        /// Processor time or memory.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The system's answer lacks a field.
    #[error("`/proc/self/status` has no `{field}`: memory can be measured on Linux only")]
    NoField {
        /// The line that was looked for.
        field: &'static str,
    },
    /// The disk could not be measured.
    #[error("measuring fdatasync with `{path}` failed: choose a writable folder with `--dir`")]
    Disk {
        /// The file that was appended to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A word of the command line means nothing here.
    #[error("`{word}` is not {expected}")]
    Word {
        /// What was given.
        word: String,
        /// What would have been understood.
        expected: String,
    },
    /// The result could not be handed over.
    #[error("printing the result failed")]
    Print(#[source] io::Error),
}
