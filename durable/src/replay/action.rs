//! What an orchestrator asked for in an episode.

use std::panic::Location;

use crate::history::{EventId, EventKind, HistoryEvent};
use crate::model::{EntityId, Timestamp};

/// One thing an orchestrator asked for.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its number within the execution.
    pub id: EventId,
    /// What will stand in history for it: one of the kinds that are no message.
    pub kind: EventKind,
    /// The line of user code that asked.
    pub location: &'static Location<'static>,
}

impl Action {
    /// The event that records the action.
    pub fn into_event(self, at: Timestamp) -> HistoryEvent {
        HistoryEvent::action(self.id, at, self.kind)
    }
}

fn locks(entities: &[EntityId]) -> String {
    let names: Vec<_> = entities.iter().map(|entity| format!("`{entity}`")).collect();
    format!("locks of {}", names.join(", "))
}

/// An action in the words of a message to a person.
pub(super) fn describe(kind: &EventKind) -> String {
    match kind {
        EventKind::TaskScheduled { name, version: None, .. } => format!("call of activity `{name}`"),
        EventKind::TaskScheduled { name, version: Some(version), .. } => {
            format!("call of activity `{name}`, version {version}")
        }
        EventKind::SubOrchestrationInstanceCreated(child) => {
            let verb = if child.is_detached { "start" } else { "call" };
            let version =
                child.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
            format!("{verb} of orchestration `{}`{version} as `{}`", child.name, child.instance)
        }
        EventKind::TimerCreated { fire_at, .. } => format!("timer until {fire_at}"),
        EventKind::EventSent { instance, name, .. } => format!("event `{name}` sent to `{instance}`"),
        EventKind::EntityOperationCalled { entity, operation, .. } => {
            format!("call of operation `{}` of entity `{entity}`", operation.as_str())
        }
        EventKind::EntityOperationSignaled { entity, operation, .. } => {
            format!("signal `{}` to entity `{entity}`", operation.as_str())
        }
        EventKind::EntityLockRequested { entities } => format!("request for the {}", locks(entities)),
        EventKind::EntityUnlockSent { entities, .. } => format!("release of the {}", locks(entities)),
        EventKind::ContinueAsNew { .. } => "end of the execution, to continue as new".into(),
        EventKind::ExecutionCompleted { status, .. } => format!("end of the orchestration, {status}"),
        other => other.name().into(),
    }
}
