//! What a contender prints: JSON, one line each.
//!
//! Begin with [`Line`].

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::GaugeError;

/// One line of a contender's standard output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "the large one is made once in a run")]
pub enum Line {
    /// So many operations are done.
    Done(u64),
    /// The run has ended.
    Measured(Measured),
}

/// What one run of one contender took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How many operations were done.
    pub operations: u64,
    /// How long they took, in seconds.
    pub seconds: f64,
    /// What processor time they took on all threads, in seconds.
    pub cpu_seconds: f64,
    /// The median duration, in milliseconds.
    pub p50_ms: f64,
    /// The duration that one in a hundred exceeds, in milliseconds.
    pub p99_ms: f64,
    /// The most memory the process had, in megabytes.
    pub peak_mb: f64,
    /// What the contender's store promises.
    pub durability: String,
    /// How many operations failed; they are not among `operations`.
    pub failed: u64,
    /// Whether the time limit ended the run: `operations` is then what was done by then.
    pub cut_off: bool,
    /// How many checkpoints shared a sync, if the contender tells.
    pub checkpoints_per_sync: Option<f64>,
    /// `sequence`: what each quarter of the steps took, in seconds.
    pub quarters: Option<[f64; 4]>,
    /// `parked`: how much memory the parked instances added, in megabytes.
    pub added_mb: Option<f64>,
    /// `parked`: from the start of a worker to the output of a new orchestration, in seconds.
    pub ready_seconds: Option<f64>,
    /// `timers`: from the end of the second in which all were due until the last had fired, in seconds.
    pub late_seconds: Option<f64>,
    /// `timers`: orchestrations of `hello` that ran meanwhile, one at a time: how many, their median and the
    /// duration that one in a hundred exceeds, in milliseconds.
    pub meanwhile: Option<(u64, f64, f64)>,
}

impl Measured {
    /// Operations per second.
    pub fn per_second(&self) -> f64 {
        ratio(self.count(), self.seconds)
    }

    /// Microseconds of processor time per operation.
    pub fn cpu_us_per_op(&self) -> f64 {
        ratio(self.cpu_seconds * 1e6, self.count())
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of operations are far below 2^52")]
    fn count(&self) -> f64 {
        self.operations as f64
    }
}

fn ratio(of: f64, to: f64) -> f64 {
    if to > 0.0 { of / to } else { 0.0 }
}

impl Line {
    /// Prints this line to standard output.
    ///
    /// # Errors
    /// When nobody reads it.
    pub fn print(&self) -> Result<(), GaugeError> {
        let text = serde_json::to_string(self).map_err(|error| GaugeError::Print(error.into()))?;
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(GaugeError::Print)
    }
}
