//! The engine's verbs for entities: call, signal, lock.
//!
//! What a critical section allows is decided here, by what the execution asked for and got: the same on
//! every replay (R2:ENT-68). Begin with [`Handle::lock`].

use std::panic::Location;

use super::{
    Callee, Handle,
    journal::{Key, TaskKind},
    task::{Subject, Task},
};
use crate::{
    entity::LockRule,
    history::{EventId, EventKind},
    model::{EntityId, Failure, OperationName, Payload, Timestamp},
};

/// An operation that an orchestrator asks for.
#[derive(Debug, Clone)]
pub struct OperationAsked {
    /// Of which entity.
    pub entity: EntityId,
    /// Which operation.
    pub operation: OperationName,
    /// With what.
    pub input: Payload,
    /// When it is to run, if not at once; for signals.
    pub due: Option<Timestamp>,
    /// In which critical section, if in one.
    pub section: Option<EventId>,
}

impl Handle {
    /// Calls an operation, and waits for its answer. A call that the rules of critical sections forbid is
    /// refused, and not recorded.
    #[track_caller]
    pub fn call_entity<T>(&self, asked: OperationAsked) -> Task<T> {
        let location = Location::caller();
        let OperationAsked { entity, operation, input, section, .. } = asked;
        let subject = Subject::Operation(entity.clone(), operation.clone());
        let id = self.with(Some(location), |journal| {
            section.map_or(Ok(()), |section| journal.sections.may_call(section, &entity))?;
            let kind = EventKind::EntityOperationCalled { entity, operation, input, section };
            Ok(journal.ask(TaskKind::Operation, kind, location))
        });
        match id {
            Some(Ok(id)) => Task::waiting(self.shared().clone(), Key::Task(id), subject),
            Some(Err(rule)) => refused(rule),
            None => Task::inert(),
        }
    }

    /// Signals an entity: nobody waits for what becomes of it.
    ///
    /// # Errors
    /// When the critical section forbids it; nothing is recorded then.
    #[track_caller]
    pub fn signal_entity(&self, asked: OperationAsked) -> Result<(), LockRule> {
        let location = Location::caller();
        let OperationAsked { entity, operation, input, due, section } = asked;
        let sent = self.with(Some(location), |journal| {
            section.map_or(Ok(()), |section| journal.sections.may_signal(section, &entity))?;
            journal.act(EventKind::EntityOperationSignaled { entity, operation, input, due }, location);
            Ok(())
        });
        sent.unwrap_or(Ok(()))
    }

    /// Asks for the locks of `entities`: the section's number, and the task that completes when it holds
    /// them all. Dropping the task gives up what it has and what it waits for.
    #[track_caller]
    pub fn lock(&self, entities: Vec<EntityId>) -> (EventId, Task<()>) {
        let location = Location::caller();
        let asked = self.with(Some(location), |journal| {
            let kind = journal.sections.lock(entities)?;
            Ok(journal.ask(TaskKind::Lock, kind, location))
        });
        match asked {
            Some(Ok(id)) => (id, Task::waiting(self.shared().clone(), Key::Task(id), Subject::Locks)),
            Some(Err(rule)) => (EventId::NONE, refused(rule)),
            None => (EventId::NONE, Task::inert()),
        }
    }

    /// Whether something else than an entity may be called: no sub-orchestration in a critical section
    /// (R2:ENT-61). The compiler sees to it for users of the context; this is for all others.
    #[track_caller]
    pub(super) fn may_call(&self, callee: &Callee) -> Result<(), LockRule> {
        match callee {
            Callee::Activity { .. } => Ok(()),
            Callee::Orchestration(child) => self
                .with(Some(Location::caller()), |journal| {
                    journal.sections.may_call_orchestration(child.name.as_str())
                })
                .unwrap_or(Ok(())),
        }
    }

    /// Gives up the locks of a section, for the line `location`. Without effect when they were given up
    /// before, and after an unload.
    pub fn unlock(&self, section: EventId, location: &'static Location<'static>) {
        self.with(Some(location), |journal| journal.unlock(section, location));
    }
}

fn refused<T>(rule: LockRule) -> Task<T> {
    Task::refused(Failure::from(rule))
}
