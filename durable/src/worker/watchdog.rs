//! Says so when an orchestrator computes or blocks instead of waiting (R2:PERF-4).

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::Host;
use crate::model::{InstanceId, Timestamp};

/// How long a poll may take unremarked.
const PATIENCE: Duration = Duration::from_secs(5);

/// What each orchestrator thread does now, and since when.
#[derive(Debug)]
pub(super) struct Watchdog(Vec<Mutex<Option<Busy>>>);

#[derive(Debug, Clone)]
struct Busy {
    instance: InstanceId,
    since: Timestamp,
    was_reported: bool,
}

impl Watchdog {
    pub(super) fn new(threads: usize) -> Self {
        Self((0..threads).map(|_| Mutex::default()).collect())
    }

    pub(super) fn begin(&self, thread: usize, instance: &InstanceId, now: Timestamp) {
        let busy = Busy { instance: instance.clone(), since: now, was_reported: false };
        self.set(thread, Some(busy));
    }

    pub(super) fn end(&self, thread: usize) {
        self.set(thread, None);
    }

    fn set(&self, thread: usize, busy: Option<Busy>) {
        if let Some(slot) = self.0.get(thread) {
            *lock(slot) = busy;
        }
    }

    /// The instances that have computed for too long at `now`, each told once.
    fn overdue(&self, now: Timestamp) -> Vec<InstanceId> {
        let mut overdue = Vec::new();
        for slot in &self.0 {
            if let Some(busy) = &mut *lock(slot)
                && !busy.was_reported
                && now.duration_since(busy.since) > PATIENCE
            {
                busy.was_reported = true;
                overdue.push(busy.instance.clone());
            }
        }
        overdue
    }
}

fn lock(slot: &Mutex<Option<Busy>>) -> MutexGuard<'_, Option<Busy>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Looks after the threads until the task is aborted.
pub(super) async fn run(host: Arc<Host>) {
    let mut rounds = tokio::time::interval(Duration::from_secs(1));
    loop {
        rounds.tick().await;
        for instance in host.watchdog.overdue(host.provider.clock().now()) {
            tracing::warn!(
                %instance,
                "an orchestrator has computed for more than 5 s without waiting; it holds up others: move the work \
                 into an activity"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R2:PERF-4
    #[test]
    fn a_long_poll_is_reported_once() {
        let watchdog = Watchdog::new(1);
        let at = |seconds| Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds));
        let instance = InstanceId::new("busy").unwrap();
        watchdog.begin(0, &instance, at(0));
        assert!(watchdog.overdue(at(5)).is_empty());
        assert_eq!(watchdog.overdue(at(6)), [instance]);
        assert!(watchdog.overdue(at(60)).is_empty());
        watchdog.end(0);
        assert!(watchdog.overdue(at(600)).is_empty());
    }
}
