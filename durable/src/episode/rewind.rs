//! Letting a failed execution try again what failed (DECISIONS 19). Pure.
//!
//! The history is cut where the failure was not yet known. What the orchestrator did until then stays, with
//! its results; what arrived later is delivered again, except for failures: what they answer is asked for
//! again. Begin with [`rewind`].

use std::collections::BTreeSet;

use crate::{
    entity::message::requests,
    history::{EventId, EventKind, ExecutionStarted, History, HistoryEvent, Rest, TaskMessage},
    model::{Failure, FailureKind, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
};

/// The checkpoint that lets a failed execution go on, if `messages` ask for it; `None` when they do not, or
/// `history` is not that of a failed one.
///
/// `goes_on` says whether the orchestrator, given a history, takes the path that is recorded in it, and rests.
pub fn rewind(
    history: &History,
    messages: &[TaskMessage],
    now: Timestamp,
    tag: CheckpointTag,
    goes_on: &dyn Fn(&[HistoryEvent]) -> bool,
) -> Option<Checkpoint> {
    let started = history.started()?;
    let order = messages.iter().find_map(|message| match &message.event.kind {
        EventKind::ExecutionRewound { reason } => Some((&message.event, reason)),
        _ => None,
    })?;
    if history.outcome() != Some(RuntimeStatus::Failed) {
        return None;
    }
    let events = history.events();
    let now = events.iter().map(|event| event.timestamp).fold(now, Timestamp::max);
    let cuts = cuts(events);
    let cut = cuts.iter().find(|cut| goes_on(&cut.kept)).or_else(|| cuts.last())?;

    let recorded = cut.dropped.iter().map(|event| to_itself(started, event.clone()));
    let again: Vec<_> =
        recorded.chain(messages.iter().cloned()).filter(|message| is_to_come_again(&message.event)).collect();
    let for_it =
        |message: &&TaskMessage| message.execution.as_ref().is_none_or(|of| *of == started.execution);
    let answered: BTreeSet<_> =
        again.iter().filter(for_it).filter_map(|message| message.event.kind.answers()).collect();
    // It may have been suspended, and fail for a reason that is not its own.
    let output = super::control::output(&cut.kept).unwrap_or_default();
    let is_suspended = is_suspended(&cut.kept);
    let mut checkpoint = Checkpoint {
        execution: started.execution.clone(),
        replaces: true,
        is_forgettable: false,
        tag,
        events: cut.kept.clone(),
        activities: Vec::new(),
        orphans: Vec::new(),
        messages: again,
        cancelled_timers: Vec::new(),
        change: InstanceChange {
            status: super::live_status(is_suspended),
            custom_status: None,
            output: Some(output),
            failure: None,
            updated_at: now,
        },
    };
    let kept = History::new(cut.kept.clone());
    for task in kept.open_tasks().into_iter().filter(|task| !answered.contains(&task.id)) {
        match &task.kind {
            EventKind::TaskScheduled { .. } => checkpoint.activities.push(task.clone()),
            EventKind::TimerCreated { .. } => checkpoint.messages.extend(TaskMessage::timer(started, task)),
            EventKind::SubOrchestrationInstanceCreated(child) => {
                let child = started.of_child(task.id, child);
                checkpoint.messages.extend(revive(&child, order.1, id_was_taken(&cut.dropped, task.id), now));
            }
            // The failure took back the request for locks; an operation that failed left no trace.
            EventKind::EntityLockRequested { .. } => checkpoint.messages.extend(requests(started, task)),
            EventKind::EntityOperationCalled { .. } if has_failed(&cut.dropped, task.id) => {
                checkpoint.messages.extend(requests(started, task));
            }
            EventKind::EntityOperationCalled { .. } => {
                checkpoint.messages.push(to_itself(started, answer_lost(task, now)));
            }
            _ => {}
        }
    }
    if !checkpoint.events.is_empty() {
        let kinds = [
            EventKind::OrchestratorStarted,
            order.0.kind.clone(),
            EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() },
        ];
        checkpoint.events.extend(kinds.map(|kind| HistoryEvent::new(now, kind)));
    }
    Some(checkpoint)
}

fn is_suspended(events: &[HistoryEvent]) -> bool {
    let steered = events.iter().rev().find_map(|event| match event.kind {
        EventKind::ExecutionSuspended { .. } => Some(true),
        EventKind::ExecutionResumed { .. } => Some(false),
        _ => None,
    });
    steered.unwrap_or(false)
}

/// A place where a history may be cut.
struct Cut {
    kept: Vec<HistoryEvent>,
    /// The messages behind it.
    dropped: Vec<HistoryEvent>,
}

