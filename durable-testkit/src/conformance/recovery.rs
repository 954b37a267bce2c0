//! What stands after the process has died: everything that was acknowledged, and nothing twice.

use std::collections::BTreeSet;

use durable::{
    history::{EventKind, HistoryEvent},
    model::{ExecutionId, RuntimeStatus},
    provider::Past,
};

use super::fixtures::{Stage, Work, event, json, names, numbers, start_of, unique};

pub(super) async fn an_accepted_start_survives(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let mut new = start_of("a", hub.now());
    new.started.tags.insert("customer".into(), "Ada".into());
    let accepted = hub.provider.create_instance(new.clone()).await.expect("the id is free");
    let hub = stage.restarted(hub).await;
    assert!(hub.provider.exists().await.expect("the store can be reached"));
    assert_eq!(hub.state("a").await, accepted);
    let item = hub.fetch_of("a").await;
    assert_eq!(item.past, Past::Empty);
    assert_eq!(item.messages[0].event.kind, EventKind::ExecutionStarted(Box::new(new.started)));
    hub.episode(item).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn state_and_history_survive(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").publishes("busy").saved().await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).saved().await;
    let (state, history) = (hub.state("a").await, hub.history("a").await);

    let hub = stage.restarted(hub).await;
    assert_eq!((hub.state("a").await, hub.history("a").await), (state, history.clone()));
    hub.raise("a", 2).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(item.past, Past::Stored, "no session of this process stands there");
    assert_eq!(hub.provider.load_history(&item).await.expect("the item is held"), history);
    let saved = hub.episode(item).saved().await;
    assert_eq!(hub.history("a").await.events(), [history.into_events(), saved.events].concat());
}

// R2:HUB-12, R3:DIAG-31
pub(super) async fn an_item_that_was_out_comes_again(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.raise("a", 1).await;
    let lost = hub.fetch_of("a").await;
    let hub = stage.restarted(hub).await;
    let again = hub.fetch_of("a").await;
    assert_eq!(again.messages, lost.messages);
    hub.episode(again).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn an_item_that_rested_comes_again(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.provider.abandon_orchestration(item, stage.moment()).await.expect("the item is held");
    let hub = stage.restarted(hub).await;
    assert_eq!(names(&hub.fetch_of("a").await.messages), ["ExecutionStarted"]);
}

// R1:OVR-12, R1:OVR-11
pub(super) async fn open_activities_run_again_and_finished_ones_do_not(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "finished").calls(1, "running").calls(2, "waiting").saved().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(hub.fetch_activity().await);
    }
    let finished = held.remove(0);
    let finished_id = finished.scheduled.id;
    hub.complete(finished, 1).await;
    let item = hub.fetch_of("a").await;
    let saved = hub.episode(item).saved().await;
    assert!(saved.events.iter().any(|event| event.kind.answers() == Some(finished_id)));

    let hub = stage.restarted(hub).await;
    let mut again = BTreeSet::new();
    for _ in 0..2 {
        let activity = hub.fetch_activity().await;
        assert_eq!(activity.scheduled.kind.name(), "TaskScheduled");
        again.insert(activity.scheduled.id);
        hub.complete(activity, 2).await;
    }
    assert_eq!(again.len(), 2);
    assert!(!again.contains(&finished_id), "its result is in the history");
    assert_eq!(hub.gather("a", 2).await.len(), 2);
    hub.insist_on_no_more_activities().await;
}

