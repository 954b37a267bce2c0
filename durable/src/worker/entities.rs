//! Runs entities: a turn decides, a batch runs the operations, a checkpoint keeps and sends.
//!
//! Each turn is a task of the tokio runtime, since operations may await, block a little, or panic. Must not
//! know what a lock is: the turn does. Begin with [`Entities::spawn`].

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::FutureExt as _;
use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet};
use tracing::Instrument;

use super::{Host, next_tag, orchestrations::rest_after};
use crate::{
    context::{EntityHome, Services},
    entity::{Batch, BatchEnd, EntityExecutor, EntityState, Presence, Turn, TurnEnd, TurnOptions, message},
    episode,
    history::{LockOwner, OperationRequest, TaskMessage},
    model::{EntityId, Failure, FailureKind, FunctionName, InstanceId, panic_message},
    provider::{EntityQuery, OrchestrationWorkItem, Past, ProviderError, ProviderErrorKind},
    registry::{FunctionKind, Registry},
    session::Sessions,
};

/// What a worker needs for entities.
pub(super) struct Entities {
    executors: BTreeMap<String, Arc<dyn EntityExecutor>>,
    /// What is kept of those at rest, as it stands after their last turn.
    kept: Sessions<EntityState>,
    slots: Arc<Semaphore>,
    turns: Mutex<JoinSet<()>>,
    /// The items of turns that went before they were settled.
    broken_off: Mutex<Vec<OrchestrationWorkItem>>,
    /// How often entities were handed out in vain although no operation is to blame: the store's trouble,
    /// however often it is met, is no poison.
    excused: Mutex<BTreeMap<InstanceId, u32>>,
    runtime: Handle,
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
            turns: Mutex::default(),
            broken_off: Mutex::default(),
            excused: Mutex::default(),
            runtime: runtime.clone(),
        }
    }

    fn turns(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken_off(&self) -> MutexGuard<'_, Vec<OrchestrationWorkItem>> {
        self.broken_off.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Begins the turn of an entity, as soon as there is room for it.
    pub(super) fn spawn(host: &Arc<Host>, entity: EntityId, item: OrchestrationWorkItem) {
        host.locks.hold(item.lock);
        let taking = Taking { host: host.clone(), item: Some(item) };
        let span = tracing::info_span!("entity", %entity);
        let mut turns = host.entities.turns();
        turns.spawn_on(process(taking, entity).instrument(span), &host.entities.runtime);
        while turns.try_join_next().is_some() {}
    }

    /// Waits for the turns that are under way, but no longer than the grace period.
    pub(super) async fn finish(host: &Host) {
        let mut turns = std::mem::take(&mut *host.entities.turns());
        let all = async { while turns.join_next().await.is_some() {} };
        if tokio::time::timeout(host.options.grace_period, all).await.is_err() {
            tracing::warn!(
                "operations of entities outlast the grace period; they run again at the next start"
            );
            turns.shutdown().await;
        }
        let broken = std::mem::take(&mut *host.entities.broken_off());
        for item in broken {
            let lock = item.lock;
            give_back(host, item, Duration::ZERO).await;
            host.locks.release(lock);
        }
    }
}

/// An entity that is out. If its task goes before it is settled, the item is kept to be given back.
struct Taking {
    host: Arc<Host>,
    item: Option<OrchestrationWorkItem>,
}

impl Drop for Taking {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.host.entities.broken_off().push(item);
        }
    }
}

async fn process(mut taking: Taking, entity: EntityId) {
    let host = taking.host.clone();
    let Some(item) = &taking.item else { return };
    let slot = host.entities.slots.acquire().await;
    // A value of the user's may panic where it is dropped; the entity must not stay out for it.
    let done = AssertUnwindSafe(take_turn(&host, &entity, item)).catch_unwind().await;
    let is_excused = matches!(done, Ok(Err(_)));
    let done = done.unwrap_or_else(|panic| Err(format!("its turn panicked: {}", panic_message(&*panic))));
    drop(slot);
    let Some(item) = taking.item.take() else { return };
    let lock = item.lock;
    match done {
        Ok(end) => save(&host, &entity, item, end).await,
        Err(reason) => {
            tracing::warn!(%entity, reason, attempt = item.attempt, "an entity cannot take its turn; trying again");
            if is_excused {
                host.entities.excuse(item.instance.clone());
            }
            let rest = rest_after(item.attempt);
            give_back(&host, item, rest).await;
        }
    }
    host.locks.release(lock);
}

/// What a turn leaves behind, or why it cannot be taken here and now.
async fn take_turn(host: &Host, entity: &EntityId, item: &OrchestrationWorkItem) -> Result<TurnEnd, String> {
    let executor = host.entities.executors.get(entity.name()).ok_or_else(|| {
        format!(
            "this worker has no entity `{}`; it waits for one that has it (is its crate linked? `use that_crate as \
             _;`)",
            entity.name()
        )
    })?;
    let kept = kept(host, item).await?;
    let options = TurnOptions {
        now: host.provider.clock().now(),
        most_operations: host.options.entity_batch,
        reorder_window: None,
    };
    let mut turn = Turn::new(entity.clone(), kept, options);
    turn.take(&item.messages);
    while let Some(owner) = turn.doubt() {
        let presence = presence(host, owner).await?;
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
        run(host, entity, executor.clone(), state, operations).await
    };
    Ok(turn.finish(end))
}

async fn run(
    host: &Host,
    entity: &EntityId,
    executor: Arc<dyn EntityExecutor>,
    state: Option<crate::model::Payload>,
    operations: Vec<OperationRequest>,
) -> BatchEnd {
    let asked: Vec<_> =
        operations.iter().map(|asked| (asked.operation.clone(), asked.call.is_some())).collect();
    let mut end = Batch::new(executor, entity.clone(), state, operations, host.options.max_payload).await;
    for (end, (operation, is_call)) in end.ends.iter_mut().zip(asked) {
        if let Err(failure) = &mut end.result {
            let name = FunctionName::from(format!("{}.{}", entity.name(), operation.as_str()));
            *failure = failure.clone().in_function(&name);
            if !is_call {
                tracing::warn!(%failure, "an operation failed that nobody waits for");
            }
        }
    }
    end
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
