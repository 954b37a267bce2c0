//! Measures one run from its start to its end.
//!
//! Begin with [`Gauge::start`].

use std::time::Duration;

use crate::{GaugeError, Measured, Spread, Stopwatch, cpu_time, peak_memory};

/// A run under way.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    watch: Stopwatch,
    cpu: Duration,
}

impl Gauge {
    /// Starts measuring now.
    ///
    /// # Errors
    /// When the system does not tell what this process uses.
    pub fn start() -> Result<Self, GaugeError> {
        Ok(Self { cpu: cpu_time()?, watch: Stopwatch::start() })
    }

    /// The clock of the run.
    pub fn watch(&self) -> Stopwatch {
        self.watch
    }

    /// Ends measuring now: `operations` were done.
    ///
    /// # Errors
    /// When the system does not tell what this process uses.
    pub fn finish(&self, operations: u64) -> Result<Measured, GaugeError> {
        let (seconds, cpu) = (self.watch.elapsed().as_secs_f64(), cpu_time()? - self.cpu);
        Ok(Measured {
            operations,
            seconds,
            cpu_seconds: cpu.as_secs_f64(),
            p50_ms: 0.0,
            p99_ms: 0.0,
            peak_mb: peak_memory()?,
            durability: String::new(),
            failed: 0,
            cut_off: false,
            checkpoints_per_sync: None,
            quarters: None,
            added_mb: None,
            ready_seconds: None,
            late_seconds: None,
            meanwhile: None,
        })
    }
}

impl Measured {
    /// The same with the percentiles of `times`.
    #[must_use]
    pub fn with_times(mut self, times: &Spread) -> Self {
        self.p50_ms = times.percentile(50).as_secs_f64() * 1e3;
        self.p99_ms = times.percentile(99).as_secs_f64() * 1e3;
        self
    }
}
