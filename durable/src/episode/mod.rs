//! An episode: new messages in, a checkpoint out. Pure.
//!
//! Decides which messages are history and which are late or double, and turns what the
//! orchestrator asked for into events and outgoing messages. Begin with [`run`].

mod apply;
mod control;

pub use control::terminate;

use crate::{
    history::{EventKind, HistoryEvent, Rest, TaskMessage},
    model::{ExecutionId, Failure, Payload, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
    replay::Session,
};

/// Gives `messages` to a session that stands at the end of its history, and says what to save.
///
/// `now` is the time of the episode, `tag` the new checkpoint's name.
pub fn run(
    session: &mut Session,
    messages: &[TaskMessage],
    now: Timestamp,
    tag: CheckpointTag,
) -> Checkpoint {
    session.begin_episode(now);
    let now = session.now();
    let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
    for message in messages {
        if is_news(session, message) {
            session.apply(&message.event);
            events.push(message.event.clone());
        }
    }
    apply::checkpoint(session, events, now, tag)
}

/// Ends an execution that cannot go on, whatever its orchestrator would do: its work item was handed
/// out too often.
pub fn fail(execution: ExecutionId, failure: Failure, now: Timestamp, tag: CheckpointTag) -> Checkpoint {
    let status = RuntimeStatus::Failed;
    let end =
        EventKind::ExecutionCompleted { status, result: Payload::null(), failure: Some(failure.clone()) };
    let kinds = [
        EventKind::OrchestratorStarted,
        end,
        EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() },
    ];
    Checkpoint {
        execution,
        tag,
        events: kinds.into_iter().map(|kind| HistoryEvent::new(now, kind)).collect(),
        activities: Vec::new(),
        messages: Vec::new(),
        cancelled_timers: Vec::new(),
        change: InstanceChange {
            status,
            custom_status: None,
            output: Some(Payload::null()),
            failure: Some(failure),
            updated_at: now,
        },
    }
}

/// Whether a message becomes history: it is for this execution, and answers what is still open.
fn is_news(session: &Session, message: &TaskMessage) -> bool {
    let started = session.started();
    let for_this_execution =
        message.execution.as_ref().is_none_or(|execution| *execution == started.execution);
    let is_news = for_this_execution && session.expects(&message.event);
    if !is_news {
        let (instance, event) = (&started.instance, message.event.kind.name());
        tracing::debug!(%instance, event, for_this_execution, "dropped a late or double message");
    }
    is_news
}

/// Where an instance stands that has not ended.
fn live_status(is_suspended: bool) -> RuntimeStatus {
    if is_suspended { RuntimeStatus::Suspended } else { RuntimeStatus::Running }
}
