//! What an orchestrator asked for, as events to record and messages to send.

use crate::{
    history::{EventKind, HistoryEvent, Rest, TaskMessage},
    model::{Payload, Timestamp},
    provider::{Checkpoint, CheckpointTag, InstanceChange},
    replay::{EpisodeEnd, Outcome, Session},
};

/// Ends the session's episode and says what to save: `events`, then what was asked for.
///
/// With nothing but the episode's beginning in `events`, and no end of the execution, nothing
/// happened: there were only late and double messages, which are to be forgotten.
pub(super) fn checkpoint(
    session: &mut Session,
    mut events: Vec<HistoryEvent>,
    now: Timestamp,
    tag: CheckpointTag,
) -> Checkpoint {
    let EpisodeEnd {
        actions,
        cancelled_timers,
        custom_status,
        digest,
        outcome,
        is_suspended,
        awaited_events,
        ..
    } = session.end_episode();
    let started = session.started();
    let mut checkpoint = Checkpoint {
        execution: started.execution.clone(),
        tag,
        events: Vec::new(),
        activities: Vec::new(),
        messages: Vec::new(),
        cancelled_timers,
        change: InstanceChange {
            status: super::live_status(is_suspended),
            custom_status,
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
    if let Some(outcome) = outcome {
        end(&mut checkpoint.change, outcome);
    }
    let has_ended = checkpoint.change.status.is_terminal();
    for event in &events {
        match &event.kind {
            EventKind::TaskScheduled { .. } if !has_ended => checkpoint.activities.push(event.clone()),
            EventKind::TimerCreated { .. }
                if !has_ended && checkpoint.cancelled_timers.binary_search(&event.id).is_err() =>
            {
                checkpoint.messages.extend(TaskMessage::timer(started, event));
            }
            EventKind::EventSent { instance, name, input } => checkpoint.messages.push(TaskMessage {
                instance: instance.clone(),
                execution: None,
                event: HistoryEvent::new(
                    now,
                    EventKind::EventRaised { name: name.clone(), input: input.clone() },
                ),
                visible_at: None,
            }),
            _ => {}
        }
    }
    let cancelled = if has_ended { Vec::new() } else { checkpoint.cancelled_timers.clone() };
    let rest = Rest { events: awaited_events, cancelled };
    events.push(HistoryEvent::new(now, EventKind::OrchestratorCompleted { digest: Some(digest), rest }));
    checkpoint.events = events;
    checkpoint
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
    }
}
