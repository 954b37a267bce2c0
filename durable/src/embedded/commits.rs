//! How many checkpoints share a transaction, for whoever measures.
//!
//! Counts only; must not decide anything. Begin with [`Commits`].

use std::sync::atomic::{AtomicU64, Ordering};

/// What a provider has committed since it was opened: what group commit makes of the work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commits {
    /// Transactions that held at least one write. With `Durability::Full` each waits for the disk once.
    pub transactions: u64,
    /// Checkpoints of episodes in them; starts and messages from clients are not among these.
    pub checkpoints: u64,
}

/// Counts what the writer commits.
#[derive(Debug, Default)]
pub(super) struct CommitCounter {
    transactions: AtomicU64,
    checkpoints: AtomicU64,
}

impl CommitCounter {
    /// One transaction was committed: of how many writes, and how many of them were checkpoints.
    pub(super) fn count(&self, writes: usize, checkpoints: usize) {
        self.transactions.fetch_add(u64::from(writes > 0), Ordering::Relaxed);
        self.checkpoints.fetch_add(checkpoints as u64, Ordering::Relaxed);
    }

    /// What was committed so far.
    pub(super) fn so_far(&self) -> Commits {
        Commits {
            transactions: self.transactions.load(Ordering::Relaxed),
            checkpoints: self.checkpoints.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_only_looked_is_not_counted() {
        let counter = CommitCounter::default();
        counter.count(0, 0);
        assert_eq!(counter.so_far(), Commits::default());
    }
}
