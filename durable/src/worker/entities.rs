//! Runs entities: a turn decides, a batch runs the operations, a checkpoint keeps and sends.
//!
//! A turn is taken on an orchestrator's thread. Operations that end at once end there, within the tokio
//! runtime's reach; where one waits, the rest of its batch goes on as a task of that runtime. Must not know
//! what a lock is: the turn does. Begin with [`process`].

use std::{
    collections::BTreeMap,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use futures::FutureExt as _;
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
    task::JoinSet,
};

use super::{Host, next_tag, orchestrations::rest_after};
use crate::{
    context::{EntityHome, Services},
    entity::{Batch, BatchEnd, EntityExecutor, EntityState, Presence, Turn, TurnEnd, TurnOptions, message},
    episode,
    history::{LockOwner, OperationRequest, TaskMessage},
    model::{EntityId, Failure, FailureKind, FunctionName, InstanceId, Payload, panic_message},
    provider::{EntityQuery, OrchestrationWorkItem, Past, ProviderError, ProviderErrorKind},
    registry::{FunctionKind, Registry},
    session::Sessions,
};

/// What a worker needs for entities.
pub(super) struct Entities {
    executors: BTreeMap<String, Arc<dyn EntityExecutor>>,
    /// What is kept of those at rest, as it stands after their last turn.
    kept: Sessions<EntityState>,
    /// For batches that wait.
    slots: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
    /// How often entities were handed out in vain although no operation is to blame: the store's trouble,
    /// however often it is met, is no poison.
    excused: Mutex<BTreeMap<InstanceId, u32>>,
    runtime: Handle,
}

/// The batches that wait for something.
#[derive(Default)]
struct Waiting {
    batches: JoinSet<()>,
    /// Set when the worker waits for them no longer.
    is_over: bool,
}

/// Why a turn is not taken here and now.
enum NotNow {
    /// It is tried again later: the store is to blame, or what this worker lacks.
    Failed(String),
    /// It is tried again later, and counts as an attempt: code of the user's broke it.
    Panicked(String),
    /// The worker is on its way out, and has waited long enough.
    BrokenOff,
}

