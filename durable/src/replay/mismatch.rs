//! What a person reads when an orchestrator cannot be replayed.
//!
//! Each message says what was seen on both sides, where, and what to do. The codes are stable, so
//! that they can be searched for.

use std::{any::Any, panic::Location};

use super::action::{Action, describe};
use crate::{
    history::{EventKind, HistoryEvent},
    model::{Failure, FailureKind, FunctionName, InstanceId, panic_message},
};

/// The orchestrator asked for something else than its history says, or in another order.
pub(super) fn other_path(
    instance: &InstanceId,
    recorded: Option<&HistoryEvent>,
    made: Option<&Action>,
    same_in_another_order: bool,
) -> Failure {
    let history = match recorded {
        Some(event) => format!("history, event {}: {}", event.id, describe(&event.kind)),
        None => "history:            nothing more in this episode".into(),
    };
    let replay = match made {
        Some(Action { kind: kind @ EventKind::ExecutionCompleted { .. }, .. }) => {
            format!("this replay:      {}", describe(kind))
        }
        Some(action) => format!("this replay:      {} at {}", describe(&action.kind), action.location),
        None => "this replay:      nothing more in this episode".into(),
    };
    let help = if same_in_another_order {
        "the same calls in another order: look for an unbiased `select!`, iteration over a `HashMap`, or a \
         watch channel"
    } else {
        "start changed code under a new version, or wait until running instances have finished"
    };
    nondeterministic(format!(
        "error[DF1001]: orchestration `{instance}` took another path on replay\n  {history}\n  {replay}\nhelp: {help}"
    ))
}

/// The same action, with another input.
pub(super) fn other_input(
    instance: &InstanceId,
    recorded: &HistoryEvent,
    made: &Action,
    permuted: bool,
) -> Failure {
    let help = if permuted {
        "the same inputs in another order: look for an unbiased `select!` or iteration over a `HashMap`"
    } else {
        "inputs must follow from the history alone: look for a clock, randomness or a value from outside"
    };
    nondeterministic(format!(
        "error[DF1002]: orchestration `{instance}` made the same call with another input on replay\n  \
         history, event {}: {} with {}\n  this replay:      {} with {} at {}\nhelp: {help}",
        recorded.id,
        describe(&recorded.kind),
        shown_input(&recorded.kind),
        describe(&made.kind),
        shown_input(&made.kind),
        made.location,
    ))
}

fn shown_input(kind: &EventKind) -> String {
    const SHOWN: usize = 200;
    let text = match (kind, kind.input()) {
        (_, Some(input)) => input.as_json().to_owned(),
        (EventKind::ExecutionCompleted { result, .. }, _) => result.as_json().to_owned(),
        (EventKind::TimerCreated { fire_at }, _) => fire_at.to_string(),
        (other, _) => other.name().to_owned(),
    };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

/// The actions agree, and yet user code saw results in another order.
pub(super) fn other_progress(instance: &InstanceId, episode: usize) -> Failure {
    nondeterministic(format!(
        "error[DF1003]: orchestration `{instance}` asked for the same on replay, but observed results in \
         another order (episode {episode})\nhelp: something outside the history decided a race: look for an \
         unbiased `select!`, iteration over a `HashMap`, or a channel or lock that is not fair in a fixed order"
    ))
}

/// A session that was replayed stands elsewhere than the live one did.
pub(super) fn other_state(instance: &InstanceId) -> Failure {
    nondeterministic(format!(
        "error[DF1004]: orchestration `{instance}`, replayed, does not stand where it stood when it ran\nhelp: \
         something outside the history decided a race: look for an unbiased `select!` in a helper function, a \
         clock, or iteration over a `HashMap`"
    ))
}

/// The orchestrator waits, and no durable call will wake it.
pub(super) fn nothing_to_wait_for(instance: &InstanceId) -> Failure {
    Failure::of_kind(
        FailureKind::NothingToWaitFor,
        "NothingToWaitFor",
        format!(
            "error[DF1005]: orchestration `{instance}` waits, but for nothing that its history can bring\nhelp: \
             await only what the context gives: `ctx.call`, `ctx.sleep`, `ctx.wait_for`; do I/O and use other \
             timers in an activity; two branches that wait for each other look the same"
        ),
    )
}

/// Something other than the history woke the orchestrator.
pub(super) fn woken_from_outside(instance: &InstanceId) -> Failure {
    nondeterministic(format!(
        "error[DF1006]: orchestration `{instance}` was woken by something other than its history\nhelp: it \
         awaits a thread, a timer or a channel of the outside world; move that into an activity, or raise an \
         event"
    ))
}

/// A context or a task was used after its poll, or on another thread.
pub(super) fn used_outside(name: &FunctionName, location: Option<&'static Location<'static>>) -> Failure {
    let place = location.map(|location| format!(" at {location}")).unwrap_or_default();
    nondeterministic(format!(
        "error[DF1007]: the context or a task of orchestrator `{name}` was used outside its orchestrator{place}\n\
         help: neither may be moved to another thread or a spawned task"
    ))
}

/// A resume that wakes itself for ever.
pub(super) fn spins(instance: &InstanceId, polls: u64) -> Failure {
    nondeterministic(format!(
        "error[DF1008]: orchestration `{instance}` woke itself {polls} times without waiting for anything\nhelp: a \
         loop yields without a durable call; bound it, or move the work into an activity"
    ))
}

fn nondeterministic(message: String) -> Failure {
    Failure::of_kind(FailureKind::Nondeterministic, "Mismatch", message)
}

/// A panic in an orchestrator, with the panics of foreign runtimes explained.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> Failure {
    let message = panic_message(payload);
    let from_a_runtime =
        ["there is no reactor running", "must be called from the context of a Tokio", "no current reactor"]
            .iter()
            .any(|sign| message.contains(sign));
    if from_a_runtime || message.contains("cannot execute `LocalPool` executor from within another executor")
    {
        return Failure::of_kind(
            FailureKind::Nondeterministic,
            "ForeignRuntime",
            format!(
                "error[DF1009]: an orchestrator used a timer, task or socket of an async runtime, or blocked on a \
                 future\nhelp: use `ctx.sleep` for time, and an activity for everything else; it said: {message}"
            ),
        );
    }
    Failure::panicked(payload)
}
