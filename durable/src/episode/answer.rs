//! What a sub-orchestration tells its parent in the end. Pure.

use crate::{
    history::{EventKind, ExecutionStarted, HistoryEvent, ParentInstance, TaskMessage},
    model::{Failure, FailureKind, FunctionName, Timestamp},
    replay::Outcome,
};

/// The message that brings the parent how an execution ended; `None` when nobody waits for it.
pub(super) fn answer(started: &ExecutionStarted, outcome: &Outcome, now: Timestamp) -> Option<TaskMessage> {
    let parent = started.parent.as_deref()?;
    match outcome {
        Outcome::Completed(result) => {
            let kind =
                EventKind::SubOrchestrationInstanceCompleted { task: parent.task, result: result.clone() };
            Some(parent.answer(HistoryEvent::new(now, kind)))
        }
        Outcome::Failed(failure) => Some(failed(parent, failure.clone().passed_on_by(&started.name), now)),
        Outcome::Terminated(reason) => Some(terminated(parent, &started.name, reason, now)),
        Outcome::ContinuedAsNew(_) => None,
    }
}

/// Tells the parent that its sub-orchestration was ended from outside.
pub(super) fn terminated(
    parent: &ParentInstance,
    name: &FunctionName,
    reason: &str,
    now: Timestamp,
) -> TaskMessage {
    let message = format!("the sub-orchestration was terminated: {reason}");
    failed(parent, Failure::of_kind(FailureKind::Terminated, "Terminated", message).in_function(name), now)
}

/// What is to be said about a message that an instance did not take: if it was the start of another
/// orchestration under its id, the parent that waits for that is told that the id belongs to an instance
/// which has not ended. `own` is how the instance itself began.
pub(super) fn refusal(own: &ExecutionStarted, message: &TaskMessage, now: Timestamp) -> Option<TaskMessage> {
    let EventKind::ExecutionStarted(other) = &message.event.kind else { return None };
    if other.is_same_call(own) {
        return None;
    }
    let parent = other.parent.as_deref()?;
    let text = format!(
        "the sub-orchestration could not begin: instance `{}` exists and has not ended; choose another id, or none",
        other.instance
    );
    let failure = Failure::of_kind(FailureKind::IdTaken, "InstanceIdTaken", text).in_function(&other.name);
    Some(failed(parent, failure, now))
}

pub(super) fn failed(parent: &ParentInstance, failure: Failure, now: Timestamp) -> TaskMessage {
    let kind = EventKind::SubOrchestrationInstanceFailed { task: parent.task, failure };
    parent.answer(HistoryEvent::new(now, kind))
}
