//! A store that fails when it is told to: before the call has an effect, or after.
//!
//! Wraps any provider and keeps its promises: an item whose call failed comes again. Begin with
//! [`FaultyProvider`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use durable::{
    clock::Clock,
    history::{ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{InstanceId, InstanceState},
    provider::{
        ActivityWorkItem, AdminStore, Checkpoint, EntityPage, EntityQuery, HubStore, InstanceFilter,
        InstanceQuery, InstanceStore, LockToken, NewInstance, OrchestrationWorkItem, Page, PageToken,
        Provider, ProviderError, ProviderErrorKind, PurgeResult, StatusCounts, WaitFor, WorkStore,
    },
};

/// What goes wrong with a call that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call has no effect, and says that it failed.
    Fails,
    /// The call has its effect, and says that it failed: the answer was lost.
    LosesTheAnswer,
}

/// A provider that passes everything on to another, but for the calls at which it is to fail.
///
/// Counted are the calls that write: starts, messages, checkpoints, completed and abandoned items, purges,
/// from 1 on, in the order in which they are made.
///
/// ```
/// use std::sync::Arc;
///
/// use durable::embedded::EmbeddedProvider;
/// use durable_testkit::{Fault, FaultyProvider, VirtualClock};
///
/// # fn main() -> Result<(), durable::provider::ProviderError> {
/// let memory = EmbeddedProvider::in_memory(Arc::new(VirtualClock::new()))?;
/// let provider = FaultyProvider::new(Arc::new(memory), |call| (call == 3).then_some(Fault::Fails));
/// assert_eq!(provider.writes(), 0);
/// # Ok(())
/// # }
/// ```
pub struct FaultyProvider {
    inner: Arc<dyn Provider>,
    plan: Box<dyn Fn(u64) -> Option<Fault> + Send + Sync>,
    writes: AtomicU64,
}

