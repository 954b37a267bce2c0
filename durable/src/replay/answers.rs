//! Which task a message answers, and with what.
//!
//! The one place that knows it, for every kind of task. Begin with [`answered`].

use super::journal::{Completion, TaskKind};
use crate::{
    history::{EventId, EventKind},
    model::Payload,
};

/// The task that such a message answers, if it answers one.
pub(super) fn answered(kind: &EventKind) -> Option<(EventId, TaskKind)> {
    let task = match kind {
        EventKind::TaskCompleted { .. } | EventKind::TaskFailed { .. } => TaskKind::Activity,
        EventKind::SubOrchestrationInstanceCompleted { .. }
        | EventKind::SubOrchestrationInstanceFailed { .. } => TaskKind::SubOrchestration,
        EventKind::TimerFired { .. } => TaskKind::Timer,
        EventKind::EntityOperationCompleted { .. } | EventKind::EntityOperationFailed { .. } => {
            TaskKind::Operation
        }
        EventKind::EntityLockGranted { .. } => TaskKind::Lock,
        _ => return None,
    };
    kind.answers().map(|id| (id, task))
}

/// What such a message brings to the task that it answers.
pub(super) fn completion(kind: &EventKind) -> Completion {
    match kind {
        EventKind::TaskCompleted { result, .. }
        | EventKind::SubOrchestrationInstanceCompleted { result, .. }
        | EventKind::EntityOperationCompleted { result, .. } => Ok(result.clone()),
        EventKind::TaskFailed { failure, .. }
        | EventKind::SubOrchestrationInstanceFailed { failure, .. }
        | EventKind::EntityOperationFailed { failure, .. } => Err(failure.clone()),
        _ => Ok(Payload::null()),
    }
}