// R1:OVR-12: at least once.
pub(super) async fn a_result_that_no_checkpoint_consumed_is_not_lost(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    hub.complete(activity, 1).await;
    let hub = stage.restarted(hub).await;
    let item = match hub.fetch_next().await {
        Work::Orchestration(item) => item,
        Work::Activity(activity) => {
            hub.complete(activity, 1).await;
            hub.fetch_of("a").await
        }
    };
    assert_eq!(names(&item.messages), ["TaskCompleted"]);
    hub.episode(item).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn open_timers_fire_and_those_that_fired_do_not(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (first, second) = (hub.now(), hub.now().saturating_add(stage.moment()));
    hub.episode(item).sets_timer(0, first).sets_timer(1, second).saved().await;
    let item = hub.fetch_of("a").await;
    assert_eq!(item.messages[0].event.kind.answers().map(|id| id.as_i32()), Some(0));
    hub.episode(item).saved().await;

    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("a").await;
    assert!(hub.now() >= second);
    let fired: Vec<_> = item.messages.iter().filter_map(|message| message.event.kind.answers()).collect();
    assert_eq!(fired.iter().map(|id| id.as_i32()).collect::<Vec<_>>(), [1]);
    hub.episode(item).completes(2).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_cancelled_timer_does_no_harm_after_a_restart(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    let (first, second) =
        (hub.now().saturating_add(stage.moment()), hub.now().saturating_add(stage.moment() * 2));
    hub.episode(item).sets_timer(0, first).sets_timer(1, second).saved().await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).cancels_timer(0).saved().await;
    let hub = stage.restarted(hub).await;
    let mut fired = Vec::new();
    while !fired.contains(&1) {
        let item = hub.fetch_of("a").await;
        fired.extend(
            item.messages.iter().filter_map(|message| message.event.kind.answers().map(|id| id.as_i32())),
        );
        hub.episode(item).saved().await;
    }
    assert!(fired == [1] || fired == [0, 1], "{fired:?}");
}

pub(super) async fn an_acknowledged_message_survives_in_its_order(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    for number in 0..20 {
        hub.raise("a", number).await;
    }
    let hub = stage.restarted(hub).await;
    for number in 20..25 {
        hub.raise("a", number).await;
    }
    assert_eq!(numbers(&hub.gather("a", 25).await), (0..25).collect::<Vec<_>>());
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_consumed_message_does_not_come_back(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.begin("late and double").await;
    for instance in ["a", "late and double"] {
        hub.raise(instance, 1).await;
        let item = hub.fetch_of(instance).await;
        let episode = hub.episode(item);
        if instance == "a" {
            episode.saved().await
        } else {
            episode.without_events().saved().await
        };
    }
    let hub = stage.restarted(hub).await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn a_message_between_instances_arrives_exactly_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("b").await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let message = event("b", 1, hub.now());
    hub.episode(item).sends(message).completes(0).saved().await;

    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("b").await;
    assert_eq!(numbers(&item.messages), [1]);
    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("b").await;
    assert_eq!(numbers(&item.messages), [1], "nothing was checkpointed: it comes again");
    hub.episode(item).saved().await;

    let hub = stage.restarted(hub).await;
    hub.insist_on_no_more_work().await;
    let raised = hub.history("b").await.names().into_iter().filter(|name| *name == "EventRaised").count();
    assert_eq!(raised, 1);
}

pub(super) async fn an_ended_instance_stays_ended(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["completed", "failed"] {
        hub.create(instance).await;
        let item = hub.fetch_of(instance).await;
        let due = hub.now().saturating_add(stage.moment());
        let episode = hub.episode(item).sets_timer(0, due).publishes("over");
        if instance == "failed" {
            episode.fails(1, "no luck").saved().await
        } else {
            episode.completes(1).saved().await
        };
    }
    let before = (hub.state("completed").await, hub.state("failed").await, hub.history("failed").await);
    let hub = stage.restarted(hub).await;
    let after = (hub.state("completed").await, hub.state("failed").await, hub.history("failed").await);
    assert_eq!(after, before);
    let error = hub.provider.send(event("failed", 1, hub.now())).await.expect_err("it has ended");
    assert_eq!(error.kind, durable::provider::ProviderErrorKind::Ended);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn generations_go_on_counting(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    hub.begin_and_end("a").await;
    let hub = stage.restarted(hub).await;
    assert_eq!(hub.state("a").await.generation, 1);
    assert_eq!(hub.create("a").await.generation, 2);
    assert!(hub.history("a").await.is_empty());
    assert_eq!(names(&hub.fetch_of("a").await.messages), ["ExecutionStarted"]);
}

pub(super) async fn a_replaced_execution_stays_replaced(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let next = ExecutionId::new(format!("next-{}", unique()));
    let mut started = start_of("a", hub.now()).started;
    started.execution = next.clone();
    started.input = json("again");
    let began = HistoryEvent::new(hub.now(), EventKind::ExecutionStarted(Box::new(started)));
    let saved = hub.episode(item).goes_on_as(&next, vec![began]).calls(0, "greet").saved().await;

    let hub = stage.restarted(hub).await;
    assert_eq!(hub.history("a").await.events(), saved.events);
    let state = hub.state("a").await;
    assert_eq!((state.execution_id, state.runtime_status), (next.clone(), RuntimeStatus::Running));
    let activity = hub.fetch_activity().await;
    assert_eq!(activity.execution, next);
    hub.complete(activity, 1).await;
    assert_eq!(hub.fetch_of("a").await.execution, next);
}

// DECISIONS 9: the tasks of both executions have the same numbers.
pub(super) async fn an_answer_to_an_execution_before_answers_nothing_of_the_next(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let first = item.execution.clone();
    let next = ExecutionId::new(format!("next-{}", unique()));
    let mut started = start_of("a", hub.now()).started;
    started.execution = next.clone();
    let began = HistoryEvent::new(hub.now(), EventKind::ExecutionStarted(Box::new(started)));
    let due = hub.now().saturating_add(stage.moment());
    hub.episode(item).goes_on_as(&next, vec![began]).calls(0, "greet").sets_timer(1, due).saved().await;
    for task in [0, 1] {
        let mut late = event("a", 1, hub.now());
        late.execution = Some(first.clone());
        late.event.kind = EventKind::SubOrchestrationInstanceCompleted {
            task: durable::history::EventId::from_i32(task),
            result: json("late"),
        };
        hub.provider.send(late).await.expect("the instance takes messages");
    }

    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("a").await;
    let late = item.messages.iter().filter(|message| message.execution.as_ref() == Some(&first));
    assert_eq!(late.count(), item.messages.len(), "whom an answer is for is still known");
    hub.episode(item).without_events().saved().await;
    let activity = hub.fetch_activity().await;
    assert_eq!((&activity.execution, activity.scheduled.id.as_i32()), (&next, 0));
    hub.complete(activity, 1).await;
    assert_eq!(names(&hub.gather("a", 2).await), ["TaskCompleted", "TimerFired"]);
    assert!(hub.now() >= due);
}

pub(super) async fn a_scheduled_start_still_waits(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let due = hub.now().saturating_add(stage.moment());
    let mut new = start_of("later", hub.now());
    new.started.scheduled_start = Some(due);
    hub.provider.create_instance(new).await.expect("the id is free");
    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("later").await;
    assert!(hub.now() >= due, "it began at {}, and was scheduled for {due}", hub.now());
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
}

pub(super) async fn an_invisible_message_still_waits(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.provider.end_work().await;
    let due = hub.now().saturating_add(stage.moment());
    let mut message = event("a", 1, hub.now());
    message.visible_at = Some(due);
    hub.provider.send(message).await.expect("the instance takes messages");
    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("a").await;
    assert!(hub.now() >= due);
    assert_eq!(numbers(&item.messages), [1]);
}

// R2:HUB-1
pub(super) async fn many_restarts_lose_nothing(stage: Stage<'_>) {
    let mut hub = stage.worked_hub().await;
    hub.begin("a").await;
    let mut expected = hub.history("a").await.into_events();
    for number in 0..8 {
        hub.raise("a", number).await;
        hub = stage.restarted(hub).await;
        let item = hub.fetch_of("a").await;
        assert_eq!(numbers(&item.messages), [number]);
        let call = i32::try_from(number).expect("a small number");
        expected.extend(hub.episode(item).calls(call, "step").saved().await.events);
    }
    hub = stage.restarted(hub).await;
    assert_eq!(hub.history("a").await.events(), expected);
    let mut open = BTreeSet::new();
    for _ in 0..8 {
        open.insert(hub.fetch_activity().await.scheduled.id);
    }
    assert_eq!(open.len(), 8);
    hub.provider.end_work().await;
    let none = hub.provider.fetch_activities(1).await.expect("an end is no error");
    assert!(none.is_empty(), "{none:?}");
}