/// Where the history may be cut, the earliest first: after the last thing that the orchestrator asked for,
/// nothing that arrived made it ask for more. Within the episode of that last thing, a failure may have come
/// before or after it.
fn cuts(events: &[HistoryEvent]) -> Vec<Cut> {
    // Locks that are given up in the end are no path to be kept.
    let is_asked = |event: &HistoryEvent| {
        event.id != EventId::NONE
            && !matches!(
                event.kind,
                EventKind::ExecutionCompleted { .. } | EventKind::EntityUnlockSent { .. }
            )
    };
    let Some(last) = events.iter().rposition(is_asked) else {
        return vec![Cut { kept: Vec::new(), dropped: messages_of(events) }];
    };
    let after = events[last..].iter().position(is_closing).map_or(events.len(), |length| last + length + 1);
    let last_id = events[last].id;
    let is_kept = |event: &&HistoryEvent| event.id == EventId::NONE || event.id <= last_id;
    let whole = Cut {
        kept: events[..after].iter().filter(|event| is_kept(event) && !is_end(event)).cloned().collect(),
        dropped: messages_of(&events[after..]),
    };
    let first = events[..last].iter().rposition(|event| matches!(event.kind, EventKind::OrchestratorStarted));
    let first = first.unwrap_or(0);
    let is_failure = |event: &HistoryEvent| {
        matches!(
            event.kind,
            EventKind::TaskFailed { .. }
                | EventKind::SubOrchestrationInstanceFailed { .. }
                | EventKind::EntityOperationFailed { .. }
        )
    };
    let Some(failure) = events[first..after].iter().position(is_failure).map(|length| first + length) else {
        return vec![whole];
    };
    let asked = events[failure..after].iter().filter(|event| event.id != EventId::NONE && is_kept(event));
    let mut kept: Vec<_> = events[..failure].iter().chain(asked).cloned().collect();
    // Not all that was observed then is observed now.
    let at = events[after - 1].timestamp;
    kept.push(HistoryEvent::new(
        at,
        EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() },
    ));
    let parted = Cut { kept, dropped: messages_of(&events[failure..]) };
    vec![parted, whole]
}

fn is_end(event: &HistoryEvent) -> bool {
    matches!(event.kind, EventKind::ExecutionCompleted { .. })
}

fn is_closing(event: &HistoryEvent) -> bool {
    matches!(event.kind, EventKind::OrchestratorCompleted { .. })
}

fn messages_of(events: &[HistoryEvent]) -> Vec<HistoryEvent> {
    events.iter().filter(|event| event.kind.is_message()).cloned().collect()
}

/// Not for the failed call itself, which is made once more, and not for the order to do so.
fn is_to_come_again(event: &HistoryEvent) -> bool {
    !matches!(
        event.kind,
        EventKind::TaskFailed { .. }
            | EventKind::SubOrchestrationInstanceFailed { .. }
            | EventKind::ExecutionRewound { .. }
            | EventKind::EntityOperationFailed { .. }
            | EventKind::EntityLockGranted { .. }
    )
}

/// The message that a recorded event was. Only what answers this execution, or begins it, is for no other:
/// it may have continued as new when the rest has its turn.
fn to_itself(started: &ExecutionStarted, event: HistoryEvent) -> TaskMessage {
    let is_of_this_one =
        event.kind.answers().is_some() || matches!(event.kind, EventKind::ExecutionStarted(_));
    TaskMessage {
        instance: started.instance.clone(),
        execution: is_of_this_one.then(|| started.execution.clone()),
        event,
        visible_at: None,
    }
}

/// Whether the call failed because its id belonged to somebody else, who is to be left alone.
fn id_was_taken(dropped: &[HistoryEvent], task: EventId) -> bool {
    dropped.iter().any(|event| match &event.kind {
        EventKind::SubOrchestrationInstanceFailed { task: failed, failure } => {
            *failed == task && failure.kind() == FailureKind::IdTaken
        }
        _ => false,
    })
}

fn has_failed(dropped: &[HistoryEvent], call: EventId) -> bool {
    let failed = |event: &HistoryEvent| match event.kind {
        EventKind::EntityOperationFailed { task, .. } => task == call,
        _ => false,
    };
    dropped.iter().any(failed)
}

/// For a call that had no answer when its execution was ended: whether the operation ran cannot be known,
/// and to run it twice could do harm.
fn answer_lost(call: &HistoryEvent, now: Timestamp) -> HistoryEvent {
    let message = "the orchestration had failed before the operation was answered; whether it ran is unknown";
    let failure = Failure::of_kind(FailureKind::LockLost, "AnswerLost", message);
    HistoryEvent::new(now, EventKind::EntityOperationFailed { task: call.id, failure })
}

/// Lets a sub-orchestration answer once more: it tries again what failed if it has failed, goes on if it
/// lives, and begins anew if it ended otherwise or is gone. A live one takes no notice of its own start.
fn revive(child: &ExecutionStarted, reason: &str, is_anothers: bool, now: Timestamp) -> Vec<TaskMessage> {
    let message = |execution, kind| TaskMessage {
        instance: child.instance.clone(),
        execution,
        event: HistoryEvent::new(now, kind),
        visible_at: None,
    };
    let rewound =
        (!is_anothers).then(|| message(None, EventKind::ExecutionRewound { reason: reason.to_owned() }));
    let start = message(Some(child.execution.clone()), EventKind::ExecutionStarted(Box::new(child.clone())));
    rewound.into_iter().chain([start]).collect()
}
