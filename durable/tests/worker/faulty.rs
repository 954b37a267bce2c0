//! A hub in memory whose store fails on demand, and that notes the names of checkpoints and renewed locks.
//!
//! Must not know workers. Begin with [`Faulty`].

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use durable::{
    clock::Clock,
    embedded::EmbeddedProvider,
    history::{ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{InstanceId, InstanceState},
    provider::{
        ActivityWorkItem, AdminStore, Checkpoint, CheckpointTag, EntityPage, EntityQuery, HubStore,
        InstanceFilter, InstanceQuery, InstanceStore, LockToken, NewInstance, OrchestrationWorkItem, Page,
        PageToken, Provider, ProviderError, ProviderErrorKind, PurgeResult, StatusCounts, WaitFor, WorkStore,
    },
};
use durable_testkit::VirtualClock;

type Result<T> = std::result::Result<T, ProviderError>;

/// An embedded provider on a virtual clock, with faults.
pub(crate) struct Faulty {
    inner: EmbeddedProvider,
    /// Whether every fetch fails.
    pub(crate) is_unreachable: AtomicBool,
    /// How many histories are still to be refused.
    pub(crate) unreadable: AtomicUsize,
    /// How many states are still to be refused.
    pub(crate) unknown: AtomicUsize,
    /// The instance whose history is damaged.
    pub(crate) damaged: Mutex<Option<InstanceId>>,
    /// The names of the checkpoints so far.
    pub(crate) tags: Mutex<Vec<CheckpointTag>>,
    /// How long a lock lasts, as the store says.
    pub(crate) locks_last: OnceLock<Duration>,
    /// The locks that were renewed while their items were out.
    pub(crate) renewed: Mutex<Vec<LockToken>>,
}

impl Faulty {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap(),
            is_unreachable: AtomicBool::new(false),
            unreadable: AtomicUsize::new(0),
            unknown: AtomicUsize::new(0),
            damaged: Mutex::default(),
            tags: Mutex::default(),
            locks_last: OnceLock::new(),
            renewed: Mutex::default(),
        })
    }

    fn reach(&self) -> Result<()> {
        if self.is_unreachable.load(Ordering::SeqCst) { Err(unavailable()) } else { Ok(()) }
    }
}

/// Counts one down; `false` when there are none left.
fn take_one(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

fn unavailable() -> ProviderError {
    ProviderError::new(ProviderErrorKind::Unavailable, "reach", "the store")
}

#[async_trait]
impl HubStore for Faulty {
    async fn create(&self) -> Result<()> {
        self.inner.create().await
    }

    async fn delete(&self) -> Result<()> {
        self.inner.delete().await
    }

    async fn exists(&self) -> Result<bool> {
        self.inner.exists().await
    }
}

#[async_trait]
impl AdminStore for Faulty {
    async fn query(&self, query: &InstanceQuery) -> Result<Page> {
        self.inner.query(query).await
    }

    async fn entities(&self, query: &EntityQuery) -> Result<EntityPage> {
        self.inner.entities(query).await
    }

    async fn counts(&self) -> Result<StatusCounts> {
        self.inner.counts().await
    }

    async fn purge(&self, instance: &InstanceId) -> Result<bool> {
        self.inner.purge(instance).await
    }

    async fn purge_by(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&PageToken>,
    ) -> Result<PurgeResult> {
        self.inner.purge_by(filter, most, after).await
    }
}

#[async_trait]
impl InstanceStore for Faulty {
    async fn create_instance(&self, new: NewInstance) -> Result<InstanceState> {
        self.inner.create_instance(new).await
    }

    async fn send(&self, message: TaskMessage) -> Result<()> {
        self.inner.send(message).await
    }

    async fn read_state(&self, instance: &InstanceId) -> Result<Option<InstanceState>> {
        if take_one(&self.unknown) {
            return Err(unavailable());
        }
        self.inner.read_state(instance).await
    }

    async fn read_history(&self, instance: &InstanceId) -> Result<History> {
        self.inner.read_history(instance).await
    }

    async fn wait(&self, instance: &InstanceId, until: WaitFor) -> Result<InstanceState> {
        self.inner.wait(instance, until).await
    }
}

#[async_trait]
impl WorkStore for Faulty {
    async fn begin_work(&self) -> Result<()> {
        self.inner.begin_work().await
    }

    async fn end_work(&self) {
        self.inner.end_work().await;
    }

    async fn flush(&self) {
        self.inner.flush().await;
    }

    async fn fetch_orchestrations(&self, most: usize) -> Result<Vec<OrchestrationWorkItem>> {
        let items = self.inner.fetch_orchestrations(most).await;
        self.reach()?;
        items
    }

    async fn load_history(&self, item: &OrchestrationWorkItem) -> Result<History> {
        if take_one(&self.unreadable) {
            return Err(unavailable());
        }
        if self.damaged.lock().unwrap().as_ref() == Some(&item.instance) {
            let kind = ProviderErrorKind::Corrupt("a flipped bit".to_owned());
            return Err(ProviderError::new(kind, "read", item.instance.as_str()));
        }
        self.inner.load_history(item).await
    }

    async fn load_start(&self, item: &OrchestrationWorkItem) -> Result<ExecutionStarted> {
        self.inner.load_start(item).await
    }

    async fn checkpoint(&self, item: OrchestrationWorkItem, checkpoint: Checkpoint) -> Result<()> {
        self.tags.lock().unwrap().push(checkpoint.tag);
        self.inner.checkpoint(item, checkpoint).await
    }

    async fn abandon_orchestration(&self, item: OrchestrationWorkItem, delay: Duration) -> Result<()> {
        self.inner.abandon_orchestration(item, delay).await
    }

    async fn fetch_activities(&self, most: usize) -> Result<Vec<ActivityWorkItem>> {
        let items = self.inner.fetch_activities(most).await;
        self.reach()?;
        items
    }

    async fn complete_activity(&self, item: ActivityWorkItem, result: HistoryEvent) -> Result<()> {
        self.inner.complete_activity(item, result).await
    }

    async fn abandon_activity(&self, item: ActivityWorkItem, delay: Duration) -> Result<()> {
        self.inner.abandon_activity(item, delay).await
    }

    fn lock_duration(&self) -> Option<Duration> {
        self.locks_last.get().copied()
    }

    async fn renew(&self, lock: LockToken) -> Result<()> {
        self.inner.renew(lock).await?;
        self.renewed.lock().unwrap().push(lock);
        Ok(())
    }
}

impl Provider for Faulty {
    fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock()
    }
}
