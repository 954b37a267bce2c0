//! What is kept of an entity between two turns.
//!
//! Everything durable about it is here, the lock and those who wait as well: an entity that is
//! unloaded or whose process ends loses nothing (R2:ENT-57). Begin with [`EntityState`].

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::sorter::Sorter;
use crate::{
    history::{EntityRequest, History, LockOwner, RequestBody},
    model::{EntityId, NotStorable, Payload, Timestamp},
};

/// An entity between two turns. Stored as JSON with its instance; fields are only ever added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityState {
    /// What the entity's operations keep; `None` before the first one and after a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Payload>,
    /// When an operation ran last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lock: Option<EntityLock>,
    /// Behind the lock, in the order in which they came.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) waiting: VecDeque<Waiting>,
    /// Not looked at yet, since the last batch was full.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub(super) backlog: VecDeque<Waiting>,
    #[serde(default, skip_serializing_if = "Sorter::is_unused")]
    pub(super) sorter: Sorter,
}

/// A lock that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityLock {
    /// By whom.
    pub owner: LockOwner,
    /// All entities of the critical section.
    pub set: Vec<EntityId>,
    /// Since when.
    pub since: Timestamp,
}

/// A lock that somebody waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedLock {
    /// Who waits.
    pub owner: LockOwner,
    /// Since when.
    pub since: Timestamp,
}

/// A request that has not had its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) since: Timestamp,
    /// How many requests were let past it that came later.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) overtaken: u8,
    pub(super) request: EntityRequest,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn is_zero(count: &u8) -> bool {
    *count == 0
}

impl Waiting {
    pub(super) fn new(since: Timestamp, request: EntityRequest) -> Self {
        Self { since, overtaken: 0, request }
    }

    fn is_passed(&mut self) {
        self.overtaken = self.overtaken.saturating_add(1);
    }

    /// How many locks a request for this one has behind it already; `None` when it asks for something else.
    pub(super) fn locks_held(&self) -> Option<usize> {
        match &self.request.body {
            RequestBody::Lock(request) => Some(request.position),
            RequestBody::Operation(_)
            | RequestBody::Release(_)
            | RequestBody::Break(_)
            | RequestBody::Continue => None,
        }
    }
}

impl EntityState {
    /// Takes who is next after a lock: whoever has waited longest. But a request that holds no lock yet lets
    /// those pass, some times, that hold others: while they wait, all wait who want what they hold.
    pub(super) fn take_waiting(&mut self) -> Option<Waiting> {
        /// Often enough to keep convoys short, and seldom enough to keep nobody waiting for ever.
        const MOST_OVERTAKEN: u8 = 16;
        let first = self.waiting.front_mut()?;
        if first.locks_held() == Some(0) && first.overtaken < MOST_OVERTAKEN {
            let locks = self.waiting.iter().map_while(Waiting::locks_held);
            if let Some(holder) = locks.enumerate().find_map(|(index, held)| (held > 0).then_some(index)) {
                self.waiting.iter_mut().take(holder).for_each(Waiting::is_passed);
                return self.waiting.remove(holder);
            }
        }
        self.waiting.pop_front()
    }

    /// What is kept of an entity whose stored history is `history`: the input of its start, which is replaced
    /// with each turn. A fresh one has none.
    ///
    /// # Errors
    /// When what is stored is not the state of an entity.
    pub fn of(history: &History) -> Result<Self, NotStorable> {
        history.started().map_or_else(|| Ok(Self::default()), |started| Self::read(&started.input))
    }

    /// What is kept of an entity, as it is stored; `null` stands for nothing.
    ///
    /// # Errors
    /// When it is not the state of an entity.
    pub fn read(stored: &Payload) -> Result<Self, NotStorable> {
        if *stored == Payload::null() { Ok(Self::default()) } else { stored.read() }
    }

    /// The lock, if it is held.
    pub fn lock(&self) -> Option<&EntityLock> {
        self.lock.as_ref()
    }

    /// Who waits for the lock, in the order in which they will get it.
    pub fn awaited_locks(&self) -> impl Iterator<Item = AwaitedLock> + '_ {
        self.waiting.iter().chain(&self.backlog).filter_map(|waiting| match &waiting.request.body {
            RequestBody::Lock(request) => {
                Some(AwaitedLock { owner: request.owner.clone(), since: waiting.since })
            }
            RequestBody::Operation(_)
            | RequestBody::Release(_)
            | RequestBody::Break(_)
            | RequestBody::Continue => None,
        })
    }

    /// How many requests wait.
    pub fn queue_length(&self) -> usize {
        self.waiting.len() + self.backlog.len() + self.sorter.buffered()
    }

    /// Whether nothing is lost when the entity is forgotten altogether: it has no state, no lock, no
    /// queue, and nothing to recognise doubles by.
    pub fn is_forgettable(&self) -> bool {
        self.state.is_none() && self.lock.is_none() && self.queue_length() == 0 && self.sorter.is_unused()
    }

    /// Whether somebody could run now: a turn is due although no message came.
    pub(super) fn is_ready(&self) -> bool {
        !self.backlog.is_empty() || (self.lock.is_none() && !self.waiting.is_empty())
    }
}
