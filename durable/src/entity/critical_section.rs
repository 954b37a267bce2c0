//! An orchestration's side of critical sections: which locks it holds, what it may do meanwhile, and
//! what it owes when it ends.
//!
//! Follows from the execution's own events alone, so a replay finds the same rules broken (R2:ENT-68).
//! Must not know entities' states. Begin with [`Sections`].

use std::collections::{BTreeMap, BTreeSet};

use super::message;
use crate::{
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, LockOwner, RequestId, TaskMessage},
    model::{EntityId, Failure, FailureKind, Timestamp},
};

/// The critical sections of one execution, by what it asked for and what came back.
///
/// The engine tells it every action as it is made and every message as it is applied; or it is made
/// [`of`](Self::of) a history, where there is no session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    open: BTreeMap<EventId, Section>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Section {
    /// Sorted, each once.
    entities: Vec<EntityId>,
    phase: Phase,
    /// The calls that have no answer yet.
    calls: BTreeMap<EventId, EntityId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The request is somewhere on its path.
    Requested,
    Held,
    /// Released by the engine while the orchestrator still believes to be inside.
    Lost,
}

/// A rule of critical sections that an orchestrator broke (R2:ENT-60 to R2:ENT-65).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LockRule {
    /// Rule 1.
    #[error(
        "critical sections cannot be nested: locks are held or asked for already; end that section first, or \
         lock all entities at once"
    )]
    Nested,
    /// Rule 2.
    #[error(
        "no sub-orchestration can be called in a critical section: `{0}`; call it before the section or \
         after it"
    )]
    SubOrchestration(String),
    /// Rule 3.
    #[error("only locked entities can be called in a critical section: `{0}` is not among the locked ones")]
    NotLocked(EntityId),
    /// Rule 4.
    #[error(
        "an entity cannot be called several times in parallel in a critical section: a call of `{0}` has not \
         been answered yet; await it first"
    )]
    Parallel(EntityId),
    /// Rule 5.
    #[error("a locked entity cannot be signalled in its critical section: `{0}`; call it instead")]
    SignalToLocked(EntityId),
    /// There is nothing to lock.
    #[error("a critical section needs at least one entity to lock")]
    Empty,
    /// The engine had to release the locks: the orchestration failed and was rewound.
    #[error(
        "the locks of this critical section are no longer held: they were released when the orchestration \
         failed, before it was rewound"
    )]
    Lost,
}

impl Sections {
    /// The sections that `history` leaves open.
    pub fn of(history: &[HistoryEvent]) -> Self {
        let mut sections = Self::default();
        history.iter().for_each(|event| sections.observe(event.id, &event.kind));
        sections
    }

    /// Takes note of an action (with its id) or of a message that is applied.
    pub fn observe(&mut self, id: EventId, kind: &EventKind) {
        match kind {
            EventKind::EntityLockRequested { entities } => {
                let (entities, phase) = (entities.clone(), Phase::Requested);
                self.open.insert(id, Section { entities, phase, calls: BTreeMap::new() });
            }
            EventKind::EntityLockGranted { task } => {
                if let Some(section @ Section { phase: Phase::Requested, .. }) = self.open.get_mut(task) {
                    section.phase = Phase::Held;
                }
            }
            EventKind::EntityUnlockSent { section, .. } => drop(self.open.remove(section)),
            EventKind::EntityOperationCalled { entity, section: Some(section), .. } => {
                if let Some(section) = self.open.get_mut(section) {
                    section.calls.insert(id, entity.clone());
                }
            }
            EventKind::EntityOperationCompleted { task, .. }
            | EventKind::EntityOperationFailed { task, .. } => {
                self.open.values_mut().for_each(|section| drop(section.calls.remove(task)));
            }
            EventKind::ExecutionRewound { .. } => self.lose_all(),
            _ => {}
        }
    }

