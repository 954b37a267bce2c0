//! Who waits for an instance to begin or to end.
//!
//! Must not know why an instance changes. Lives under the queue's lock, so that nobody misses a
//! change between looking and waiting.

use std::collections::HashMap;

use tokio::sync::oneshot;

use crate::{
    model::{InstanceId, InstanceState, RuntimeStatus},
    provider::WaitFor,
};

/// Everybody who waits, by instance.
#[derive(Debug, Default)]
pub(super) struct Waiters(HashMap<InstanceId, Vec<Waiter>>);

/// Somebody who waits.
#[derive(Debug)]
pub(super) struct Waiter {
    until: WaitFor,
    answer: oneshot::Sender<InstanceState>,
}

impl Waiters {
    /// The answer comes once the instance stands as `until` says; never when the instance goes.
    pub(super) fn register(
        &mut self,
        instance: &InstanceId,
        until: WaitFor,
    ) -> oneshot::Receiver<InstanceState> {
        let (answer, receiver) = oneshot::channel();
        let waiters = self.0.entry(instance.clone()).or_default();
        waiters.retain(|waiter| !waiter.answer.is_closed());
        waiters.push(Waiter { until, answer });
        receiver
    }

    /// Takes those who waited for `instance` to stand at `status`.
    pub(super) fn take_met(&mut self, instance: &InstanceId, status: RuntimeStatus) -> Vec<Waiter> {
        let Some(waiters) = self.0.get_mut(instance) else { return Vec::new() };
        let met = waiters.extract_if(.., |waiter| waiter.until.is_met_at(status)).collect();
        if waiters.is_empty() {
            self.0.remove(instance);
        }
        met
    }

    /// Forgets everybody who waits for `instance`; each learns it and looks again.
    pub(super) fn dismiss(&mut self, instance: &InstanceId) {
        self.0.remove(instance);
    }

    /// Forgets everybody.
    pub(super) fn dismiss_all(&mut self) {
        self.0.clear();
    }

    /// The instances somebody waits for. Those whose waiters have all gone are forgotten.
    pub(super) fn instances(&mut self) -> impl ExactSizeIterator<Item = &InstanceId> {
        self.0.retain(|_, waiters| {
            waiters.retain(|waiter| !waiter.answer.is_closed());
            !waiters.is_empty()
        });
        self.0.keys()
    }
}

impl Waiter {
    /// Gives the state to who waits, if it is what was waited for; otherwise they look again.
    pub(super) fn answer(self, state: InstanceState) {
        if self.until.is_met_by(&state) {
            // Whoever stopped waiting does not need the answer.
            let _ = self.answer.send(state);
        }
    }
}

impl WaitFor {
    /// Whether an instance at `status` is what is waited for.
    pub(super) fn is_met_at(self, status: RuntimeStatus) -> bool {
        match self {
            Self::Start => status != RuntimeStatus::Pending,
            Self::End => status.is_terminal(),
        }
    }
}
