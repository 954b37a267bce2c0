//! What an orchestrator asked for, as events to record and messages to send.
//!
//! Begin with [`checkpoint`], for an execution that rests or has ended; [`leave`] is for one that
//! continues as new, of which nothing is recorded.

use crate::{
    entity::message::requests,
    history::{EventKind, ExecutionStarted, HistoryEvent, Rest, TaskMessage},
    model::{InstanceId, Payload, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange, OrphanedActivity},
    replay::{EpisodeEnd, NextExecution, Outcome, Session},
};

/// What executions asked for that ended within the episode, to be continued as new.
#[derive(Debug, Default)]
pub(super) struct Left {
    pub(super) messages: Vec<TaskMessage>,
    pub(super) orphans: Vec<OrphanedActivity>,
    custom_status: Option<Payload>,
    has_executions: bool,
}

/// Ends the session's episode, and says what to save: `events`, then what was asked for. `left` is what
/// executions before this one asked for in the same episode.
///
/// With nothing but the episode's beginning in `events`, and no end of the execution, nothing
/// happened: there were only late and double messages, which are to be forgotten.
pub(super) fn checkpoint(
    session: &mut Session,
    mut events: Vec<HistoryEvent>,
    left: Left,
    now: Timestamp,
    tag: CheckpointTag,
) -> Checkpoint {
    let EpisodeEnd {
        actions,
        cancelled_timers,
        custom_status,
        digest,
        ended_children,
        outcome,
        is_suspended,
        awaited_events,
    } = session.end_episode();
    let started = session.started();
    let mut checkpoint = Checkpoint {
        execution: started.execution.clone(),
        replaces: left.has_executions,
        is_forgettable: false,
        tag,
        events: Vec::new(),
        activities: Vec::new(),
        orphans: left.orphans,
        messages: left.messages,
        cancelled_timers,
        change: InstanceChange {
            status: super::live_status(is_suspended),
            custom_status: custom_status.or(left.custom_status),
            output: super::control::output(&events),
            failure: None,
            updated_at: now,
        },
    };
    // Decided only now: a wake from outside may have ended the execution up to the last moment.
    if events.len() == 1 && outcome.is_none() {
        return checkpoint;
    }
    events.extend(actions.into_iter().map(|action| action.into_event(now)));
    let has_ended = outcome.is_some();
    for event in &events {
        match &event.kind {
            EventKind::TaskScheduled { .. } if !has_ended => checkpoint.activities.push(event.clone()),
            EventKind::TimerCreated { .. }
                if !has_ended && checkpoint.cancelled_timers.binary_search(&event.id).is_err() =>
            {
                checkpoint.messages.extend(TaskMessage::timer(started, event));
            }
            _ => {
                checkpoint.messages.extend(message(started, event));
                checkpoint.messages.extend(requests(started, event));
            }
        }
    }
    if let Some(outcome) = outcome {
        if let Outcome::Terminated(reason) = &outcome {
            let order = |child: InstanceId| super::control::order_to_end(child, reason, now);
            checkpoint.messages.extend(ended_children.into_iter().map(order));
        }
        checkpoint.messages.extend(super::answer::answer(started, &outcome, now));
        // After all else that it sent: an entity gets it in this order.
        checkpoint.messages.extend(session.releases(now));
        end(&mut checkpoint.change, outcome);
    }
    let cancelled = if has_ended { Vec::new() } else { checkpoint.cancelled_timers.clone() };
    let rest = Rest { events: awaited_events, cancelled };
    events.push(HistoryEvent::new(now, EventKind::OrchestratorCompleted { digest: Some(digest), rest }));
    checkpoint.events = events;
    checkpoint
}

/// If the execution has ended to be continued as new: ends the session's episode, notes what it asked
/// for, and says how the instance goes on.
pub(super) fn leave(session: &mut Session, left: &mut Left, now: Timestamp) -> Option<NextExecution> {
    if !matches!(session.outcome(), Some(Outcome::ContinuedAsNew(_))) {
        return None;
    }
    let EpisodeEnd { actions, custom_status, outcome, .. } = session.end_episode();
    let Some(Outcome::ContinuedAsNew(next)) = outcome else { return None };
    left.has_executions = true;
    let started = session.started();
    for event in actions.into_iter().map(|action| action.into_event(now)) {
        left.messages.extend(message(started, &event));
        left.messages.extend(requests(started, &event));
        if let EventKind::TaskScheduled { .. } = event.kind {
            left.orphans.push(OrphanedActivity { execution: started.execution.clone(), scheduled: event });
        }
    }
    left.messages.extend(session.releases(now));
    left.custom_status = custom_status.or_else(|| left.custom_status.take());
    Some(*next)
}

/// The message to another instance that an action stands for.
fn message(from: &ExecutionStarted, event: &HistoryEvent) -> Option<TaskMessage> {
    match &event.kind {
        EventKind::EventSent { instance, name, input } => {
            let raised = EventKind::EventRaised { name: name.clone(), input: input.clone() };
            let event = HistoryEvent::new(event.timestamp, raised);
            Some(TaskMessage { instance: instance.clone(), execution: None, event, visible_at: None })
        }
        EventKind::SubOrchestrationInstanceCreated(child) => {
            let started = from.of_child(event.id, child);
            Some(TaskMessage {
                instance: started.instance.clone(),
                execution: Some(started.execution.clone()),
                event: HistoryEvent::new(event.timestamp, EventKind::ExecutionStarted(Box::new(started))),
                visible_at: None,
            })
        }
        _ => None,
    }
}

fn end(change: &mut InstanceChange, outcome: Outcome) {
    change.status = outcome.status();
    match outcome {
        Outcome::Completed(output) => change.output = Some(output),
        Outcome::Failed(failure) => {
            // Why it was suspended, if it was, is no output of a failed one (R2:ERR-22).
            change.output = Some(Payload::null());
            change.failure = Some(failure);
        }
        Outcome::Terminated(reason) => change.output = Payload::of(&reason).ok(),
        Outcome::ContinuedAsNew(_) => {}
    }
}