    /// The action that asks for the locks of `entities`, in the one order of the task hub and each once
    /// (R2:ENT-67).
    ///
    /// # Errors
    /// `Nested` while another section is open, `Empty` without entities.
    pub fn lock(&self, entities: impl IntoIterator<Item = EntityId>) -> Result<EventKind, LockRule> {
        if !self.open.is_empty() {
            return Err(LockRule::Nested);
        }
        let entities: BTreeSet<_> = entities.into_iter().collect();
        if entities.is_empty() {
            return Err(LockRule::Empty);
        }
        Ok(EventKind::EntityLockRequested { entities: entities.into_iter().collect() })
    }

    /// The action that gives up the locks of `section`, whether held or only asked for; `None` when it
    /// is not open.
    pub fn unlock(&self, section: EventId) -> Option<EventKind> {
        let Section { entities, phase, .. } = self.open.get(&section)?;
        // Locks that were lost had been held: nothing is on its way along a path.
        let held = *phase != Phase::Requested;
        Some(EventKind::EntityUnlockSent { section, entities: entities.clone(), held })
    }

    /// Whether `entity` may be called in `section`.
    ///
    /// # Errors
    /// `NotLocked`, `Parallel`, or `Lost` when the section is not held.
    pub fn may_call(&self, section: EventId, entity: &EntityId) -> Result<(), LockRule> {
        let section = self.held(section)?;
        if !section.locks(entity) {
            return Err(LockRule::NotLocked(entity.clone()));
        }
        if section.calls.values().any(|called| called == entity) {
            return Err(LockRule::Parallel(entity.clone()));
        }
        Ok(())
    }

    /// Whether `entity` may be signalled in `section`.
    ///
    /// # Errors
    /// `SignalToLocked`, or `Lost` when the section is not held.
    pub fn may_signal(&self, section: EventId, entity: &EntityId) -> Result<(), LockRule> {
        match self.held(section)?.locks(entity) {
            true => Err(LockRule::SignalToLocked(entity.clone())),
            false => Ok(()),
        }
    }

    /// Whether the sub-orchestration `name` may be called: not while a section is open.
    ///
    /// # Errors
    /// `SubOrchestration`.
    pub fn may_call_orchestration(&self, name: &str) -> Result<(), LockRule> {
        let is_free = self.open.is_empty();
        is_free.then_some(()).ok_or_else(|| LockRule::SubOrchestration(name.to_owned()))
    }

    /// What is to be sent when the execution ends in any way, so that no lock stays behind: for sections
    /// that are held, and for requests still on their path. To be sent after the messages of the same
    /// checkpoint, by that checkpoint.
    pub fn releases(&self, started: &ExecutionStarted, at: Timestamp) -> Vec<TaskMessage> {
        let mut messages = Vec::new();
        for (id, section) in &self.open {
            let owner = LockOwner {
                instance: started.instance.clone(),
                execution: Some(started.execution.clone()),
                section: RequestId::Task(*id),
            };
            match section.phase {
                Phase::Requested => messages.extend(message::release(&owner, &section.entities, false, at)),
                Phase::Held => messages.extend(message::release(&owner, &section.entities, true, at)),
                Phase::Lost => {}
            }
        }
        messages
    }

    /// Whether nothing is held nor asked for.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The execution goes on after it had failed: its locks were released then, and what it still does in
    /// a section would no longer be alone.
    fn lose_all(&mut self) {
        // What had not been granted is asked for once more.
        let held = self.open.values_mut().filter(|section| section.phase == Phase::Held);
        held.for_each(|section| section.phase = Phase::Lost);
    }

    fn held(&self, section: EventId) -> Result<&Section, LockRule> {
        self.open.get(&section).filter(|section| section.phase == Phase::Held).ok_or(LockRule::Lost)
    }
}

impl Section {
    fn locks(&self, entity: &EntityId) -> bool {
        self.entities.binary_search(entity).is_ok()
    }
}

impl From<LockRule> for Failure {
    fn from(rule: LockRule) -> Self {
        Self::of_kind(FailureKind::LockingRules, "LockingRulesViolation", rule.to_string())
    }
}
