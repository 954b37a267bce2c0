//! What a worker is handed, and when.

use std::collections::BTreeSet;

use durable::provider::Past;
use futures::future::join;

use super::fixtures::{Stage, names, numbers, start_of};

// R2:HUB-14
pub(super) async fn the_first_item_brings_the_start(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let new = start_of("a", hub.now());
    hub.provider.create_instance(new.clone()).await.expect("the id is free");
    let item = hub.fetch_of("a").await;
    assert_eq!((&item.execution, item.past, item.attempt), (&new.started.execution, Past::Empty, 1));
    assert_eq!(item.messages.len(), 1, "{item:?}");
    assert_eq!(item.messages[0].instance, new.started.instance);
    let event = &item.messages[0].event;
    let started = durable::history::EventKind::ExecutionStarted(Box::new(new.started));
    assert_eq!((&event.kind, event.timestamp), (&started, new.at));
    assert!(hub.provider.load_history(&item).await.expect("the item is held").is_empty());
}

// R2:HUB-13, R3:BIND-2
pub(super) async fn messages_before_the_first_episode_come_after_the_start(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    for number in 1..=3 {
        hub.raise("a", number).await;
    }
    let messages = hub.gather("a", 4).await;
    assert_eq!(names(&messages)[0], "ExecutionStarted");
    assert_eq!(numbers(&messages), [1, 2, 3]);
}

// R1:ORCH-32, R2:HUB-3, R2:HUB-6
pub(super) async fn an_instance_is_out_once_at_a_time(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let held = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    hub.insist_on_no_more_work().await;
    hub.episode(held).saved().await;
    assert_eq!(numbers(&hub.gather("a", 1).await), [1]);
}

