//! Looking at all entities of a hub and their locks, and helping where a lock hangs.
//!
//! Must not know how a store finds entities. Begin with [`Client::entities`] and [`Client::locks`].

use std::{collections::BTreeMap, time::Duration};

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::{Client, Reply};
use crate::{
    entity::{AwaitedLock, EntityLock, EntityState, message},
    error::Error,
    history::LockOwner,
    model::{EntityId, ExecutionId, InstanceId, Payload, Timestamp},
    provider::{EntityQuery, PageToken, ProviderError, ProviderErrorKind, StoredEntity},
};

/// An entity as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntitySnapshot {
    /// Which one.
    pub entity: EntityId,
    /// What its operations keep; `None` when it has no state, as before its first operation or when only
    /// its lock is held, and when states were left out.
    pub state: Option<Payload>,
    /// When it was changed last.
    pub last_modified: Timestamp,
    /// The lock, if it is held.
    pub lock: Option<HeldLock>,
    /// How many requests wait for their turn.
    pub queue_length: usize,
}

/// One page of entities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntitySnapshots {
    /// The entities, in the order of their ids.
    pub entities: Vec<EntitySnapshot>,
    /// Where the next page begins; absent when this was the last.
    pub next: Option<PageToken>,
}

/// A lock that is held, and who waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldLock {
    /// Of which entity.
    pub entity: EntityId,
    /// The orchestration that holds it.
    pub owner: InstanceId,
    /// The execution of the orchestration.
    pub execution: Option<ExecutionId>,
    /// All entities of its critical section.
    pub set: Vec<EntityId>,
    /// Since when it is held.
    pub since: Timestamp,
    /// For how long, by the hub's clock, as of when this was read.
    pub age: Duration,
    /// Who waits for it, in the order in which they will get it.
    pub awaited: Vec<LockWait>,
}

/// Somebody who waits for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockWait {
    /// The orchestration that waits.
    pub owner: InstanceId,
    /// Since when.
    pub since: Timestamp,
}

/// What [`Client::clean_entities`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CleanedEntities {
    /// How many entities it looked at.
    pub looked_at: u64,
    /// The entities whose locks had owners that are gone: they are told to release them.
    pub orphaned_locks: Vec<EntityId>,
}

