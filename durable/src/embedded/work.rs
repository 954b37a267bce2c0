//! Work as a worker sees it: [`WorkStore`] for the embedded provider.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    EmbeddedProvider,
    checkpoint::{Settlement, Written},
    operation::{Operation, Write},
    queue::{Phase, Queue},
    settle::Try,
    shared::Kind,
};
use crate::{
    history::{ExecutionStarted, History, HistoryEvent},
    model::{InstanceId, Timestamp},
    provider::{
        ActivityWorkItem, Checkpoint, InstanceStore, LockToken, OrchestrationWorkItem, ProviderError,
        ProviderErrorKind, WorkStore,
    },
};

#[async_trait]
impl WorkStore for EmbeddedProvider {
    async fn begin_work(&self) -> Result<(), ProviderError> {
        let writer = self.operations.clone();
        self.ask(|reply| Operation::BeginWork { reply, writer }).await?.take();
        Ok(())
    }

    async fn end_work(&self) {
        self.shared.update(Queue::end_handing_out);
        self.shared.wake_fetches();
        self.flush().await;
    }

    async fn flush(&self) {
        // A writer that has stopped has nothing left to keep.
        let _ = self.ask(Operation::Flush).await;
    }

    async fn fetch_orchestrations(&self, most: usize) -> Result<Vec<OrchestrationWorkItem>, ProviderError> {
        Ok(self.shared.fetch(Kind::Orchestrations, |queue| queue.fetch_orchestrations(most)).await)
    }

    async fn load_history(&self, item: &OrchestrationWorkItem) -> Result<History, ProviderError> {
        if !self.shared.update(|queue| queue.held.contains_key(&item.lock)) {
            return Err(lock_lost("read the history of", &item.instance));
        }
        self.read_history(&item.instance).await
    }

    async fn load_start(&self, item: &OrchestrationWorkItem) -> Result<ExecutionStarted, ProviderError> {
        const OPERATION: &str = "read the start of";
        if !self.shared.update(|queue| queue.held.contains_key(&item.lock)) {
            return Err(lock_lost(OPERATION, &item.instance));
        }
        let start = self.shared.reader.start(&item.instance);
        start.map_err(|trouble| trouble.on(OPERATION, item.instance.as_str()))
    }

    async fn checkpoint(
        &self,
        item: OrchestrationWorkItem,
        checkpoint: Checkpoint,
    ) -> Result<(), ProviderError> {
        const OPERATION: &str = "checkpoint";
        let written = match Written::new(&item, checkpoint) {
            Ok(written) => written,
            Err(trouble) => {
                let error = trouble.on(OPERATION, item.instance.as_str());
                self.give_back(item, OPERATION, Duration::ZERO)?;
                return Err(error);
            }
        };
        let settlement = self.shared.update(|queue| {
            // Counted before the item is no longer out: in between, the queue would look idle.
            self.shared.expect_write();
            Settlement::new(queue, item, written).map_err(|item| {
                self.shared.finish_writes(1);
                lock_lost(OPERATION, &item.instance)
            })
        })?;
        self.write(|reply| Write::Checkpoint { settlement: Box::new(settlement), reply }).await
    }

    async fn abandon_orchestration(
        &self,
        item: OrchestrationWorkItem,
        delay: Duration,
    ) -> Result<(), ProviderError> {
        self.give_back(item, "give back", delay)
    }

    async fn fetch_activities(&self, most: usize) -> Result<Vec<ActivityWorkItem>, ProviderError> {
        Ok(self.shared.fetch(Kind::Activities, |queue| queue.fetch_activities(most)).await)
    }

    async fn complete_activity(
        &self,
        item: ActivityWorkItem,
        result: HistoryEvent,
    ) -> Result<(), ProviderError> {
        let now = self.shared.clock.now();
        self.settle_activity(item, "complete an activity of", |queue, item| queue.complete(item, result, now))
    }

    async fn abandon_activity(&self, item: ActivityWorkItem, delay: Duration) -> Result<(), ProviderError> {
        let at = self.later(delay);
        self.settle_activity(item, "give back an activity of", |queue, item| {
            queue.give_back_activity(item, at);
        })
    }

    fn lock_duration(&self) -> Option<Duration> {
        None
    }

    async fn renew(&self, lock: LockToken) -> Result<(), ProviderError> {
        let is_held = self
            .shared
            .update(|queue| queue.held.contains_key(&lock) || queue.held_activities.contains(&lock));
        let lost = || ProviderError::new(ProviderErrorKind::LockLost, "renew", format!("lock {}", lock.0));
        is_held.then_some(()).ok_or_else(lost)
    }
}

impl EmbeddedProvider {
    fn give_back(
        &self,
        item: OrchestrationWorkItem,
        operation: &'static str,
        delay: Duration,
    ) -> Result<(), ProviderError> {
        let at = self.later(delay);
        let is_ending = self.shared.update(|queue| match queue.held.remove(&item.lock) {
            Some(held) => {
                queue.give_back(item, held, Try::Counted, at);
                Ok(queue.phase == Phase::Ending)
            }
            None => Err(lock_lost(operation, &item.instance)),
        })?;
        if is_ending {
            self.wake_writer();
        }
        Ok(())
    }

    fn settle_activity(
        &self,
        item: ActivityWorkItem,
        operation: &'static str,
        settle: impl FnOnce(&mut Queue, ActivityWorkItem),
    ) -> Result<(), ProviderError> {
        let is_ending = self.shared.update(|queue| {
            if !queue.held_activities.remove(&item.lock) {
                return Err(lock_lost(operation, &item.instance));
            }
            settle(queue, item);
            Ok(queue.phase == Phase::Ending)
        })?;
        if is_ending {
            self.wake_writer();
        }
        Ok(())
    }

    /// The time after `delay`; none when there is no delay.
    fn later(&self, delay: Duration) -> Option<Timestamp> {
        (!delay.is_zero()).then(|| self.shared.clock.now().saturating_add(delay))
    }
}

fn lock_lost(operation: &'static str, instance: &InstanceId) -> ProviderError {
    ProviderError::new(ProviderErrorKind::LockLost, operation, instance.as_str())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::{FutureExt, executor::block_on};

    use super::*;
    use crate::{clock::SystemClock, provider::HubStore};

    #[test]
    fn the_end_of_work_waits_for_writes_under_way() {
        let hub = EmbeddedProvider::in_memory(Arc::new(SystemClock)).unwrap();
        block_on(hub.begin_work()).unwrap();
        hub.shared.expect_write();
        let mut end = hub.end_work();
        assert!((&mut end).now_or_never().is_none());
        // Operations are done in order: the end has been looked at once this one is done.
        block_on(hub.create()).unwrap();
        assert!((&mut end).now_or_never().is_none(), "the hub is not released yet");
        hub.shared.update(|_| hub.shared.finish_writes(1));
        hub.wake_writer();
        block_on(end);
    }
}
