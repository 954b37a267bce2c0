//! The progress digest: 64 bits of what user code observed, in the order it observed it.
//!
//! Written with every checkpoint and compared when that episode is replayed. It notices races whose
//! winner changed although no action did.

/// A running hash of observations. Its mixing is part of the stored format: never change it, add
/// another beside it under a new [`BEHAVIOUR`](crate::history::BEHAVIOUR).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(u64);

/// What user code can observe.
#[derive(Debug, Clone, Copy)]
pub(super) enum Observation {
    /// The result of the action with this number.
    Task(i32),
    /// The external event that arrived as this one of the execution, counted from 0.
    Event(u64),
    /// The value drawn from the execution's counter at this point.
    Drawn(u64),
}

impl Digest {
    pub(super) const START: Self = Self(0x6475_7261_626c_6531);

    pub(super) fn observe(&mut self, observation: Observation) {
        let (kind, value) = match observation {
            Observation::Task(id) => (1, u64::from(id.cast_unsigned())),
            Observation::Event(arrival) => (2, arrival),
            Observation::Drawn(count) => (3, count),
        };
        self.mix(kind << 60 ^ value);
    }

    pub(super) fn mix(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }

    pub(super) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_depends_on_order_and_never_changes() {
        let of = |observations: &[Observation]| {
            let mut digest = Digest::START;
            observations.iter().for_each(|&seen| digest.observe(seen));
            digest.value()
        };
        let (a, b) = (Observation::Task(1), Observation::Event(1));
        assert_ne!(of(&[a, b]), of(&[b, a]));
        assert_eq!(of(&[a, b, Observation::Drawn(7)]), GOLDEN, "histories written by others hold this value");
    }

    const GOLDEN: u64 = 15_051_416_647_255_458_845;
}
