//! Many durations, and the ones in the middle and near the end.

use std::time::Duration;

/// Durations of which percentiles are asked.
#[derive(Debug, Clone, Default)]
pub struct Spread(Vec<Duration>);

impl Spread {
    /// Adds one.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// The smallest duration that is not below `percent` percent of all (nearest rank); zero if
    /// there is none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl FromIterator<Duration> for Spread {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        Self(durations.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let spread: Spread = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(spread.percentile(50), Duration::from_millis(100));
        assert_eq!(spread.percentile(99), Duration::from_millis(198));
        assert_eq!(spread.percentile(100), Duration::from_millis(200));
    }

    #[test]
    fn one_duration_is_every_percentile_and_none_is_zero() {
        let one: Spread = [Duration::from_millis(7)].into_iter().collect();
        assert_eq!(
            (one.percentile(50), one.percentile(99)),
            (Duration::from_millis(7), Duration::from_millis(7))
        );
        assert_eq!(Spread::default().percentile(50), Duration::ZERO);
    }
}
