//! A clock that can be moved ahead: what is due in a day need not be waited for.
//!
//! Otherwise it is the machine's. Begin with [`MovableClock::move_to`].

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use durable::{
    clock::{Clock, SystemClock},
    model::Timestamp,
};

/// The machine's clock, ahead of the world's by as much as it was moved.
#[derive(Debug, Default)]
pub(super) struct MovableClock {
    ahead_us: AtomicU64,
}

impl MovableClock {
    /// From now on it goes on from `time`, which must not be past.
    pub(super) fn move_to(&self, time: Timestamp) {
        let more = time.duration_since(self.now()).as_micros();
        self.ahead_us.fetch_add(u64::try_from(more).unwrap_or(0), Ordering::Relaxed);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().saturating_add(Duration::from_micros(self.ahead_us.load(Ordering::Relaxed)))
    }
}