impl FaultyProvider {
    /// `inner`, with a fault wherever `plan` has one for the number of the call.
    pub fn new(
        inner: Arc<dyn Provider>,
        plan: impl Fn(u64) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, plan: Box::new(plan), writes: AtomicU64::new(0) }
    }

    /// How many calls that write have been made.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Acquire)
    }

    fn next_fault(&self) -> Option<Fault> {
        (self.plan)(self.writes.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// Makes a call, unless it is to fail; then `undo` is made instead.
    async fn write<T: Send>(
        &self,
        operation: &'static str,
        subject: &str,
        call: impl Future<Output = Result<T, ProviderError>> + Send,
        undo: impl Future<Output = Result<(), ProviderError>> + Send,
    ) -> Result<T, ProviderError> {
        let broken = || ProviderError::new(ProviderErrorKind::Unavailable, operation, subject);
        match self.next_fault() {
            None => call.await,
            Some(Fault::LosesTheAnswer) => call.await.and_then(|_| Err(broken())),
            Some(Fault::Fails) => undo.await.and_then(|()| Err(broken())),
        }
    }
}

async fn nothing() -> Result<(), ProviderError> {
    Ok(())
}

#[async_trait]
impl HubStore for FaultyProvider {
    async fn create(&self) -> Result<(), ProviderError> {
        self.inner.create().await
    }

    async fn delete(&self) -> Result<(), ProviderError> {
        self.inner.delete().await
    }

    async fn exists(&self) -> Result<bool, ProviderError> {
        self.inner.exists().await
    }
}

#[async_trait]
impl AdminStore for FaultyProvider {
    async fn query(&self, query: &InstanceQuery) -> Result<Page, ProviderError> {
        self.inner.query(query).await
    }

    async fn entities(&self, query: &EntityQuery) -> Result<EntityPage, ProviderError> {
        self.inner.entities(query).await
    }

    async fn counts(&self) -> Result<StatusCounts, ProviderError> {
        self.inner.counts().await
    }

    async fn purge(&self, instance: &InstanceId) -> Result<bool, ProviderError> {
        self.write("purge", instance.as_str(), self.inner.purge(instance), nothing()).await
    }

    async fn purge_by(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&PageToken>,
    ) -> Result<PurgeResult, ProviderError> {
        self.write("purge", "what has ended", self.inner.purge_by(filter, most, after), nothing()).await
    }
}

#[async_trait]
impl InstanceStore for FaultyProvider {
    async fn create_instance(&self, new: NewInstance) -> Result<InstanceState, ProviderError> {
        let instance = new.started.instance.clone();
        self.write("start", instance.as_str(), self.inner.create_instance(new), nothing()).await
    }

    async fn send(&self, message: TaskMessage) -> Result<(), ProviderError> {
        let instance = message.instance.clone();
        self.write("send to", instance.as_str(), self.inner.send(message), nothing()).await
    }

    async fn read_state(&self, instance: &InstanceId) -> Result<Option<InstanceState>, ProviderError> {
        self.inner.read_state(instance).await
    }

    async fn read_history(&self, instance: &InstanceId) -> Result<History, ProviderError> {
        self.inner.read_history(instance).await
    }

    async fn wait(&self, instance: &InstanceId, until: WaitFor) -> Result<InstanceState, ProviderError> {
        self.inner.wait(instance, until).await
    }
}

#[async_trait]
impl WorkStore for FaultyProvider {
    async fn begin_work(&self) -> Result<(), ProviderError> {
        self.inner.begin_work().await
    }

    async fn end_work(&self) {
        self.inner.end_work().await;
    }

    async fn flush(&self) {
        self.inner.flush().await;
    }

    async fn fetch_orchestrations(&self, most: usize) -> Result<Vec<OrchestrationWorkItem>, ProviderError> {
        self.inner.fetch_orchestrations(most).await
    }

    async fn load_history(&self, item: &OrchestrationWorkItem) -> Result<History, ProviderError> {
        self.inner.load_history(item).await
    }

    async fn load_start(&self, item: &OrchestrationWorkItem) -> Result<ExecutionStarted, ProviderError> {
        self.inner.load_start(item).await
    }

    async fn checkpoint(
        &self,
        item: OrchestrationWorkItem,
        checkpoint: Checkpoint,
    ) -> Result<(), ProviderError> {
        let (instance, again) = (item.instance.clone(), item.clone());
        let undo = self.inner.abandon_orchestration(again, Duration::ZERO);
        self.write("checkpoint", instance.as_str(), self.inner.checkpoint(item, checkpoint), undo).await
    }

    async fn abandon_orchestration(
        &self,
        item: OrchestrationWorkItem,
        delay: Duration,
    ) -> Result<(), ProviderError> {
        let (instance, again) = (item.instance.clone(), item.clone());
        let undo = self.inner.abandon_orchestration(again, Duration::ZERO);
        self.write("abandon", instance.as_str(), self.inner.abandon_orchestration(item, delay), undo).await
    }

    async fn fetch_activities(&self, most: usize) -> Result<Vec<ActivityWorkItem>, ProviderError> {
        self.inner.fetch_activities(most).await
    }

    async fn complete_activity(
        &self,
        item: ActivityWorkItem,
        result: HistoryEvent,
    ) -> Result<(), ProviderError> {
        let (instance, again) = (item.instance.clone(), item.clone());
        let undo = self.inner.abandon_activity(again, Duration::ZERO);
        self.write(
            "complete an activity of",
            instance.as_str(),
            self.inner.complete_activity(item, result),
            undo,
        )
        .await
    }

    async fn abandon_activity(&self, item: ActivityWorkItem, delay: Duration) -> Result<(), ProviderError> {
        let (instance, again) = (item.instance.clone(), item.clone());
        let undo = self.inner.abandon_activity(again, Duration::ZERO);
        self.write(
            "abandon an activity of",
            instance.as_str(),
            self.inner.abandon_activity(item, delay),
            undo,
        )
        .await
    }

    fn lock_duration(&self) -> Option<Duration> {
        self.inner.lock_duration()
    }

    async fn renew(&self, lock: LockToken) -> Result<(), ProviderError> {
        self.inner.renew(lock).await
    }
}

impl Provider for FaultyProvider {
    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }
}

impl fmt::Debug for FaultyProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyProvider").field("writes", &self.writes()).finish_non_exhaustive()
    }
}