impl Entities {
    pub(super) fn new(
        registry: &Registry,
        services: &Services,
        options: &super::WorkerOptions,
        runtime: &Handle,
    ) -> Self {
        let home = EntityHome { services: services.clone(), max_payload: options.max_payload };
        let names = registry.functions().filter(|(kind, ..)| *kind == FunctionKind::Entity);
        let executors = names.filter_map(|(_, name, _)| {
            let code = registry.entity(name.as_str())?;
            Some((name.as_str().to_owned(), code(home.clone())))
        });
        Self {
            executors: executors.collect(),
            kept: Sessions::new(options.session_bytes),
            slots: Arc::new(Semaphore::new(options.max_entities)),
            waiting: Mutex::default(),
            excused: Mutex::default(),
            runtime: runtime.clone(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn excused(&self) -> MutexGuard<'_, BTreeMap<InstanceId, u32>> {
        self.excused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn excuse(&self, instance: InstanceId) {
        *self.excused().entry(instance).or_default() += 1;
    }

    /// How often the operations of an item were begun and not ended, this time included.
    fn begun(&self, item: &OrchestrationWorkItem) -> u32 {
        let excused = self.excused().get(&item.instance).copied().unwrap_or(0);
        item.attempt.saturating_sub(excused)
    }

    /// Breaks off the batches that still wait; those that would begin to wait as well.
    pub(super) fn break_off(&self) {
        let mut waiting = self.waiting();
        waiting.is_over = true;
        if !waiting.batches.is_empty() {
            tracing::warn!(
                "operations of entities outlast the grace period; they run again at the next start"
            );
            waiting.batches.abort_all();
        }
    }

    /// Runs a batch to its end, unless it is broken off.
    async fn run(&self, mut batch: Batch) -> Result<BatchEnd, NotNow> {
        let first = poll_fn(|cx| {
            let _entered = self.runtime.enter();
            Poll::Ready(Pin::new(&mut batch).poll(cx))
        });
        if let Poll::Ready(end) = first.await {
            return Ok(end);
        }
        let (done, end) = oneshot::channel();
        let slots = self.slots.clone();
        {
            let mut waiting = self.waiting();
            if waiting.is_over {
                return Err(NotNow::BrokenOff);
            }
            let rest = async move {
                let _slot = slots.acquire_owned().await;
                // Whoever waited for it may have gone with its thread.
                let _ = done.send(batch.await);
            };
            waiting.batches.spawn_on(rest, &self.runtime);
            while waiting.batches.try_join_next().is_some() {}
        }
        end.await.map_err(|_| match self.waiting().is_over {
            true => NotNow::BrokenOff,
            false => NotNow::Panicked("its task ended without an answer".to_owned()),
        })
    }
}

/// Takes the turn of an entity, and settles its item.
pub(super) async fn process(host: &Host, entity: EntityId, item: OrchestrationWorkItem) {
    let lock = item.lock;
    // A value of the user's may panic where it is dropped; the entity must not stay out for it.
    let done = AssertUnwindSafe(take_turn(host, &entity, &item)).catch_unwind().await;
    let done = done.unwrap_or_else(|panic| Err(NotNow::Panicked(panic_message(&*panic))));
    match done {
        Ok(end) => save(host, &entity, item, end).await,
        Err(NotNow::BrokenOff) => give_back(host, item, Duration::ZERO).await,
        Err(NotNow::Failed(reason)) => {
            host.entities.excuse(item.instance.clone());
            rest(host, item, &reason).await;
        }
        Err(NotNow::Panicked(panic)) => rest(host, item, &format!("its turn panicked: {panic}")).await,
    }
    host.locks.release(lock);
}

async fn rest(host: &Host, item: OrchestrationWorkItem, reason: &str) {
    let (instance, attempt) = (&item.instance, item.attempt);
    tracing::warn!(%instance, reason, attempt, "an entity cannot take its turn; trying again");
    let rest = rest_after(attempt);
    give_back(host, item, rest).await;
}

/// What a turn leaves behind, or why it cannot be taken here and now.
async fn take_turn(host: &Host, entity: &EntityId, item: &OrchestrationWorkItem) -> Result<TurnEnd, NotNow> {
    let executor = host.entities.executors.get(entity.name()).ok_or_else(|| {
        NotNow::Failed(format!(
            "this worker has no entity `{}`; it waits for one that has it (is its crate linked? `use that_crate as \
             _;`)",
            entity.name()
        ))
    })?;
    let kept = kept(host, item).await.map_err(NotNow::Failed)?;
    let options = TurnOptions {
        now: host.provider.clock().now(),
        most_operations: host.options.entity_batch,
        reorder_window: None,
    };
    let mut turn = Turn::new(entity.clone(), kept, options);
    turn.take(&item.messages);
    while let Some(owner) = turn.doubt() {
        let presence = presence(host, owner).await.map_err(NotNow::Failed)?;
        turn.learn(presence);
    }
    let operations = turn.operations();
    let state = turn.state().cloned();
    let end = if operations.is_empty() {
        BatchEnd { state, ends: Vec::new() }
    } else if host.entities.begun(item) > host.options.max_attempts {
        let before = host.entities.begun(item) - 1;
        let message = format!("the operation was begun {before} times, and ended with its process");
        let failure = Failure::of_kind(FailureKind::Poisoned, "Poisoned", message);
        tracing::error!(%failure, "operations of an entity are given up");
        BatchEnd::failed(state, operations.len(), &failure)
    } else {
        run(host, entity, executor.clone(), state, operations).await?
    };
    Ok(turn.finish(end))
}

async fn run(
    host: &Host,
    entity: &EntityId,
    executor: Arc<dyn EntityExecutor>,
    state: Option<Payload>,
    operations: Vec<OperationRequest>,
) -> Result<BatchEnd, NotNow> {
    let asked: Vec<_> =
        operations.iter().map(|asked| (asked.operation.clone(), asked.call.is_some())).collect();
    let batch = Batch::new(executor, entity.clone(), state, operations, host.options.max_payload);
    let mut end = host.entities.run(batch).await?;
    for (end, (operation, is_call)) in end.ends.iter_mut().zip(asked) {
        if let Err(failure) = &mut end.result {
            let name = FunctionName::from(format!("{}.{}", entity.name(), operation.as_str()));
            *failure = failure.clone().in_function(&name);
            if !is_call {
                tracing::warn!(%failure, "an operation failed that nobody waits for");
            }
        }
    }
    Ok(end)
}

/// What is kept of the entity, from memory if that is what is stored.
async fn kept(host: &Host, item: &OrchestrationWorkItem) -> Result<EntityState, String> {
    let tag = match item.past {
        Past::Empty => return Ok(EntityState::default()),
        Past::At(tag) => Some(tag),
        Past::Stored => None,
    };
    let in_memory = host.entities.kept.take(&item.instance, tag);
    if let Some(kept) = in_memory.filter(|_| !host.options.always_replay) {
        return Ok(kept);
    }
    let history = host.provider.load_history(item).await.map_err(|error| error.to_string())?;
    EntityState::of(&history).map_err(|error| format!("what is stored of it cannot be read: {error}"))
}

/// Looks up the owner of a lock that somebody waits for. Trouble that will pass is an error: nobody would
/// ask again.
async fn presence(host: &Host, owner: &LockOwner) -> Result<Presence, String> {
    match host.provider.read_state(&owner.instance).await {
        Ok(Some(state)) => {
            let is_it = owner.execution.as_ref().is_none_or(|execution| *execution == state.execution_id);
            let is_live = is_it && !state.runtime_status.is_terminal();
            Ok(if is_live { Presence::Live } else { Presence::Gone })
        }
        Ok(None) => Ok(Presence::Gone),
        Err(error) if error.is_transient() => Err(format!("the owner of its lock, {owner}: {error}")),
        Err(error) => {
            tracing::warn!(%owner, %error, "the owner of a lock cannot be looked up");
            Ok(Presence::Unknown)
        }
    }
}

/// Orders to break every lock of an instance whose history cannot be read: only the entities still know of
/// them. What cannot be looked at is passed over; whoever waits for such a lock finds its owner gone.
pub(super) async fn breaks(host: &Host, item: &OrchestrationWorkItem) -> Vec<TaskMessage> {
    let now = host.provider.clock().now();
    let mut orders = Vec::new();
    let mut query = EntityQuery::new().page_size(EntityQuery::MAX_PAGE_SIZE);
    loop {
        let page = match host.provider.entities(&query).await {
            Ok(page) => page,
            Err(error) => {
                tracing::warn!(instance = %item.instance, %error, "its locks cannot be looked for");
                return orders;
            }
        };
        for stored in page.entities {
            let Ok(kept) = EntityState::read(&stored.kept) else { continue };
            let owner = kept.lock().map(|lock| lock.owner.clone());
            if let Some(owner) = owner.filter(|owner| owner.instance == item.instance) {
                orders.push(message::break_lock(&stored.entity, Some(owner), now));
            }
        }
        match page.next {
            Some(next) => query = query.after(next),
            None => return orders,
        }
    }
}

async fn save(host: &Host, entity: &EntityId, item: OrchestrationWorkItem, mut end: TurnEnd) {
    let (instance, tag) = (item.instance.clone(), next_tag());
    let checkpoint = match episode::turn(entity, &mut end, host.provider.clock().now(), tag) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            tracing::error!(%error, "what is to be kept of an entity cannot be stored, which is a bug of `durable`");
            let rest = rest_after(item.attempt);
            return give_back(host, item, rest).await;
        }
    };
    let bytes = checkpoint.events.iter().map(|event| event.kind.size_hint()).sum();
    if !checkpoint.is_forgettable {
        host.entities.kept.put(instance.clone(), tag, end.state, bytes);
    }
    match host.provider.checkpoint(item, checkpoint).await {
        Ok(()) => drop(host.entities.excused().remove(&instance)),
        Err(error) => {
            // Whether it was made or not is unknown: what is in memory must not be used again.
            host.entities.kept.forget(&instance, tag);
            host.entities.excuse(instance);
            tracing::error!(%error, "an entity's turn could not be saved; its operations run again");
        }
    }
}

async fn give_back(host: &Host, item: OrchestrationWorkItem, rest: Duration) {
    let given: Result<(), ProviderError> = host.provider.abandon_orchestration(item, rest).await;
    match given {
        Err(error) if error.kind != ProviderErrorKind::LockLost => {
            tracing::error!(%error, "an entity could not be given back; it comes again by itself");
        }
        _ => {}
    }
}
