//! The one place that reads the machine's clock.
//!
//! Everything else gets time as an argument, or holds a [`Clock`] and passes on what it reads.

use crate::model::Timestamp;

/// Where a provider and a worker read the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now. Never earlier than an answer before.
    fn now(&self) -> Timestamp;

    /// Asks a clock that is not the world's to be at `due`, because nothing is left to do until
    /// then. `false`, and no effect, from a clock that cannot be moved.
    fn skip_to(&self, due: Timestamp) -> bool {
        let _ = due;
        false
    }

    /// Whether [`skip_to`](Self::skip_to) may have an effect now. May change at any time: a clock
    /// for tests lets time pass only while somebody waits.
    fn can_skip(&self) -> bool {
        false
    }
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(jiff::Timestamp::now().as_microsecond())
    }
}
