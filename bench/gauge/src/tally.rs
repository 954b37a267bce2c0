//! How many operations are done.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts operations from any thread. Starts at zero.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// Nothing is done yet.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more is done; gives how many are.
    pub fn add(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Forgets what was done, as after a warm-up.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// How many are done.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
