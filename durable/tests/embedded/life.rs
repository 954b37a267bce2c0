//! An instance from its start to its end.

use durable::{
    history::EventKind,
    model::{Failure, RuntimeStatus},
    provider::{HubStore, InstanceStore, Past, ProviderErrorKind, Reuse, WaitFor, WorkStore},
};
use futures::{FutureExt, future::join};

use crate::fixtures::*;

// R2:HUB-14
#[test]
fn a_new_instance_is_pending_and_its_first_item_brings_the_start() {
    on_both(|hub| {
        let state = block_on(hub.create_instance(new_instance("a"))).unwrap();
        assert_eq!(state.runtime_status, RuntimeStatus::Pending);
        assert_eq!(block_on(hub.read_state(&id("a"))).unwrap(), Some(state.clone()));
        assert_eq!(state.input.as_json(), "[1, 2.0]");
        assert_eq!(state.tags["colour"], "red");
        assert_eq!(state.created_time, at(1));
        assert!(block_on(hub.read_history(&id("a"))).unwrap().is_empty());

        let item = fetch(hub);
        assert_eq!((news(&item), item.past, item.attempt), (vec!["ExecutionStarted".into()], Past::Empty, 1));
        assert_eq!(item.messages[0].event.kind, EventKind::ExecutionStarted(Box::new(started("a", "first"))));
    });
}

// R2:HUB-12, R2:HUB-15, R2:HUB-16, R2:HUB-18, R2:HUB-19
#[test]
fn an_activity_runs_after_its_checkpoint_and_its_result_wakes_the_instance() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0), scheduled(1)]);
        let first = fetch_activity(hub);
        assert_eq!(first.request().unwrap().1.as_json(), "7");
        assert_eq!((first.attempt, first.execution.as_str()), (1, "first"));
        block_on(hub.complete_activity(first, completed(0))).unwrap();

        let item = fetch(hub);
        assert_eq!(news(&item), ["TaskCompleted"]);
        assert!(matches!(item.past, Past::At(_)));
        let names = block_on(hub.load_history(&item)).unwrap().names();
        assert_eq!(
            names,
            [
                "OrchestratorStarted",
                "ExecutionStarted",
                "TaskScheduled",
                "TaskScheduled",
                "OrchestratorCompleted"
            ]
        );
        let mut last = episode(&item, RuntimeStatus::Failed, Vec::new());
        last.change.failure = Some(Failure::new("no"));
        last.change.custom_status = Some(json("[1]"));
        block_on(hub.checkpoint(item, last)).unwrap();
        let state = block_on(hub.read_state(&id("a"))).unwrap().unwrap();
        assert_eq!(state.runtime_status, RuntimeStatus::Failed);
        assert_eq!((state.failure, state.custom_status.as_json()), (Some(Failure::new("no")), "[1]"));
        assert_eq!(state.last_updated_time, at(3));
        assert_eq!(block_on(hub.read_history(&id("a"))).unwrap().events().len(), 8);
    });
}

// R2:HUB-21
#[test]
fn results_that_arrive_together_come_in_one_item() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0), scheduled(1)]);
        for item in block_on(hub.fetch_activities(5)).unwrap() {
            let number = item.scheduled.id.as_i32();
            block_on(hub.complete_activity(item, completed(number))).unwrap();
        }
        assert_eq!(news(&fetch(hub)), ["TaskCompleted", "TaskCompleted"]);
    });
}

#[test]
fn a_message_for_an_instance_that_is_out_comes_with_the_next_item() {
    on_both(|hub| {
        create(hub, "a");
        let item = fetch(hub);
        block_on(hub.send(message("a", raised("x")))).unwrap();
        block_on(hub.send(message("a", raised("y")))).unwrap();
        assert!(hub.fetch_orchestrations(1).now_or_never().is_none(), "one item of an instance at a time");
        let checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
        block_on(hub.checkpoint(item, checkpoint)).unwrap();
        assert_eq!(news(&fetch(hub)), ["x", "y"]);
    });
}

#[test]
fn a_checkpoint_delivers_messages_to_others_and_drops_those_for_nobody() {
    on_both(|hub| {
        create(hub, "a");
        create(hub, "b");
        let item = fetch(hub);
        let mut checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
        checkpoint.messages = vec![message("b", raised("x")), message("nobody", raised("y"))];
        block_on(hub.checkpoint(item, checkpoint)).unwrap();
        assert_eq!(news(&fetch(hub)), ["ExecutionStarted", "x"]);
    });
}

// DECISIONS 5
#[test]
fn a_message_to_an_unknown_or_ended_instance_is_refused() {
    on_both(|hub| {
        assert_eq!(refused(block_on(hub.send(message("a", raised("x"))))), ProviderErrorKind::NotFound);
        create(hub, "a");
        finish(hub);
        let error = block_on(hub.send(message("a", raised("x")))).unwrap_err();
        assert_eq!(error.kind, ProviderErrorKind::Ended);
        assert_eq!(error.to_string(), "cannot send a message to `a`: the instance has ended");
        assert_eq!(refused(block_on(hub.read_history(&id("b")))), ProviderErrorKind::NotFound);
        assert_eq!(block_on(hub.read_state(&id("b"))).unwrap(), None);
    });
}

