//! When each step of a sequence was taken.
//!
//! The steps of one instance run one after the other, so that the gaps between their stamps are what a step
//! costs, and quarters show whether later steps cost more.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{Spread, Stopwatch};

/// The moments at which steps were taken, since a common start.
#[derive(Debug, Default)]
pub struct Stamps(Mutex<Vec<Duration>>);

impl Stamps {
    /// Without a step.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// A step was taken just now.
    pub fn mark(&self, since: Stopwatch) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(since.elapsed());
    }

    /// When the last step was taken; zero before the first.
    pub fn last(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).last().copied().unwrap_or_default()
    }

    /// What each step took.
    pub fn gaps(&self) -> Spread {
        let stamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let befores = std::iter::once(Duration::ZERO).chain(stamps.iter().copied());
        stamps.iter().zip(befores).map(|(at, before)| at.saturating_sub(before)).collect()
    }

    /// What each quarter of the steps took, in seconds; `None` with fewer than four steps.
    pub fn quarters(&self) -> Option<[f64; 4]> {
        let stamps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        quarters(&stamps)
    }
}

fn quarters(stamps: &[Duration]) -> Option<[f64; 4]> {
    let end = |quarter: usize| match quarter * stamps.len() / 4 {
        0 => Duration::ZERO,
        last => stamps[last - 1],
    };
    (stamps.len() >= 4).then(|| [1, 2, 3, 4].map(|quarter| (end(quarter) - end(quarter - 1)).as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_of_a_steady_sequence_are_alike() {
        let steady: Vec<_> = (1..=8).map(Duration::from_secs).collect();
        assert_eq!(quarters(&steady), Some([2.0; 4]));
    }

    #[test]
    fn quarters_of_a_slowing_sequence_grow() {
        let slowing = [1, 3, 6, 10].map(Duration::from_secs);
        assert_eq!(quarters(&slowing), Some([1.0, 2.0, 3.0, 4.0]));
        assert_eq!(quarters(&slowing[..3]), None);
    }
}
