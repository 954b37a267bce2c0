//! A hub kept nowhere but in memory: the store behind `memory:`.
//!
//! Keeps what the file would keep, in the same stored form, so that recovery and queries are the
//! same for both. Nothing fails half-way here, so there is nothing to roll back.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    error::Trouble,
    place::Place,
    rows::{self, Key, Row, Standing, StoredEpisode, StoredHead, StoredMessage},
    store::{self, Accepted, Added, Arrival, Store, WrittenEpisode, WrittenMessage},
};
use crate::{
    history::{EventKind, HistoryEvent},
    model::{InstanceId, InstanceState, RuntimeStatus, Timestamp},
    provider::{NewInstance, ProviderErrorKind, Reuse},
};

/// A hub in memory; clones are the same hub.
#[derive(Debug, Clone)]
pub(super) struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
    /// For how long ended instances are kept that say nothing of their own.
    retention: Option<Duration>,
}

/// All that is kept.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) keys: HashMap<InstanceId, Key>,
    /// In the order of creation.
    pub(super) instances: BTreeMap<Key, KeptInstance>,
    pub(super) counts: BTreeMap<RuntimeStatus, u64>,
    /// Until when the ended ones are kept that are not kept for ever.
    pub(super) purges: BTreeSet<(Timestamp, Key)>,
    pub(super) history: HashMap<Row, StoredEpisode>,
    messages: BTreeMap<Row, StoredMessage>,
    last_row: Row,
    pub(super) is_made: bool,
}

#[derive(Debug)]
pub(super) struct KeptInstance {
    pub(super) head: StoredHead,
    pub(super) started: HistoryEvent,
    pub(super) standing: Standing,
    pub(super) purge_at: Option<Timestamp>,
}