// DECISIONS 17
#[test]
fn an_id_is_taken_while_its_instance_lives_and_counted_when_it_is_reused() {
    on_both(|hub| {
        create(hub, "a");
        assert_eq!(
            refused(block_on(hub.create_instance(new_instance("a")))),
            ProviderErrorKind::AlreadyExists
        );
        finish(hub);
        let never = durable::provider::NewInstance { reuse: Reuse::Never, ..new_instance("a") };
        assert_eq!(refused(block_on(hub.create_instance(never))), ProviderErrorKind::AlreadyExists);
        let state = block_on(hub.create_instance(new_instance("a"))).unwrap();
        assert_eq!((state.generation, state.runtime_status), (1, RuntimeStatus::Pending));
        assert_eq!(state.output.as_json(), "null");
        assert!(block_on(hub.read_history(&id("a"))).unwrap().is_empty());
        let item = fetch(hub);
        let EventKind::ExecutionStarted(begun) = &item.messages[0].event.kind else { panic!("no start") };
        assert_eq!((begun.generation, item.past), (1, Past::Empty));
    });
}

// DECISIONS 17
#[test]
fn of_two_racing_starts_exactly_one_succeeds() {
    on_both(|hub| {
        let (first, second) =
            block_on(join(hub.create_instance(new_instance("a")), hub.create_instance(new_instance("a"))));
        assert_eq!([first.is_ok(), second.is_ok()].into_iter().filter(|ok| *ok).count(), 1);
        let refusal = first.and(second).unwrap_err();
        assert_eq!(refusal.kind, ProviderErrorKind::AlreadyExists);
    });
}

// R1:ORCH-12; DECISIONS 9
#[test]
fn another_execution_replaces_the_history() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![timer(0, 4_000_000_000)]);
        block_on(hub.send(message("a", raised("again")))).unwrap();
        let item = fetch(hub);
        let mut begun = started("a", "second");
        begun.input = json("3");
        let mut next = episode(&item, RuntimeStatus::Running, Vec::new());
        next.execution = begun.execution.clone();
        next.replaces = true;
        next.events = vec![event(EventKind::ExecutionStarted(Box::new(begun)))];
        next.activities = vec![scheduled(0)];
        next.messages = vec![message("a", raised("carried"))];
        block_on(hub.checkpoint(item, next)).unwrap();

        assert_eq!(fetch_activity(hub).execution.as_str(), "second");
        let item = fetch(hub);
        assert_eq!((item.execution.as_str(), news(&item)), ("second", vec!["carried".to_owned()]));
        let state = block_on(hub.read_state(&id("a"))).unwrap().unwrap();
        assert_eq!((state.execution_id.as_str(), state.input.as_json()), ("second", "3"));
        assert_eq!(block_on(hub.load_history(&item)).unwrap().names(), ["ExecutionStarted"]);
    });
}

#[test]
fn a_result_for_an_instance_or_execution_that_has_gone_is_dropped() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0)]);
        let activity = fetch_activity(hub);
        block_on(hub.send(message("a", raised("end")))).unwrap();
        finish(hub);
        block_on(hub.complete_activity(activity, completed(0))).unwrap();
        assert!(hub.fetch_orchestrations(1).now_or_never().is_none());
    });
}

#[test]
fn a_wait_ends_when_the_instance_begins_or_ends_and_gives_the_state() {
    on_both(|hub| {
        assert_eq!(refused(block_on(hub.wait(&id("a"), WaitFor::End))), ProviderErrorKind::NotFound);
        create(hub, "a");
        let a = id("a");
        let mut start = hub.wait(&a, WaitFor::Start);
        let mut end = hub.wait(&a, WaitFor::End);
        assert!((&mut start).now_or_never().is_none());
        assert!((&mut end).now_or_never().is_none());
        step(hub, Vec::new());
        assert_eq!(block_on(start).unwrap().runtime_status, RuntimeStatus::Running);
        assert!((&mut end).now_or_never().is_none());
        block_on(hub.send(message("a", raised("x")))).unwrap();
        finish(hub);
        assert_eq!(block_on(end).unwrap().output.as_json(), "\"done\"");
        assert_eq!(block_on(hub.wait(&a, WaitFor::End)).unwrap().output.as_json(), "\"done\"");
    });
}

// R2:HUB-24, R2:HUB-25
#[test]
fn a_hub_is_made_once_and_deleted_with_all_it_holds_but_not_while_it_is_worked() {
    on_both(|hub| {
        block_on(hub.create()).unwrap();
        create(hub, "a");
        block_on(hub.create()).unwrap();
        assert!(block_on(hub.exists()).unwrap());
        assert!(matches!(refused(block_on(hub.delete())), ProviderErrorKind::Held(_)));
        block_on(hub.end_work());
        block_on(hub.create()).unwrap();
        block_on(hub.delete()).unwrap();
        assert!(!block_on(hub.exists()).unwrap());
        assert_eq!(block_on(hub.read_state(&id("a"))).unwrap(), None);
        block_on(hub.delete()).unwrap();
        block_on(hub.create()).unwrap();
        assert!(block_on(hub.exists()).unwrap());
    });
}
