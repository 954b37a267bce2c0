//! What messages that steer an instance do to it beyond what the session does: the reason that is
//! seen, and an end that needs no orchestrator. Pure.
//!
//! Begin with [`terminate`].

use super::answer;
use crate::{
    entity::Sections,
    history::{EventId, EventKind, ExecutionStarted, History, HistoryEvent, Rest, TaskMessage},
    model::{ExecutionId, Failure, InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
};

/// Ends an execution without its orchestrator, if `messages` hold an order to: because it has not
/// begun and never will, or because nobody here can continue it. `None` when they hold none.
///
/// `past` is what is known of its history, `start` how it began when the past does not say so. Of the
/// messages, those that stand beside the order answer to nobody any more, and only the start becomes
/// history; whoever sent another start is told that the id is taken.
pub fn terminate(
    execution: &ExecutionId,
    past: &History,
    start: Option<&ExecutionStarted>,
    messages: &[TaskMessage],
    now: Timestamp,
    tag: CheckpointTag,
) -> Option<Checkpoint> {
    let for_it = |message: &&TaskMessage| message.execution.as_ref().is_none_or(|of| of == execution);
    let (order, reason, recursive) =
        messages.iter().filter(for_it).find_map(|message| match &message.event.kind {
            EventKind::ExecutionTerminated { reason, recursive } => {
                Some((&message.event, reason, *recursive))
            }
            _ => None,
        })?;
    let begun = messages.iter().filter(for_it).find_map(|message| match &message.event.kind {
        EventKind::ExecutionStarted(started) => Some((&message.event, &**started)),
        _ => None,
    });
    let started = past.started().or_else(|| begun.map(|(_, started)| started)).or(start);

    let now = past.events().iter().map(|event| event.timestamp).fold(now, Timestamp::max);
    let last = past.events().iter().map(|event| event.id).max().unwrap_or(EventId::NONE);
    let output = Payload::of(reason).unwrap_or_default();
    let (status, result) = (RuntimeStatus::Terminated, output.clone());
    let end = EventKind::ExecutionCompleted { status, result, failure: None };
    let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
    let begin = begun.map(|(event, _)| event).filter(|_| past.started().is_none());
    events.extend(begin.into_iter().chain([order]).cloned());
    events.push(HistoryEvent::action(last.next(), now, end));
    events.push(HistoryEvent::new(
        now,
        EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() },
    ));
    let is_answered = |task: EventId| {
        messages.iter().filter(for_it).any(|message| message.event.kind.answers() == Some(task))
    };
    let children = past.open_tasks().into_iter().filter_map(|task| match &task.kind {
        EventKind::SubOrchestrationInstanceCreated(child) if recursive && !is_answered(task.id) => {
            Some(child.instance.clone())
        }
        _ => None,
    });
    let refused = started.into_iter().flat_map(|own| refusals(own, messages, now));
    let children = children.map(|child| order_to_end(child, reason, now));
    let mut messages: Vec<_> = refused.chain(children).collect();
    let parent = started.and_then(|started| Some((started.parent.as_deref()?, &started.name)));
    messages.extend(parent.map(|(parent, name)| answer::terminated(parent, name, reason, now)));
    messages.extend(started.into_iter().flat_map(|started| releases(past, started, now)));
    let change =
        InstanceChange { status, custom_status: None, output: Some(output), failure: None, updated_at: now };
    Some(Checkpoint { messages, ..bare(execution.clone(), tag, events, change) })
}

/// Ends an execution that cannot go on, whatever its orchestrator would do: its work item was handed
/// out too often. `past` and `started`, how it began, are given as far as they can be read; `messages`,
/// which nobody took, become history, so that a rewind finds them.
pub fn fail(
    execution: ExecutionId,
    past: &History,
    started: Option<&ExecutionStarted>,
    messages: &[TaskMessage],
    failure: Failure,
    now: Timestamp,
    tag: CheckpointTag,
) -> Checkpoint {
    let status = RuntimeStatus::Failed;
    let end =
        EventKind::ExecutionCompleted { status, result: Payload::null(), failure: Some(failure.clone()) };
    let for_it = |message: &&TaskMessage| message.execution.as_ref().is_none_or(|of| *of == execution);
    let arrived = messages.iter().filter(for_it).map(|message| message.event.clone());
    let mut events = vec![HistoryEvent::new(now, EventKind::OrchestratorStarted)];
    events.extend(arrived);
    let closing = [end, EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() }];
    events.extend(closing.map(|kind| HistoryEvent::new(now, kind)));
    let change = InstanceChange {
        status,
        custom_status: None,
        output: Some(Payload::null()),
        failure: Some(failure.clone()),
        updated_at: now,
    };
    let parent = started.and_then(|started| Some((started.parent.as_deref()?, &started.name)));
    let answer = parent.map(|(parent, name)| answer::failed(parent, failure.passed_on_by(name), now));
    let refused = started.into_iter().flat_map(|own| refusals(own, messages, now));
    let released = started.into_iter().flat_map(|started| releases(past, started, now));
    let messages = refused.chain(answer).chain(released).collect();
    Checkpoint { messages, ..bare(execution, tag, events, change) }
}

/// What gives up the locks that `past` leaves held or asked for.
fn releases(past: &History, started: &ExecutionStarted, now: Timestamp) -> Vec<TaskMessage> {
    Sections::of(past.events()).releases(started, now)
}

/// What those are told whose starts of this instance nobody took.
fn refusals<'a>(
    own: &'a ExecutionStarted,
    messages: &'a [TaskMessage],
    now: Timestamp,
) -> impl Iterator<Item = TaskMessage> + 'a {
    messages.iter().filter_map(move |message| answer::refusal(own, message, now))
}

/// A checkpoint that asks for nothing.
fn bare(
    execution: ExecutionId,
    tag: CheckpointTag,
    events: Vec<HistoryEvent>,
    change: InstanceChange,
) -> Checkpoint {
    Checkpoint {
        execution,
        replaces: false,
        is_forgettable: false,
        tag,
        events,
        activities: Vec::new(),
        orphans: Vec::new(),
        messages: Vec::new(),
        cancelled_timers: Vec::new(),
        change,
    }
}

/// The order to end a sub-orchestration, and its own.
pub(super) fn order_to_end(child: InstanceId, reason: &str, now: Timestamp) -> TaskMessage {
    let kind = EventKind::ExecutionTerminated { reason: reason.to_owned(), recursive: true };
    TaskMessage { instance: child, execution: None, event: HistoryEvent::new(now, kind), visible_at: None }
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
