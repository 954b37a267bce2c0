//! How often, and how long apart, a failed call is tried again.
//!
//! A value and a pure function of it: who tries, and who waits, is the engine's. Must not know time,
//! chance or history; both come in as arguments. Begin with [`RetryPolicy`].

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use super::Failure;

/// Which attempt of how many a call is; 1 of 1 without a retry policy (R2:ERR-9, ERR-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first call.
    pub number: u32,
    /// The most attempts that the policy allows.
    pub of: u32,
}

impl Attempt {
    /// The only attempt of a call that is not tried again.
    pub const ONLY: Self = Self { number: 1, of: 1 };

    /// Whether no other attempt came before it, and none may follow.
    pub const fn is_only(&self) -> bool {
        self.number == 1 && self.of == 1
    }
}

impl Default for Attempt {
    fn default() -> Self {
        Self::ONLY
    }
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attempt {} of {}", self.number, self.of)
    }
}

type Predicate = dyn Fn(&Failure, u32) -> bool + Send + Sync;

/// When a failed call is tried again: `ctx.call(charge::with(order).retry(policy))` (R2:ERR-6, ERR-7).
///
/// ```
/// use std::time::Duration;
/// use durable::model::RetryPolicy;
///
/// // At once, then after 1 s, 2 s, 4 s; the last failure is the caller's.
/// let policy = RetryPolicy::new(4, Duration::from_secs(1)).backoff(2.0);
/// assert_eq!(policy.next_delay(3, Duration::ZERO, 0), Some(Duration::from_secs(4)));
/// assert_eq!(policy.next_delay(4, Duration::ZERO, 0), None);
/// ```
///
/// A failure that no retry can cure ([`Failure::is_retriable`]) is never tried again. Delays are durable
/// timers and every attempt is a call of its own in the history, so that both survive a crash
/// (R2:ERR-15). To change the policy of a call is to change the orchestrator's code: instances that are
/// in the midst of retries may no longer fit their history.
#[derive(Clone)]
pub struct RetryPolicy {
    max_attempts: u32,
    first_interval: Duration,
    backoff: f64,
    max_interval: Duration,
    total_timeout: Duration,
    jitter: f64,
    predicate: Option<Arc<Predicate>>,
}

impl RetryPolicy {
    /// At most `max_attempts` calls, the first one included (R2:ERR-8, ERR-9), each `first_interval`
    /// after the failure of the one before (R2:ERR-10). With 1 there is no retry; 0 counts as 1.
    pub fn new(max_attempts: u32, first_interval: Duration) -> Self {
        Self {
            max_attempts,
            first_interval,
            backoff: 1.0,
            max_interval: Duration::MAX,
            total_timeout: Duration::MAX,
            jitter: 0.0,
            predicate: None,
        }
    }

    /// Multiplies the interval by `coefficient` after each attempt (R2:ERR-11). Default 1: it stays the
    /// same. Less than 1, and what is no number, counts as 1.
    #[must_use]
    pub fn backoff(mut self, coefficient: f64) -> Self {
        self.backoff = coefficient.max(1.0);
        self
    }

    /// The longest wait between two attempts (R2:ERR-12). Default: none.
    #[must_use]
    pub fn max_interval(mut self, interval: Duration) -> Self {
        self.max_interval = interval;
        self
    }

    /// No attempt is begun once more than `timeout` has passed since the first one began, as seen by the
    /// orchestrator when it looks at the failure (R2:ERR-13, ERR-14). Default: none. An attempt that runs
    /// is not ended by it; that is what `.timeout(..)` of the call is for.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = timeout;
        self
    }

    /// Shortens each wait by a random part of itself, up to `fraction` of it, so that calls that failed
    /// together are not all tried again together. Default 0; from 0 to 1, beyond that the nearest of
    /// these. The orchestrator's own random numbers are used: the same ones on every replay.
    #[must_use]
    pub fn jitter(mut self, fraction: f64) -> Self {
        // The maximum first: it makes 0 of what is no number.
        self.jitter = fraction.max(0.0).clamp(0.0, 1.0);
        self
    }

    /// Tries again only while `predicate(&failure, attempt)` says so; `attempt` is 1 for the first call
    /// (R2:ERR-16 to ERR-19). All other limits stay. The last predicate set is the one that counts.
    ///
    /// It runs inside the orchestrator, also on replay, and maybe several times for one failure: it must
    /// decide by its arguments alone, and have no effect (R2:ERR-20).
    #[must_use]
    pub fn retry_if(mut self, predicate: impl Fn(&Failure, u32) -> bool + Send + Sync + 'static) -> Self {
        self.predicate = Some(Arc::new(predicate));
        self
    }

    /// The most attempts there are, the first one included; at least 1.
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts.max(1)
    }

    /// How long to wait after `attempt` (1 is the first call) has failed, `elapsed` after the first one
    /// began; `None` when it was the last one. `draw` is 64 random bits; unused without jitter
    /// (R2:ERR-14). Does not ask the predicate: see [`allows`](Self::allows).
    pub fn next_delay(&self, attempt: u32, elapsed: Duration, draw: u64) -> Option<Duration> {
        if attempt >= self.max_attempts || elapsed > self.total_timeout {
            return None;
        }
        let grown = self.first_interval.as_secs_f64() * power(self.backoff, attempt.saturating_sub(1));
        // No duration is as long as what does not fit; `NaN` comes of nothing times infinity.
        let grown =
            if grown.is_nan() { Some(Duration::ZERO) } else { Duration::try_from_secs_f64(grown).ok() };
        let delay = grown.unwrap_or(Duration::MAX).min(self.max_interval);
        if self.jitter == 0.0 {
            return Some(delay);
        }
        let kept = 1.0 - self.jitter * unit(draw);
        Some(Duration::try_from_secs_f64(delay.as_secs_f64() * kept).unwrap_or(delay))
    }

    /// Whether `failure` of this attempt may be followed by another one, as far as the failure and the
    /// predicate say.
    pub fn allows(&self, failure: &Failure, attempt: u32) -> bool {
        failure.is_retriable() && self.predicate.as_ref().is_none_or(|predicate| predicate(failure, attempt))
    }

    /// Whether waits are shortened by chance.
    pub(crate) fn has_jitter(&self) -> bool {
        self.jitter > 0.0
    }
}