impl MemoryStore {
    pub(super) fn new(retention: Option<Duration>) -> Self {
        Self { kept: Arc::default(), retention }
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn next_row(&mut self) -> Row {
        self.last_row += 1;
        self.last_row
    }

    pub(super) fn state(&self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
        let instance = self.keys.get(id).and_then(|key| self.instances.get(key));
        instance.map(|found| rows::instance_state(&found.started, found.standing.clone())).transpose()
    }

    /// Counts one orchestration more at `status`, or one fewer; entities are not counted.
    pub(super) fn count(&mut self, id: &InstanceId, status: RuntimeStatus, change: i64) {
        if id.is_entity() {
            return;
        }
        let count = self.counts.entry(status).or_default();
        *count = count.saturating_add_signed(change);
    }

    pub(super) fn forget_history(&mut self, last: Option<Row>) {
        let mut next = last;
        while let Some(row) = next {
            next = self.history.remove(&row).and_then(|episode| episode.previous);
        }
    }

    fn create(&mut self, new: &NewInstance) -> Result<Accepted, Trouble> {
        self.is_made = true;
        let mut started = new.started.clone();
        started.generation = 0;
        let taken_key = self.keys.get(&started.instance).copied();
        if let Some(taken) = taken_key.and_then(|key| self.instances.get(&key)) {
            if !taken.standing.status.is_terminal() || new.reuse == Reuse::Never {
                return Err(Trouble::new(ProviderErrorKind::AlreadyExists));
            }
            started.generation = taken.standing.generation.saturating_add(1);
        }
        if let Some(taken) = taken_key {
            self.remove(taken);
        }
        let key = self.next_row();
        let event = HistoryEvent::new(new.at, EventKind::ExecutionStarted(Box::new(started)));
        let accepted = Accepted::new(key, 0, event)?;
        let standing = Standing {
            status: accepted.head.status,
            execution: accepted.head.execution.clone(),
            generation: accepted.head.generation,
            updated: new.at,
            created: new.at,
            custom_status: None,
            output: None,
            failure: None,
        };
        let (head, started) = (accepted.head.clone(), accepted.started.clone());
        let kept = KeptInstance { head, started, standing, purge_at: None };
        self.count(&accepted.head.id, RuntimeStatus::Pending, 1);
        self.keys.insert(accepted.head.id.clone(), key);
        self.instances.insert(key, kept);
        Ok(accepted)
    }

    fn add_message(&mut self, written: &WrittenMessage) -> Result<Added, Trouble> {
        let WrittenMessage { message, event } = written;
        let key = self.keys.get(&message.instance).copied();
        let found = key.and_then(|key| self.instances.get(&key));
        let head = &found.ok_or_else(|| Trouble::new(ProviderErrorKind::NotFound))?.standing;
        if head.status.is_terminal() {
            return Err(Trouble::new(ProviderErrorKind::Ended));
        }
        let stored = StoredMessage {
            row: self.last_row + 1,
            instance: key.expect("the instance was found by its key"),
            generation: head.generation,
            execution: message.execution.clone(),
            visible_at: message.visible_at,
            event: event.clone(),
        };
        let added = Added { key: stored.instance, row: self.next_row() };
        self.messages.insert(added.row, stored);
        Ok(added)
    }

    fn reopen(&mut self, id: &InstanceId) -> Result<Option<StoredHead>, Trouble> {
        let key = self.keys.get(id).copied().unwrap_or(Key::MIN);
        let Some(KeptInstance { head, standing, purge_at, .. }) = self.instances.get_mut(&key) else {
            return Err(Trouble::new(ProviderErrorKind::NotFound));
        };
        match standing.status {
            RuntimeStatus::Failed => {
                standing.status = RuntimeStatus::Running;
                standing.output = None;
                standing.failure = None;
                head.status = RuntimeStatus::Running;
                let head = head.clone();
                if let Some(purge_at) = purge_at.take() {
                    self.purges.remove(&(purge_at, key));
                }
                self.count(id, RuntimeStatus::Failed, -1);
                self.count(id, RuntimeStatus::Running, 1);
                Ok(Some(head))
            }
            status if status.is_terminal() => Err(Trouble::new(ProviderErrorKind::Ended)),
            _ => Ok(None),
        }
    }

    fn checkpoint(
        &mut self,
        episode: &WrittenEpisode<'_>,
        usually: Option<Duration>,
    ) -> Result<store::Kept, Trouble> {
        if episode.replaces {
            self.forget_history(episode.last);
        }
        let row = self.next_row();
        let stored = StoredEpisode {
            previous: episode.last.filter(|_| !episode.replaces),
            instance: episode.key,
            sequence: episode.sequence,
            events: episode.events.to_vec(),
            cancelled: episode.cancelled.map(<[u8]>::to_vec),
        };
        self.history.insert(row, stored);
        let instance = self.instances.get_mut(&episode.key);
        let instance = instance.ok_or_else(|| Trouble::corrupt("the instance has gone"))?;
        if let Some(started) = episode.started {
            instance.started = rows::only_event(started)?;
        }
        let (id, was) = (instance.head.id.clone(), instance.standing.status);
        instance.advance(episode, row);
        if episode.change.status.is_terminal() {
            let age = rows::started_of(&instance.started)?.retention.or(usually);
            instance.purge_at = age.map(|age| episode.change.updated_at.saturating_add(age));
        }
        let purge_at = instance.purge_at;
        self.purges.extend(purge_at.map(|at| (at, episode.key)));
        self.count(&id, was, -1);
        self.count(&id, episode.change.status, 1);
        for row in episode.consumed {
            self.messages.remove(row);
        }
        Ok(store::Kept { last: row, purge_at })
    }
}

impl KeptInstance {
    fn advance(&mut self, episode: &WrittenEpisode<'_>, row: Row) {
        let Self { head, standing, .. } = self;
        let change = episode.change;
        head.execution = episode.execution.clone();
        head.status = change.status;
        head.last = Some(row);
        head.sequence = episode.sequence;
        head.open = episode.open;
        standing.execution = episode.execution.clone();
        standing.status = change.status;
        standing.updated = change.updated_at;
        for (kept, new) in
            [(&mut standing.custom_status, &change.custom_status), (&mut standing.output, &change.output)]
        {
            if new.is_some() {
                kept.clone_from(new);
            }
        }
        if change.failure.is_some() {
            standing.failure.clone_from(&change.failure);
        }
    }
}

impl Store for MemoryStore {
    fn begin(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn rollback(&mut self) {}

    fn create_instance(&mut self, new: &NewInstance) -> Result<Accepted, Trouble> {
        self.kept().create(new)
    }

    fn add_message(&mut self, message: &WrittenMessage) -> Result<Added, Trouble> {
        self.kept().add_message(message)
    }

    fn reopen(&mut self, id: &InstanceId) -> Result<Option<StoredHead>, Trouble> {
        self.kept().reopen(id)
    }

    fn checkpoint(&mut self, episode: &WrittenEpisode<'_>) -> Result<store::Kept, Trouble> {
        self.kept().checkpoint(episode, self.retention)
    }

    fn purge(&mut self, id: &InstanceId) -> Result<bool, Trouble> {
        self.kept().purge(id)
    }

    fn purge_found(&mut self, places: &[Place]) -> Result<u64, Trouble> {
        Ok(self.kept().purge_found(places))
    }

    fn forget(&mut self, id: &InstanceId) -> Result<(), Trouble> {
        let mut kept = self.kept();
        if let Some(key) = kept.keys.get(id).copied() {
            kept.remove(key);
        }
        Ok(())
    }

    fn purge_due(&mut self, now: Timestamp, most: usize) -> Result<u64, Trouble> {
        Ok(self.kept().purge_due(now, most))
    }

    fn next_purge(&mut self) -> Result<Option<Timestamp>, Trouble> {
        Ok(self.kept().purges.first().map(|(at, _)| *at))
    }

    fn remove_messages(&mut self, rows: &[Row]) -> Result<(), Trouble> {
        let mut kept = self.kept();
        for row in rows {
            kept.messages.remove(row);
        }
        Ok(())
    }

    fn state(&mut self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
        self.kept().state(id)
    }

    fn live(&mut self) -> Result<Vec<StoredHead>, Trouble> {
        let kept = self.kept();
        let heads = kept.instances.values().map(|instance| &instance.head);
        Ok(heads.filter(|head| !head.status.is_terminal()).cloned().collect())
    }

    fn started(&mut self, key: Key) -> Result<HistoryEvent, Trouble> {
        let kept = self.kept();
        let found = kept.instances.get(&key).map(|instance| instance.started.clone());
        found.ok_or_else(|| Trouble::corrupt("the instance has gone"))
    }

    fn episode(&mut self, row: Row) -> Result<StoredEpisode, Trouble> {
        let found = self.kept().history.get(&row).cloned();
        found.ok_or_else(|| Trouble::corrupt(format!("row {row} of the history is missing")))
    }

    fn messages(&mut self) -> Result<Vec<StoredMessage>, Trouble> {
        Ok(self.kept().messages.values().cloned().collect())
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn has_changed(&mut self) -> Result<bool, Trouble> {
        Ok(false)
    }

    fn mark_seen(&mut self) -> Result<(), Trouble> {
        Ok(())
    }

    fn announce(&mut self, _: Key, _: Option<Row>) -> Result<(), Trouble> {
        Ok(())
    }

    fn take_arrivals(&mut self) -> Result<Vec<Arrival>, Trouble> {
        Ok(Vec::new())
    }

    fn hold(&mut self, _: Timestamp) -> Result<(), Trouble> {
        self.create_hub()
    }

    fn release(&mut self) {}

    fn create_hub(&mut self) -> Result<(), Trouble> {
        self.kept().is_made = true;
        Ok(())
    }

    fn delete_hub(&mut self) -> Result<(), Trouble> {
        *self.kept() = Kept::default();
        Ok(())
    }
}
