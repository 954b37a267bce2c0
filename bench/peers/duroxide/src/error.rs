//! What can go wrong while duroxide is measured.

use durable_bench_gauge::{GaugeError, Workload};

/// A run that gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The job or the measuring.
    #[error(transparent)]
    Gauge(#[from] GaugeError),
    /// duroxide's store.
    #[error("duroxide's store failed")]
    Store(#[from] sqlx::Error),
    /// duroxide's client.
    #[error("{asked} of `{instance}` failed on duroxide: {reason}")]
    Client {
        /// What was asked of it.
        asked: &'static str,
        /// About which instance.
        instance: String,
        /// duroxide's own words.
        reason: String,
    },
    /// What came out is not what must.
    #[error("`{instance}` gave `{found}` instead of `{expected}`")]
    Wrong {
        /// Which instance.
        instance: String,
        /// What it gave.
        found: String,
        /// What it must give.
        expected: String,
    },
    /// A workload it cannot run.
    #[error("duroxide cannot run `{0}`: a running activity holds one of its pollers of the store")]
    NotHere(Workload),
}