/// `base` to the power of `exponent`, by multiplications only: they give the same bits on every machine,
/// which `f64::powi` does not promise, and timers must be the same on replay.
fn power(base: f64, exponent: u32) -> f64 {
    let (mut result, mut square, mut left) = (1.0, base, exponent);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}

/// The bits as a number from 0 up to, and not including, 1.
fn unit(draw: u64) -> f64 {
    let bits = u32::try_from(draw >> 32).unwrap_or(u32::MAX);
    f64::from(bits) / (f64::from(u32::MAX) + 1.0)
}

impl fmt::Debug for RetryPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("max_attempts", &self.max_attempts)
            .field("first_interval", &self.first_interval)
            .field("backoff", &self.backoff)
            .field("max_interval", &self.max_interval)
            .field("total_timeout", &self.total_timeout)
            .field("jitter", &self.jitter)
            .field("has_predicate", &self.predicate.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn delays(policy: &RetryPolicy, draw: u64) -> Vec<f64> {
        (1..)
            .map_while(|attempt| policy.next_delay(attempt, Duration::ZERO, draw))
            .map(|d| d.as_secs_f64())
            .collect()
    }

    // R2:ERR-8, R2:ERR-9, R2:ERR-10
    #[test]
    fn attempts_count_the_first_call_and_the_interval_stays() {
        assert_eq!(delays(&RetryPolicy::new(3, 5 * SECOND), 0), [5.0, 5.0]);
        assert!(delays(&RetryPolicy::new(1, SECOND), 0).is_empty());
        assert!(delays(&RetryPolicy::new(0, SECOND), 0).is_empty());
    }

    // R2:ERR-11, R2:ERR-12, R2:ERR-14
    #[test]
    fn the_interval_grows_up_to_the_longest_one() {
        let policy = RetryPolicy::new(6, SECOND).backoff(3.0);
        assert_eq!(delays(&policy, 0), [1.0, 3.0, 9.0, 27.0, 81.0]);
        assert_eq!(delays(&policy.max_interval(10 * SECOND), 0), [1.0, 3.0, 9.0, 10.0, 10.0]);
        assert_eq!(delays(&RetryPolicy::new(3, 5 * SECOND).max_interval(SECOND), 0), [1.0, 1.0]);
    }

    // R2:ERR-13, R2:ERR-14
    #[test]
    fn no_attempt_begins_after_the_total_timeout() {
        let policy = RetryPolicy::new(9, SECOND).total_timeout(60 * SECOND);
        assert_eq!(policy.next_delay(1, 60 * SECOND, 0), Some(SECOND));
        assert_eq!(policy.next_delay(1, 60 * SECOND + Duration::from_micros(1), 0), None);
    }

    #[test]
    fn jitter_only_shortens_and_by_no_more_than_its_fraction() {
        let policy = RetryPolicy::new(2, 10 * SECOND).jitter(0.5);
        assert_eq!(delays(&policy, 0), [10.0]);
        assert_eq!(delays(&policy, 1 << 63), [7.5]);
        assert!(delays(&policy, u64::MAX)[0] > 5.0);
        assert_eq!(delays(&RetryPolicy::new(2, 10 * SECOND).jitter(9.0), 1 << 63), [5.0]);
    }

    #[test]
    fn what_makes_no_sense_does_no_harm() {
        let odd = |coefficient: f64| delays(&RetryPolicy::new(3, SECOND).backoff(coefficient), 0);
        assert_eq!(odd(f64::NAN), [1.0, 1.0]);
        assert_eq!(odd(-2.0), [1.0, 1.0]);
        assert_eq!(odd(f64::INFINITY), [1.0, Duration::MAX.as_secs_f64()]);
        let none = RetryPolicy::new(u32::MAX, Duration::ZERO).backoff(f64::INFINITY).jitter(f64::NAN);
        assert_eq!(none.next_delay(u32::MAX - 1, Duration::ZERO, 7), Some(Duration::ZERO));
        let long = RetryPolicy::new(3, Duration::MAX).backoff(2.0).jitter(0.5);
        assert!(long.next_delay(2, Duration::ZERO, 0) > Some(SECOND));
    }

    // R2:ERR-17, R2:ERR-18
    #[test]
    fn the_predicate_sees_failure_and_attempt_and_never_what_cannot_be_cured() {
        let policy = RetryPolicy::new(9, SECOND)
            .retry_if(|failure, attempt| failure.message() == "busy" && attempt < 3);
        assert!(policy.allows(&"busy".into(), 2));
        assert!(!policy.allows(&"busy".into(), 3));
        assert!(!policy.allows(&"gone".into(), 1));
        assert!(!policy.allows(&Failure::new("busy").non_retriable(), 1));
    }
}
