//! Recorded actions against the ones a replay made.
//!
//! Strict: number, kind and name, in order. No re-pairing and no renumbering: "the same calls in
//! another order" is what the commonest mistakes look like, and pairing them up again would turn a
//! clear error into silently swapped results (replay.md, R2 and R6).

use super::{
    action::{Action, describe},
    mismatch,
};
use crate::{
    history::{EventKind, HistoryEvent},
    model::{Failure, InstanceId},
};

/// What the comparison found.
#[derive(Debug)]
pub(super) enum Verdict {
    /// No difference that matters.
    Same,
    /// Some input differs, as after a deployment that added a field. The failure says where; it
    /// becomes one in verify mode.
    OtherInput(Failure),
    /// Not the same actions.
    Other(Failure),
}

/// Compares one episode.
pub(super) fn compare(instance: &InstanceId, recorded: &[&HistoryEvent], made: &[Action]) -> Verdict {
    let pairs = recorded.iter().zip(made);
    let first_other = pairs.clone().position(|(event, action)| !is_same_action(event, action));
    let at = first_other.or_else(|| (recorded.len() != made.len()).then(|| recorded.len().min(made.len())));
    if let Some(at) = at {
        let event = recorded.get(at).copied();
        return Verdict::Other(mismatch::other_path(
            instance,
            event,
            made.get(at),
            is_permutation(recorded, made),
        ));
    }
    match pairs.clone().find(|(event, action)| !is_same_input(&event.kind, &action.kind)) {
        None => Verdict::Same,
        Some((event, action)) => {
            let permuted = is_permutation(recorded, made);
            let failure = mismatch::other_input(instance, event, action, permuted);
            if permuted { Verdict::Other(failure) } else { Verdict::OtherInput(failure) }
        }
    }
}

fn is_same_action(event: &HistoryEvent, action: &Action) -> bool {
    event.id == action.id && is_same_kind(&event.kind, &action.kind)
}

fn is_same_kind(recorded: &EventKind, made: &EventKind) -> bool {
    use EventKind::{
        ContinueAsNew, EntityLockRequested, EntityOperationCalled, EntityOperationSignaled, EntityUnlockSent,
        EventSent, ExecutionCompleted, SubOrchestrationInstanceCreated, TaskScheduled, TimerCreated,
    };
    match (recorded, made) {
        (SubOrchestrationInstanceCreated(child), SubOrchestrationInstanceCreated(other)) => {
            (&child.name, &child.version, &child.instance, child.is_detached)
                == (&other.name, &other.version, &other.instance, other.is_detached)
        }
        (TaskScheduled { name, version, .. }, TaskScheduled { name: other, version: other_version, .. }) => {
            name == other && version == other_version
        }
        (TimerCreated { .. }, TimerCreated { .. }) | (ContinueAsNew { .. }, ContinueAsNew { .. }) => true,
        (EventSent { instance, name, .. }, EventSent { instance: other, name: other_name, .. }) => {
            instance == other && name == other_name
        }
        (ExecutionCompleted { status, .. }, ExecutionCompleted { status: other, .. }) => status == other,
        (
            EntityOperationCalled { entity, operation, section, .. },
            EntityOperationCalled {
                entity: other, operation: other_operation, section: other_section, ..
            },
        ) => (entity, operation, section) == (other, other_operation, other_section),
        (
            EntityOperationSignaled { entity, operation, .. },
            EntityOperationSignaled { entity: other, operation: other_operation, .. },
        ) => (entity, operation) == (other, other_operation),
        (EntityLockRequested { entities }, EntityLockRequested { entities: other }) => entities == other,
        (
            EntityUnlockSent { section, entities, held },
            EntityUnlockSent { section: other, entities: other_entities, held: other_held },
        ) => (section, entities, held) == (other, other_entities, other_held),
        _ => false,
    }
}

