//! Activities: run after their checkpoint, answered once.

use std::{collections::BTreeSet, time::Duration};

use durable::{
    history::{EventKind, HistoryEvent},
    model::Failure,
};
use futures::future::join;

use super::fixtures::{Stage, id, json, names};

// R2:HUB-16, R3:BIND-17
pub(super) async fn an_activity_is_handed_out_as_it_was_scheduled(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let execution = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    let saved = hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    assert_eq!((activity.instance.clone(), activity.execution.clone()), (id("a"), execution));
    assert_eq!((&activity.scheduled, activity.attempt), (&saved.activities[0], 1));
    assert_eq!(activity.request(), Some((&"greet".into(), &json(0))));
}

// R1:ORCH-12, R1:ORCH-20, R1:SKIP-34, R3:DIAG-19
pub(super) async fn an_activity_runs_only_after_its_checkpoint(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let run = async {
        let activity = hub.fetch_activity().await;
        let history = hub.history("a").await;
        assert!(history.events().contains(&activity.scheduled), "what runs must be durable before");
    };
    join(run, hub.episode(item).calls(0, "greet").saved()).await;
}

// R2:HUB-9, R1:ORCH-21, R1:SKIP-33
pub(super) async fn a_result_is_delivered_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let execution = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    let kind = EventKind::TaskCompleted { task: activity.scheduled.id, result: json("hello") };
    let result = HistoryEvent::new(hub.now(), kind);
    hub.provider.complete_activity(activity, result.clone()).await.expect("the activity is held");

    let item = hub.fetch_of("a").await;
    assert_eq!(item.messages.len(), 1, "{item:?}");
    assert_eq!((&item.messages[0].event, &item.messages[0].execution), (&result, &Some(execution)));
    hub.episode(item).saved().await;
    hub.insist_on_no_more_work().await;
    hub.insist_on_no_more_activities().await;
}

pub(super) async fn a_failure_is_delivered_like_a_result(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    let failure = Failure::new("no luck").in_function(&"greet".into()).caused_by(Failure::new("rain"));
    let kind = EventKind::TaskFailed { task: activity.scheduled.id, failure };
    let result = HistoryEvent::new(hub.now(), kind);
    hub.provider.complete_activity(activity, result.clone()).await.expect("the activity is held");
    let item = hub.fetch_of("a").await;
    assert_eq!(item.messages[0].event, result);
    hub.episode(item).saved().await;
    assert!(hub.history("a").await.events().contains(&result));
}

pub(super) async fn an_activity_is_out_once_at_a_time(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let held = hub.fetch_activity().await;
    hub.insist_on_no_more_activities().await;
    hub.complete(held, 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).saved().await;
    hub.insist_on_no_more_activities().await;
}

pub(super) async fn an_abandoned_activity_comes_again_after_its_delay(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let first = hub.fetch_activity().await;
    let not_before = hub.now().saturating_add(stage.moment());
    hub.provider.abandon_activity(first.clone(), stage.moment()).await.expect("the activity is held");
    let again = hub.fetch_activity().await;
    assert!(hub.now() >= not_before, "it came before its delay was over");
    assert_eq!((&again.scheduled, again.attempt), (&first.scheduled, 2));
    assert_ne!(again.lock, first.lock);
    hub.provider.abandon_activity(again, Duration::ZERO).await.expect("the activity is held");
    assert_eq!(hub.fetch_activity().await.attempt, 3);
}

// R1:FAN; R2:HUB-17
pub(super) async fn every_activity_of_a_fan_out_runs_once_and_answers(stage: Stage<'_>) {
    const COUNT: i32 = 500;
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let episode = (0..COUNT).fold(hub.episode(item), |episode, number| episode.calls(number, "part"));
    episode.saved().await;

    let mut ran = BTreeSet::new();
    while ran.len() < 500 {
        for activity in hub.provider.fetch_activities(64).await.expect("work can be fetched") {
            assert!(ran.insert(activity.scheduled.id), "{activity:?} was handed out twice");
            hub.complete(activity, 1).await;
        }
    }
    let answers = hub.gather("a", 500).await;
    let answered: BTreeSet<_> = answers.iter().filter_map(|message| message.event.kind.answers()).collect();
    assert_eq!((answered, answers.len()), (ran, 500));
    hub.insist_on_no_more_work().await;
}

// R2:HUB-5
pub(super) async fn activities_are_handed_out_up_to_the_number_asked_for(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "x").calls(1, "x").calls(2, "x").saved().await;
    let first = hub.provider.fetch_activities(2).await.expect("work can be fetched");
    assert!((1..=2).contains(&first.len()), "asked for two, got {}", first.len());
}

// DECISIONS 5
pub(super) async fn a_result_for_an_ended_instance_is_dropped(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "slow").saved().await;
    let slow = hub.fetch_activity().await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).terminates(1, "enough").saved().await;
    let (state, history) = (hub.state("a").await, hub.history("a").await);

    hub.complete(slow, 1).await;
    hub.insist_on_no_more_work().await;
    assert_eq!((hub.state("a").await, hub.history("a").await), (state, history));
}

pub(super) async fn a_result_that_comes_while_the_instance_is_out_comes_afterwards(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    hub.raise("a", 1).await;
    let held = hub.fetch_of("a").await;
    hub.complete(activity, 1).await;
    assert_eq!(names(&held.messages), ["EventRaised"]);
    hub.episode(held).saved().await;
    assert_eq!(names(&hub.gather("a", 1).await), ["TaskCompleted"]);
}

pub(super) async fn one_activity_does_not_hold_up_another(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "x").calls(1, "x").saved().await;
    let (first, second) = (hub.fetch_activity().await, hub.fetch_activity().await);
    hub.complete(second, 1).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(item.messages.len(), 1);
    hub.episode(item).saved().await;
    hub.complete(first, 2).await;
    assert_eq!(names(&hub.fetch_of("a").await.messages), ["TaskCompleted"]);
}
