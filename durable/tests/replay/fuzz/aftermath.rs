//! What the entities make of all that a program sent them: once it has ended, no lock stays.
//!
//! The entities are real ones; the way between two parties keeps its order, and no other order is promised.
//! Begin with [`Aftermath::live_through`].

use std::collections::{BTreeMap, BTreeSet};

use durable::{
    entity::{BatchEnd, EntityState, OperationEnd, Presence, Turn, TurnOptions, message},
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{EntityId, ExecutionId, InstanceId, Payload},
};

use super::{
    mutants::Mutant,
    random::{Random, mix},
};

/// The entities that a program deals with, and what is under way.
pub(super) struct Aftermath {
    random: Random,
    mutant: Option<Mutant>,
    entities: BTreeMap<EntityId, EntityState>,
    /// Each with who sent it.
    under_way: Vec<(InstanceId, TaskMessage)>,
    /// What the program was told.
    told: BTreeSet<(ExecutionId, EventId)>,
    locks: usize,
}

impl Aftermath {
    pub(super) fn new(seed: u64, mutant: Option<Mutant>) -> Self {
        let (entities, under_way, told) = Default::default();
        Self { random: Random::new(mix(seed, 11)), mutant, entities, under_way, told, locks: 0 }
    }

    /// How many sections were asked for.
    pub(super) fn locks(&self) -> usize {
        self.locks
    }

    /// One execution, from its start to its end: what it asked for is sent when it did so, and what it was told
    /// had come from the entities by then.
    pub(super) fn live_through(
        &mut self,
        started: &ExecutionStarted,
        history: &[HistoryEvent],
        mut releases: Vec<TaskMessage>,
    ) -> Result<(), String> {
        let mut asked = BTreeSet::new();
        for event in history {
            for _ in 0..self.random.below(3) {
                self.deliver()?;
            }
            match &event.kind {
                EventKind::EntityLockGranted { task }
                | EventKind::EntityOperationCompleted { task, .. }
                | EventKind::EntityOperationFailed { task, .. }
                    // Not what was said twice, or too late.
                    if asked.remove(task) =>
                {
                    self.wait_for(&(started.execution.clone(), *task))?;
                }
                EventKind::EntityOperationCalled { .. } => drop(asked.insert(event.id)),
                EventKind::EntityLockRequested { .. } => {
                    self.locks += 1;
                    asked.insert(event.id);
                }
                EventKind::EntityUnlockSent { section, .. } => drop(asked.remove(section)),
                _ => {}
            }
            self.send(&started.instance, message::requests(started, &self.spoilt(event)));
        }
        if self.mutant == Some(Mutant::LocksKeptAtTheEnd) {
            releases.clear();
        }
        self.send(&started.instance, releases);
        Ok(())
    }

    /// Delivers all that is under way.
    ///
    /// # Errors
    /// When a lock stays, or somebody still waits.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        while self.deliver()? {}
        let left = |state: &EntityState| state.lock().is_some() || state.queue_length() > 0;
        match self.entities.iter().find(|(_, state)| left(state)) {
            Some((entity, state)) => Err(format!("`{entity}` is left with {state:?}")),
            None => Ok(()),
        }
    }

    fn wait_for(&mut self, answer: &(ExecutionId, EventId)) -> Result<(), String> {
        while !self.told.contains(answer) {
            if !self.deliver()? {
                return Err(format!("the entities never answered {}", answer.1));
            }
        }
        Ok(())
    }

    /// An action as a broken engine sends it.
    fn spoilt(&self, event: &HistoryEvent) -> HistoryEvent {
        let mut event = event.clone();
        match (&mut event.kind, self.mutant) {
            (EventKind::EntityUnlockSent { .. }, Some(Mutant::UnlocksForgotten)) => {
                event.kind = EventKind::OrchestratorStarted;
            }
            (EventKind::EntityUnlockSent { held, .. }, Some(Mutant::WithdrawalsOvertake)) => *held = true,
            _ => {}
        }
        event
    }

    fn send(&mut self, from: &InstanceId, messages: Vec<TaskMessage>) {
        self.under_way.extend(messages.into_iter().map(|message| (from.clone(), message)));
    }

    /// Delivers the oldest message between two parties; `false` when nothing is under way.
    fn deliver(&mut self) -> Result<bool, String> {
        if self.under_way.is_empty() {
            return Ok(false);
        }
        let any = &self.under_way[self.random.below(self.under_way.len())];
        let pair = (any.0.clone(), any.1.instance.clone());
        let is_between =
            |(from, message): &(InstanceId, TaskMessage)| (from, &message.instance) == (&pair.0, &pair.1);
        let first = self.under_way.iter().position(is_between).expect("at least the drawn one");
        let (_, message) = self.under_way.remove(first);
        match EntityId::of_instance(&message.instance) {
            Some(entity) => self.turn(&entity, &message),
            None => self.tell(message)?,
        }
        Ok(true)
    }

    fn turn(&mut self, entity: &EntityId, message: &TaskMessage) {
        let saved = self.entities.remove(entity).unwrap_or_default();
        let most_operations = self.random.between(1, 3);
        let options = TurnOptions { now: crate::script::at(1), most_operations, reorder_window: None };
        let mut turn = Turn::new(entity.clone(), saved, options);
        turn.take([message]);
        while turn.doubt().is_some() {
            turn.learn(Presence::Live);
        }
        let done = OperationEnd { result: Ok(Payload::null()), sent: Vec::new() };
        let ends = turn.operations().iter().map(|_| done.clone()).collect();
        let end = turn.finish(BatchEnd { state: Some(Payload::null()), ends });
        self.entities.insert(entity.clone(), end.state);
        self.send(&entity.instance(), end.messages);
    }

    /// The only failures here are those of the locks.
    fn tell(&mut self, message: TaskMessage) -> Result<(), String> {
        match (&message.event.kind, message.execution) {
            (EventKind::EntityOperationFailed { failure, .. }, _) => {
                Err(format!("a call was refused: {failure}"))
            }
            (kind, execution) => {
                self.told.extend(execution.zip(kind.answers()));
                Ok(())
            }
        }
    }
}
