//! A turn of an entity as a checkpoint. Pure.
//!
//! All that is kept of an entity is one event, which each turn replaces: how its execution began, with
//! what is kept as its input. Begin with [`turn`].

use crate::{
    entity::TurnEnd,
    history::{EventKind, ExecutionStarted, HistoryEvent},
    model::{EntityId, NotStorable, Payload, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
};

/// The checkpoint of a turn that `entity` took at `now`.
///
/// # Errors
/// When what is to be kept cannot be written as JSON: a defect of this library, since the user's part of it
/// has been written before.
pub fn turn(
    entity: &EntityId,
    end: &mut TurnEnd,
    now: Timestamp,
    tag: CheckpointTag,
) -> Result<Checkpoint, NotStorable> {
    // As `EntityState::of` reads it.
    let started = ExecutionStarted { input: Payload::of(&end.state)?, ..ExecutionStarted::of_entity(entity) };
    Ok(Checkpoint {
        execution: started.execution.clone(),
        replaces: true,
        is_forgettable: end.state.is_forgettable(),
        tag,
        events: vec![HistoryEvent::new(now, EventKind::ExecutionStarted(Box::new(started)))],
        activities: Vec::new(),
        orphans: Vec::new(),
        messages: std::mem::take(&mut end.messages),
        cancelled_timers: Vec::new(),
        change: InstanceChange {
            status: RuntimeStatus::Running,
            custom_status: None,
            output: None,
            failure: None,
            // Of interest is when the state changed, not who asked for a lock.
            updated_at: end.state.last_modified.unwrap_or(now),
        },
    })
}