fn is_same_input(recorded: &EventKind, made: &EventKind) -> bool {
    use EventKind::{
        EntityOperationCalled, EntityOperationSignaled, EventSent, SubOrchestrationInstanceCreated,
        TaskScheduled, TimerCreated,
    };
    match (recorded, made) {
        (SubOrchestrationInstanceCreated(child), SubOrchestrationInstanceCreated(other)) => {
            child.input.is_same_json(&other.input)
        }
        (TaskScheduled { input, .. }, TaskScheduled { input: other, .. })
        | (EventSent { input, .. }, EventSent { input: other, .. })
        | (EntityOperationCalled { input, .. }, EntityOperationCalled { input: other, .. }) => {
            input.is_same_json(other)
        }
        (
            EntityOperationSignaled { input, due, .. },
            EntityOperationSignaled { input: other, due: other_due, .. },
        ) => input.is_same_json(other) && due == other_due,
        (TimerCreated { fire_at, .. }, TimerCreated { fire_at: other, .. }) => fire_at == other,
        _ => true,
    }
}

/// Whether both sides hold the same actions, numbers aside, in different orders.
fn is_permutation(recorded: &[&HistoryEvent], made: &[Action]) -> bool {
    if recorded.len() != made.len() {
        return false;
    }
    let mut recorded: Vec<_> = recorded.iter().map(|event| in_words(&event.kind)).collect();
    let mut made: Vec<_> = made.iter().map(|action| in_words(&action.kind)).collect();
    recorded.sort_unstable();
    made.sort_unstable();
    recorded == made
}

/// An action with its input, so that equal ones have equal words: sorting them is quick, however
/// many there are.
fn in_words(kind: &EventKind) -> (String, Option<String>) {
    let input = kind.input().and_then(|input| input.read::<serde_json::Value>().ok());
    (describe(kind), input.map(|value| value.to_string()))
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::{
        history::EventId,
        model::{Attempt, Payload, Timestamp},
    };

    fn call(name: &str, input: &str) -> EventKind {
        EventKind::TaskScheduled {
            name: name.into(),
            version: None,
            input: Payload::from_json(input).unwrap(),
            attempt: Attempt::ONLY,
        }
    }

    fn verdict(recorded: &[(i32, EventKind)], made: &[(i32, EventKind)]) -> Verdict {
        let recorded: Vec<_> = recorded
            .iter()
            .map(|(id, kind)| {
                HistoryEvent::action(EventId::from_i32(*id), Timestamp::UNIX_EPOCH, kind.clone())
            })
            .collect();
        let made: Vec<_> = made
            .iter()
            .map(|(id, kind)| Action {
                id: EventId::from_i32(*id),
                kind: kind.clone(),
                location: Location::caller(),
            })
            .collect();
        compare(&InstanceId::new("order-17").unwrap(), &recorded.iter().collect::<Vec<_>>(), &made)
    }

    // R1:ORCH-18, SKIP-32; DECISIONS 25
    #[test]
    fn a_renamed_call_is_refused_naming_both_sides_event_and_line() {
        let Verdict::Other(failure) =
            verdict(&[(7, call("reserve_stock", "1"))], &[(7, call("charge_card", "1"))])
        else {
            panic!("not refused")
        };
        for part in
            ["DF1001", "order-17", "event 7", "`reserve_stock`", "`charge_card`", "matching.rs", "help"]
        {
            assert!(failure.message().contains(part), "{part}: {failure}");
        }
    }

    #[test]
    fn a_missing_and_an_additional_call_are_refused() {
        assert!(matches!(verdict(&[(0, call("a", "1"))], &[]), Verdict::Other(_)));
        assert!(matches!(verdict(&[], &[(0, call("a", "1"))]), Verdict::Other(_)));
    }

    // The order of HashMap iteration (replay.md, R6): same calls, other order.
    #[test]
    fn swapped_inputs_are_refused_as_another_order() {
        let found =
            verdict(&[(0, call("a", "1")), (1, call("a", "2"))], &[(0, call("a", "2")), (1, call("a", "1"))]);
        assert!(
            matches!(&found, Verdict::Other(failure) if failure.message().contains("HashMap")),
            "{found:?}"
        );
    }

    #[test]
    fn a_new_field_in_an_input_is_only_noted_and_another_key_order_is_nothing() {
        let found = verdict(&[(0, call("a", r#"{"x":1}"#))], &[(0, call("a", r#"{"x":1,"y":null}"#))]);
        assert!(matches!(found, Verdict::OtherInput(_)), "{found:?}");
        let found = verdict(&[(0, call("a", r#"{"x":1,"y":2}"#))], &[(0, call("a", r#"{"y":2,"x":1}"#))]);
        assert!(matches!(found, Verdict::Same), "{found:?}");
    }
}
