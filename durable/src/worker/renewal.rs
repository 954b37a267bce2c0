//! Keeps the locks of work items that take long, for stores whose locks run out (R3:BIND-8).

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::Host;
use crate::provider::LockToken;

/// The locks of the items that are being worked on.
#[derive(Debug, Default)]
pub(super) struct HeldLocks(Mutex<BTreeSet<LockToken>>);

impl HeldLocks {
    pub(super) fn hold(&self, lock: LockToken) {
        self.lock().insert(lock);
    }

    pub(super) fn release(&self, lock: LockToken) {
        self.lock().remove(&lock);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<LockToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews every held lock three times while it lasts, until the task is aborted.
pub(super) async fn run(host: Arc<Host>, lasts: Duration) {
    let mut rounds = tokio::time::interval(lasts / 3);
    loop {
        rounds.tick().await;
        let held: Vec<_> = host.locks.lock().iter().copied().collect();
        for lock in held {
            if let Err(error) = host.provider.renew(lock).await {
                tracing::warn!(%error, "a lock could not be renewed; its item may run twice");
            }
        }
    }
}
