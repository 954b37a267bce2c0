//! Facts about entities: operations that were called and answered, locks that were asked for and given up.
//!
//! Must not know episodes. Begin with [`operation_called`] and [`locks_requested`].

use durable::{
    history::{EventId, EventKind},
    model::{EntityId, Failure, OperationName, Payload},
};
use serde::Serialize;

use crate::history::{Fact, Kind};

fn action(id: i32, kind: EventKind) -> Fact {
    Fact(Kind::Event { id: EventId::from_i32(id), kind, input_matters: true })
}

fn message(kind: EventKind) -> Fact {
    action(EventId::NONE.as_i32(), kind)
}

#[track_caller]
fn entity(text: &str) -> EntityId {
    text.parse().unwrap_or_else(|error| panic!("`{text}` is no entity: {error}"))
}

#[track_caller]
fn entities(texts: &[&str]) -> Vec<EntityId> {
    texts.iter().map(|text| entity(text)).collect()
}

/// An operation of the entity `@name@key` was called, with whatever input; [`Fact::with`] says which,
/// [`Fact::within`] in which critical section.
///
/// # Panics
/// When it is no entity.
#[track_caller]
pub fn operation_called(id: i32, of: &str, operation: impl Into<OperationName>) -> Fact {
    let (entity, operation, input) = (entity(of), operation.into(), Payload::null());
    let kind = EventKind::EntityOperationCalled { entity, operation, input, section: None };
    Fact(Kind::Event { id: EventId::from_i32(id), kind, input_matters: false })
}

/// The entity `@name@key` was signalled, with whatever input and at once; [`Fact::with`] says which input.
///
/// # Panics
/// When it is no entity.
#[track_caller]
pub fn signalled(id: i32, of: &str, operation: impl Into<OperationName>) -> Fact {
    let (entity, operation, input) = (entity(of), operation.into(), Payload::null());
    let kind = EventKind::EntityOperationSignaled { entity, operation, input, due: None };
    Fact(Kind::Event { id: EventId::from_i32(id), kind, input_matters: false })
}

/// The operation that call `task` asked for returned `result`.
#[track_caller]
pub fn operation_answered(task: i32, result: impl Serialize) -> Fact {
    let (task, result) = (EventId::from_i32(task), crate::history::json(result));
    message(EventKind::EntityOperationCompleted { task, result })
}

/// The operation that call `task` asked for failed.
pub fn operation_failed(task: i32, failure: impl Into<Failure>) -> Fact {
    let (task, failure) = (EventId::from_i32(task), failure.into());
    message(EventKind::EntityOperationFailed { task, failure })
}

/// The locks of these entities, `@name@key` each, were asked for in this order.
///
/// # Panics
/// When one is no entity.
#[track_caller]
pub fn locks_requested(id: i32, of: &[&str]) -> Fact {
    action(id, EventKind::EntityLockRequested { entities: entities(of) })
}

/// All locks of request `task` are held.
pub fn locks_granted(task: i32) -> Fact {
    message(EventKind::EntityLockGranted { task: EventId::from_i32(task) })
}

/// The locks that section `section` held were given up.
///
/// # Panics
/// When one is no entity.
#[track_caller]
pub fn unlocked(id: i32, section: i32, of: &[&str]) -> Fact {
    let (section, entities) = (EventId::from_i32(section), entities(of));
    action(id, EventKind::EntityUnlockSent { section, entities, held: true })
}

/// The request `section` for locks was taken back before they were granted.
///
/// # Panics
/// When one is no entity.
#[track_caller]
pub fn withdrawn(id: i32, section: i32, of: &[&str]) -> Fact {
    let (section, entities) = (EventId::from_i32(section), entities(of));
    action(id, EventKind::EntityUnlockSent { section, entities, held: false })
}

impl Fact {
    /// Of a called operation: in the critical section that request `section` asked for.
    ///
    /// # Panics
    /// When the fact is no call of an operation.
    #[must_use]
    #[track_caller]
    pub fn within(mut self, section: i32) -> Self {
        match &mut self.0 {
            Kind::Event { kind: EventKind::EntityOperationCalled { section: within, .. }, .. } => {
                *within = Some(EventId::from_i32(section));
            }
            _ => panic!("only a called operation is in a critical section: {self:?}"),
        }
        self
    }
}

/// Whether two actions that deal with entities are the same; inputs count if they matter.
pub(crate) fn is_same(expected: &EventKind, made: &EventKind, input_matters: bool) -> bool {
    use EventKind::{EntityOperationCalled, EntityOperationSignaled};
    let is_same_input = |input: &Payload, other: &Payload| !input_matters || input.is_same_json(other);
    match (expected, made) {
        (
            EntityOperationCalled { entity, operation, input, section },
            EntityOperationCalled { entity: other, operation: asked, input: given, section: within },
        ) => (entity, operation, section) == (other, asked, within) && is_same_input(input, given),
        (
            EntityOperationSignaled { entity, operation, input, due },
            EntityOperationSignaled { entity: other, operation: asked, input: given, due: at },
        ) => (entity, operation, due) == (other, asked, at) && is_same_input(input, given),
        (EventKind::EntityLockRequested { .. } | EventKind::EntityUnlockSent { .. }, made) => {
            expected == made
        }
        _ => false,
    }
}

/// Such an action or message in one line; `None` for others.
pub(crate) fn describe(id: EventId, kind: &EventKind) -> Option<String> {
    let names = |entities: &[EntityId]| {
        let names: Vec<_> = entities.iter().map(|entity| format!("`{entity}`")).collect();
        names.join(", ")
    };
    Some(match kind {
        EventKind::EntityOperationCalled { entity, operation, input, section } => {
            let within = section.map(|section| format!(", in section {section}")).unwrap_or_default();
            format!("{id} call of `{}` of `{entity}` with {input:?}{within}", operation.as_str())
        }
        EventKind::EntityOperationSignaled { entity, operation, input, .. } => {
            format!("{id} signal `{}` to `{entity}` with {input:?}", operation.as_str())
        }
        EventKind::EntityLockRequested { entities } => {
            format!("{id} request for locks of {}", names(entities))
        }
        EventKind::EntityUnlockSent { section, entities, held } => {
            let what = if *held { "release" } else { "withdrawal" };
            format!("{id} {what} of section {section}: {}", names(entities))
        }
        EventKind::EntityOperationCompleted { task, result } => {
            format!("operation {task} returned {result:?}")
        }
        EventKind::EntityOperationFailed { task, failure } => {
            format!("operation {task} failed: {}", failure.message())
        }
        EventKind::EntityLockGranted { task } => format!("section {task} holds its locks"),
        _ => return None,
    })
}
