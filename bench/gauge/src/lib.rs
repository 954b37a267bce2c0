//! What the benchmark and its peers share: the workloads, the measuring, the words results travel in.
//!
//! Knows no engine: every contender is a process of its own that is given a [`Job`] as arguments, and
//! prints [`Line`]s. So that all are measured by the same code, peers depend on this crate from
//! their own workspaces. Begin with [`Job`], then [`Gauge`].

mod clock;
mod disk;
mod error;
mod gauge;
mod job;
mod line;
mod pulse;
mod spread;
mod stamps;
mod tally;
mod usage;
mod workload;

pub use clock::Stopwatch;
pub use disk::sync_times;
pub use error::GaugeError;
pub use gauge::Gauge;
pub use job::{Durability, Job, Stage};
pub use line::{Line, Measured};
pub use pulse::Pulse;
pub use spread::Spread;
pub use stamps::Stamps;
pub use tally::Tally;
pub use usage::{cpu_time, peak_memory, resident_memory};
pub use workload::{Workload, hello};
