//! Time that passes only when somebody moves it.
//!
//! Begin with [`VirtualClock`].

use std::{
    sync::atomic::{AtomicI64, AtomicUsize, Ordering},
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
pub struct VirtualClock {
    microseconds: AtomicI64,
    /// How many let time pass just now; a store may move the clock while there is one.
    passing: AtomicUsize,
}

/// 2026-01-01T00:00:00Z.
const BEGINNING: i64 = 1_767_225_600_000_000;

impl VirtualClock {
    /// A clock that stands at the beginning of 2026, and that a store may move.
    pub const fn new() -> Self {
        Self { microseconds: AtomicI64::new(BEGINNING), passing: AtomicUsize::new(1) }
    }

    /// A clock that stands at `time`, and that a store may move.
    pub fn at(time: Timestamp) -> Self {
        let microseconds = AtomicI64::new(time.as_microseconds());
        Self { microseconds, ..Self::new() }
    }

    /// The same clock, which a store may move only while somebody lets time [`pass`](Self::pass).
    #[must_use]
    pub fn standing_still(self) -> Self {
        Self { passing: AtomicUsize::new(0), ..self }
    }

    /// Lets a store move the clock until the answer is dropped.
    pub fn pass(&self) -> Passing<'_> {
        self.passing.fetch_add(1, Ordering::AcqRel);
        Passing(self)
    }

    /// Moves it on by `duration`.
    pub fn advance(&self, duration: Duration) {
        self.advance_to(self.now().saturating_add(duration));
    }

    fn advance_to(&self, time: Timestamp) {
        self.microseconds.fetch_max(time.as_microseconds(), Ordering::AcqRel);
    }
}

/// While it lives, time may pass.
#[derive(Debug)]
#[must_use = "time stands still again when this is dropped"]
pub struct Passing<'a>(&'a VirtualClock);

impl Drop for Passing<'_> {
    fn drop(&mut self) {
        self.0.passing.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.microseconds.load(Ordering::Acquire))
    }

    /// Moves it to `due`, never back, if time may pass. What is due at the end of time is never due.
    fn skip_to(&self, due: Timestamp) -> bool {
        let skips = self.can_skip() && due != Timestamp::MAX;
        if skips {
            self.advance_to(due);
        }
        skips
    }

    fn can_skip(&self) -> bool {
        self.passing.load(Ordering::Acquire) > 0
    }
}