impl Client {
    /// One page of the entities that fit, in the order of their ids, each as it was committed last.
    ///
    /// ```
    /// # use durable::{model::EntityName, prelude::*, provider::EntityQuery};
    /// # async fn look(client: &Client) -> Result<(), durable::Error> {
    /// let games = EntityQuery::new().keys(EntityName::literal("counter"), "game-");
    /// for counter in client.query_entities(games).await?.entities {
    ///     println!("{}: {:?}", counter.entity, counter.state);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// While there is a next page, more may come, even if this one is short. What fits from the first to
    /// the last page comes exactly once. For all pages one after the other: [`entities`](Self::entities).
    ///
    /// # Errors
    /// A provider error: `BadPageToken` when the token is not one for this filter; `Corrupt`.
    pub fn query_entities(&self, query: EntityQuery) -> Reply<'_, EntitySnapshots> {
        Reply::new(async move {
            let page = self.provider.entities(&query).await?;
            let now = self.provider.clock().now();
            let entities = page.entities.into_iter().map(|stored| snapshot(stored, now));
            Ok(EntitySnapshots { entities: entities.collect::<Result<_, _>>()?, next: page.next })
        })
    }

    /// All entities that fit, read page by page as they are asked for. After an error the stream ends.
    pub fn entities(&self, query: EntityQuery) -> BoxStream<'static, Result<EntitySnapshot, Error>> {
        let client = self.clone();
        let pages = stream::try_unfold(Some(query), move |query| {
            let client = client.clone();
            async move {
                let Some(query) = query else { return Ok::<_, Error>(None) };
                let EntitySnapshots { entities, next } = client.query_entities(query.clone()).await?;
                let rest = next.map(|next| query.after(next));
                Ok(Some((stream::iter(entities.into_iter().map(Ok)), rest)))
            }
        });
        pages.try_flatten().boxed()
    }

    /// The locks that are held, with owner and age and with those who wait for them. Looks at every entity
    /// of the hub.
    ///
    /// # Errors
    /// Those of [`query_entities`](Self::query_entities).
    pub fn locks(&self) -> Reply<'_, Vec<HeldLock>> {
        Reply::new(async move {
            let held = self.entities(EntityQuery::new().page_size(EntityQuery::MAX_PAGE_SIZE));
            held.try_filter_map(|found| async { Ok(found.lock) }).try_collect().await
        })
    }

    /// Ends the lock of an entity against its owner's will, whoever holds it when the order arrives. The
    /// orchestration that held it goes on; what it still asks of the entity in that critical section fails
    /// with kind `LockLost`, and never runs.
    ///
    /// When it returns, the order is durable. Without effect on an entity that is not locked.
    ///
    /// # Errors
    /// A provider error.
    pub fn break_lock(&self, entity: impl AsRef<EntityId>) -> Reply<'_, ()> {
        let entity = entity.as_ref().clone();
        Reply::new(async move { self.order_break(&entity, None).await })
    }

    /// Finds locks whose owners are gone, and has them released. Locks release themselves; this is for
    /// hubs whose rows were deleted or restored by hand. Entities without state and lock need no cleaning:
    /// nothing is kept of them.
    ///
    /// # Errors
    /// Those of [`locks`](Self::locks).
    pub fn clean_entities(&self) -> Reply<'_, CleanedEntities> {
        Reply::new(async move {
            let mut cleaned = CleanedEntities::default();
            let mut gone = BTreeMap::new();
            let mut found = self.entities(EntityQuery::new().page_size(EntityQuery::MAX_PAGE_SIZE));
            while let Some(entity) = found.try_next().await? {
                cleaned.looked_at += 1;
                let Some(lock) = entity.lock else { continue };
                let owner = (lock.owner.clone(), lock.execution.clone());
                let is_gone = match gone.get(&owner) {
                    Some(is_gone) => *is_gone,
                    None => {
                        let is_gone = self.is_gone(&lock).await?;
                        gone.insert(owner, is_gone);
                        is_gone
                    }
                };
                if is_gone {
                    // As it is stored: it may have another owner by the time the order arrives.
                    let owner = self.kept(&entity.entity).await?.lock().map(|lock| lock.owner.clone());
                    let owner = owner.filter(|owner| owner.instance == lock.owner);
                    if let Some(owner) = owner {
                        self.order_break(&entity.entity, Some(owner)).await?;
                        cleaned.orphaned_locks.push(entity.entity);
                    }
                }
            }
            Ok(cleaned)
        })
    }

    async fn is_gone(&self, lock: &HeldLock) -> Result<bool, Error> {
        let state = self.provider.read_state(&lock.owner).await?;
        let is_it = |execution: &ExecutionId| lock.execution.as_ref().is_none_or(|owner| owner == execution);
        Ok(!state.is_some_and(|state| !state.runtime_status.is_terminal() && is_it(&state.execution_id)))
    }

    async fn order_break(&self, entity: &EntityId, owner: Option<LockOwner>) -> Result<(), Error> {
        let order = message::break_lock(entity, owner, self.provider.clock().now());
        Ok(self.provider.send(order).await?)
    }
}

fn snapshot(stored: StoredEntity, now: Timestamp) -> Result<EntitySnapshot, Error> {
    let StoredEntity { entity, modified, kept } = stored;
    let kept = EntityState::read(&kept).map_err(|cause| {
        let kind = ProviderErrorKind::Corrupt("it is not the state of an entity".to_owned());
        ProviderError::new(kind, "read", entity.as_str()).caused_by(cause)
    })?;
    let lock = kept.lock().map(|lock| held(&entity, lock, kept.awaited_locks(), now));
    Ok(EntitySnapshot {
        lock,
        queue_length: kept.queue_length(),
        last_modified: kept.last_modified.unwrap_or(modified),
        state: kept.state,
        entity,
    })
}

fn held(
    entity: &EntityId,
    lock: &EntityLock,
    awaited: impl Iterator<Item = AwaitedLock>,
    now: Timestamp,
) -> HeldLock {
    let EntityLock { owner, set, since } = lock.clone();
    let wait = |awaited: AwaitedLock| LockWait { owner: awaited.owner.instance, since: awaited.since };
    HeldLock {
        entity: entity.clone(),
        owner: owner.instance,
        execution: owner.execution,
        set,
        since,
        age: now.duration_since(since),
        awaited: awaited.map(wait).collect(),
    }
}
