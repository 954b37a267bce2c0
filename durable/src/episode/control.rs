//! What messages that steer an instance do to it beyond what the session does: the reason that is
//! seen, and an end that needs no orchestrator. Pure.
//!
//! Begin with [`terminate`].

use crate::{
    history::{EventId, EventKind, History, HistoryEvent, Rest, TaskMessage},
    model::{ExecutionId, Payload, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
};

/// Ends an execution without its orchestrator, if `messages` hold an order to: because it has not
/// begun and never will, or because nobody here can continue it. `None` when they hold none.
///
/// `past` is what is known of its history. Of the messages, those that stand beside the order answer to
/// nobody any more, and only the start becomes history.
pub fn terminate(
    execution: &ExecutionId,
    past: &History,
    messages: &[TaskMessage],
    now: Timestamp,
    tag: CheckpointTag,
) -> Option<Checkpoint> {
    let for_it = |message: &&TaskMessage| message.execution.as_ref().is_none_or(|of| of == execution);
    let (order, reason) = messages.iter().filter(for_it).find_map(|message| match &message.event.kind {
        EventKind::ExecutionTerminated { reason } => Some((&message.event, reason)),
        _ => None,
    })?;
    let is_start = |event: &&HistoryEvent| matches!(event.kind, EventKind::ExecutionStarted(_));
    let start = messages.iter().filter(for_it).map(|message| &message.event).find(is_start);
    let start = start.filter(|_| past.started().is_none());

    let now = past.events().iter().map(|event| event.timestamp).fold(now, Timestamp::max);
    let last = past.events().iter().map(|event| event.id).max().unwrap_or(EventId::NONE);
    let output = Payload::of(reason).unwrap_or_default();
    let (status, result) = (RuntimeStatus::Terminated, output.clone());
    let end = EventKind::ExecutionCompleted { status, result, failure: None };
    let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
    events.extend(start.into_iter().chain([order]).cloned());
    events.push(HistoryEvent::action(last.next(), now, end));
    events.push(HistoryEvent::new(
        now,
        EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() },
    ));
    let change =
        InstanceChange { status, custom_status: None, output: Some(output), failure: None, updated_at: now };
    Some(Checkpoint {
        execution: execution.clone(),
        tag,
        events,
        activities: Vec::new(),
        messages: Vec::new(),
        cancelled_timers: Vec::new(),
        change,
    })
}

/// What a live instance shows as its output after `events`, where they change it: why it is
/// suspended, and nothing once it goes on (R2:MGT-19).
pub(super) fn output(events: &[HistoryEvent]) -> Option<Payload> {
    events.iter().rev().find_map(|event| match &event.kind {
        EventKind::ExecutionSuspended { reason } => Some(Payload::of(reason).unwrap_or_default()),
        EventKind::ExecutionResumed { .. } => Some(Payload::null()),
        _ => None,
    })
}