pub(super) async fn news_that_come_while_it_is_out_come_afterwards(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let held = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    hub.raise("a", 2).await;
    hub.episode(held).saved().await;
    hub.raise("a", 3).await;
    let messages = hub.gather("a", 3).await;
    assert_eq!(names(&messages), ["EventRaised"; 3], "what was consumed must not come again");
    assert_eq!(numbers(&messages), [1, 2, 3]);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn no_more_is_handed_out_than_was_asked_for(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let all: BTreeSet<_> = (0..5).map(|number| format!("i{number}")).collect();
    for instance in &all {
        hub.create(instance).await;
    }
    let mut seen = Vec::new();
    while seen.len() < all.len() {
        let items = hub.provider.fetch_orchestrations(2).await.expect("work can be fetched");
        assert!((1..=2).contains(&items.len()), "asked for two, got {}", items.len());
        seen.extend(items.iter().map(|item| item.instance.as_str().to_owned()));
    }
    assert_eq!(seen.len(), all.len());
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
}

// R2:HUB-5, R3:BIND-5
pub(super) async fn a_fetch_waits_until_there_is_work(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let (item, _) = join(hub.fetch_of("a"), hub.create("a")).await;
    let (activity, _) = join(hub.fetch_activity(), hub.episode(item).calls(0, "greet").saved()).await;
    let (item, ()) = join(hub.fetch_of("a"), hub.complete(activity, 1)).await;
    assert_eq!(names(&item.messages), ["TaskCompleted"]);
    hub.episode(item).saved().await;
    let (item, ()) = join(hub.fetch_of("a"), hub.raise("a", 1)).await;
    assert_eq!(numbers(&item.messages), [1]);
}

pub(super) async fn a_fetch_that_is_given_up_takes_nothing_along(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for _ in 0..3 {
        let mut waiting = Box::pin(hub.provider.fetch_orchestrations(1));
        assert!(futures::poll!(&mut waiting).is_pending(), "there is no work yet");
        drop(waiting);
    }
    hub.create("a").await;
    hub.fetch_of("a").await;
}

pub(super) async fn the_end_of_work_lets_waiting_fetches_return_empty(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let fetches = join(hub.provider.fetch_orchestrations(8), hub.provider.fetch_activities(8));
    let ((items, activities), ()) = join(fetches, hub.provider.end_work()).await;
    assert!(items.expect("an end is no error").is_empty());
    assert!(activities.expect("an end is no error").is_empty());
}

pub(super) async fn nothing_is_handed_out_after_the_end_of_work(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    hub.provider.end_work().await;
    hub.create("b").await;
    let items = hub.provider.fetch_orchestrations(8).await.expect("an end is no error");
    assert!(items.is_empty(), "{items:?}");
}

pub(super) async fn what_is_out_at_the_end_of_work_can_still_be_settled(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    hub.create("b").await;
    let item = hub.fetch_of("b").await;

    hub.provider.end_work().await;
    let saved = hub.episode(item).completes(0).saved().await;
    hub.complete(activity, 5).await;
    assert_eq!(hub.history("b").await.events(), saved.events);

    hub.provider.begin_work().await.expect("work can begin again");
    let outcome = match hub.fetch_next().await {
        super::fixtures::Work::Orchestration(item) => names(&item.messages),
        super::fixtures::Work::Activity(activity) => {
            hub.complete(activity, 5).await;
            names(&hub.fetch_of("a").await.messages)
        }
    };
    assert_eq!(outcome, ["TaskCompleted"], "a result is delivered, or its activity runs again");
}

pub(super) async fn work_can_begin_again_after_its_end(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    hub.provider.end_work().await;
    hub.create("b").await;
    hub.provider.begin_work().await.expect("work can begin again");
    let found = BTreeSet::from([hub.fetch().await.instance, hub.fetch().await.instance]);
    assert_eq!(found.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

pub(super) async fn an_abandoned_item_comes_again_with_the_same_messages(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    hub.raise("a", 1).await;
    let first = hub.fetch_of("a").await;
    hub.raise("a", 2).await;
    let delay = stage.moment();
    let not_before = hub.now().saturating_add(delay);
    hub.provider.abandon_orchestration(first.clone(), delay).await.expect("the item is held");

    let again = hub.fetch_of("a").await;
    assert!(hub.now() >= not_before, "it came before its delay was over");
    assert_eq!((again.attempt, &again.execution, again.past), (2, &first.execution, first.past));
    assert_ne!(again.lock, first.lock, "a new right to settle it");
    assert!(again.messages.starts_with(&first.messages), "{again:?} does not begin with {first:?}");
    hub.provider.abandon_orchestration(again, std::time::Duration::ZERO).await.expect("the item is held");
    assert_eq!(hub.fetch_of("a").await.attempt, 3);
}

pub(super) async fn an_abandoned_item_rests_while_others_go_on(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    hub.create("b").await;
    let (first, second) = (hub.fetch().await, hub.fetch().await);
    let not_before = hub.now().saturating_add(stage.moment());
    let resting = first.instance.clone();
    hub.provider.abandon_orchestration(first, stage.moment()).await.expect("the item is held");
    hub.raise(resting.as_str(), 1).await;
    hub.insist_on_no_more_work().await;
    hub.episode(second).completes(0).saved().await;
    assert_eq!(hub.fetch().await.instance, resting);
    assert!(hub.now() >= not_before, "a new message does not shorten the delay");
}

pub(super) async fn attempts_start_over_with_every_checkpoint(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.provider.abandon_orchestration(item, std::time::Duration::ZERO).await.expect("the item is held");
    let item = hub.fetch_of("a").await;
    assert_eq!(item.attempt, 2);
    hub.episode(item).saved().await;
    hub.raise("a", 1).await;
    assert_eq!(hub.fetch_of("a").await.attempt, 1);
}

pub(super) async fn the_past_names_the_last_checkpoint(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let mut last = hub.episode(item).saved().await.tag;
    for number in 0..3 {
        hub.raise("a", number).await;
        let item = hub.fetch_of("a").await;
        assert_eq!(item.past, Past::At(last));
        last = hub.episode(item).saved().await.tag;
    }
}

pub(super) async fn the_past_stays_the_same_when_an_item_is_abandoned(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let last = hub.episode(item).saved().await.tag;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.provider.abandon_orchestration(item, std::time::Duration::ZERO).await.expect("the item is held");
    assert_eq!(hub.fetch_of("a").await.past, Past::At(last));
}

pub(super) async fn a_worker_reads_the_history_an_item_continues(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    let before = hub.history("a").await;
    let loaded = hub.provider.load_history(&item).await.expect("the item is held");
    assert_eq!(loaded, before, "what is new in the item is not history yet");
    assert_eq!(loaded.names(), ["OrchestratorStarted", "ExecutionStarted", "OrchestratorCompleted"]);
}
