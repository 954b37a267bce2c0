//! Time that passes only when somebody moves it.
//!
//! Begin with [`VirtualClock`].

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use durable::{clock::Clock, model::Timestamp};

/// A clock that stands still until it is moved: by a store that has nothing left to do before the
/// next due thing, or by hand.
///
/// ```
/// use std::time::Duration;
///
/// use durable::clock::Clock;
/// use durable_testkit::VirtualClock;
///
/// let clock = VirtualClock::new();
/// assert_eq!(clock.now().to_string(), "2026-01-01T00:00:00Z");
/// clock.advance(Duration::from_secs(86_400));
/// assert_eq!(clock.now().to_string(), "2026-01-02T00:00:00Z");
/// ```
#[derive(Debug)]
pub struct VirtualClock(AtomicI64);

/// 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600_000_000;

impl VirtualClock {
    /// A clock that stands at the beginning of 2026.
    pub const fn new() -> Self {
        Self(AtomicI64::new(BEGINNING))
    }

    /// A clock that stands at `time`.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_microseconds()))
    }

    /// Moves it on by `duration`.
    pub fn advance(&self, duration: Duration) {
        self.skip_to(self.now().saturating_add(duration));
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::Acquire))
    }

    /// Moves it to `due`, never back. A thing that is due at the end of time is never due.
    fn skip_to(&self, due: Timestamp) -> bool {
        if due == Timestamp::MAX {
            return false;
        }
        self.0.fetch_max(due.as_microseconds(), Ordering::AcqRel);
        true
    }
}
