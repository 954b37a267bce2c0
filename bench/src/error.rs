//! What can go wrong while comparing.

use std::{error::Error, io, path::PathBuf, process::ExitStatus};

use durable_bench_gauge::GaugeError;

/// A comparison that gave no figures.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// The command line.
    #[error("{reason}; see `--help`")]
    Arguments {
        /// What is wrong with which word.
        reason: String,
    },
    /// The measuring.
    #[error(transparent)]
    Gauge(#[from] GaugeError),
    /// Our own side.
    #[error("`durable` failed")]
    Durable(#[from] durable::Error),
    /// What came out is not what must.
    #[error("`{instance}` gave {found} instead of {expected}")]
    Wrong {
        /// Which instance.
        instance: String,
        /// What it gave.
        found: String,
        /// What it must give.
        expected: String,
    },
    /// The peer could not be built.
    #[error("building `{peer}` with `{command}` failed: {status}")]
    Build {
        /// Which peer.
        peer: &'static str,
        /// What was run.
        command: String,
        /// How that ended.
        status: ExitStatus,
    },
    /// A contender gave no figures.
    #[error("`{contender}` ended without a result ({status}): its own words are above")]
    NoResult {
        /// Which one.
        contender: String,
        /// How its process ended.
        status: ExitStatus,
    },
    /// A contender printed something else than its lines.
    #[error("`{contender}` printed `{line}`, which is no line of a contender")]
    Line {
        /// Which one.
        contender: String,
        /// What it printed.
        line: String,
        /// Why it is none.
        source: serde_json::Error,
    },
    /// The system refused.
    #[error("{tried} `{subject}` failed")]
    System {
        /// What was tried.
        tried: &'static str,
        /// On what.
        subject: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The result cannot be written.
    #[error("writing the result as JSON failed")]
    Json(#[source] serde_json::Error),
    /// The result cannot be printed.
    #[error("printing the result failed")]
    Print(#[source] io::Error),
}

impl BenchError {
    /// The message and those of its causes, one line each.
    pub(crate) fn with_causes(&self) -> String {
        let mut text = format!("error: {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!("\n  because: {error}"));
            cause = error.source();
        }
        text
    }

    /// Turns an error of the system into one that says what was `tried` on what.
    pub(crate) fn system(tried: &'static str, subject: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let subject = subject.into();
        move |source| Self::System { tried, subject, source }
    }
}
