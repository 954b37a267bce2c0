//! The right to settle an item: who lost it is told, and changes nothing.

use std::{collections::BTreeSet, time::Duration};

use durable::{
    history::{EventKind, HistoryEvent},
    provider::{LockToken, ProviderErrorKind},
};

use super::{
    Hub,
    fixtures::{Stage, json, names, refused},
};

pub(super) async fn an_item_is_settled_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let late = hub.episode(item.clone()).calls(0, "late").publishes("late");
    hub.episode(item).saved().await;
    insist_that_it_changes_nothing(&hub, late).await;
}

pub(super) async fn an_abandoned_item_cannot_be_checkpointed(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    let late = hub.episode(item.clone()).calls(0, "late").publishes("late");
    hub.provider.abandon_orchestration(item, Duration::ZERO).await.expect("the item is held");
    insist_that_it_changes_nothing(&hub, late).await;

    let again = hub.fetch_of("a").await;
    assert_eq!(names(&again.messages), ["EventRaised"], "the message is still there");
    hub.episode(again).saved().await;
}

pub(super) async fn the_newest_holder_of_an_item_wins(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let old = hub.fetch_of("a").await;
    hub.provider.abandon_orchestration(old.clone(), Duration::ZERO).await.expect("the item is held");
    let new = hub.fetch_of("a").await;
    let late = hub.episode(old).calls(0, "late").publishes("late");
    insist_that_it_changes_nothing(&hub, late).await;
    hub.episode(new).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
}

/// Saves an episode whose lock is lost: that is refused, and leaves no trace.
async fn insist_that_it_changes_nothing(hub: &Hub, late: super::episode::Episode<'_>) {
    let (state, history) = (hub.state("a").await, hub.history("a").await);
    refused(late.save().await, &ProviderErrorKind::LockLost);
    assert_eq!((hub.state("a").await, hub.history("a").await), (state, history));
    let activities = hub.provider.fetch_activities(8);
    assert!(futures::poll!(activities).is_pending(), "its activity must not run");
}

pub(super) async fn an_activity_is_settled_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    hub.complete(activity.clone(), 1).await;
    let kind = EventKind::TaskCompleted { task: activity.scheduled.id, result: json(2) };
    let again = HistoryEvent::new(hub.now(), kind);
    refused(hub.provider.complete_activity(activity, again).await, &ProviderErrorKind::LockLost);

    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["TaskCompleted"]);
    hub.episode(item).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn an_abandoned_activity_cannot_be_completed(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "greet").saved().await;
    let old = hub.fetch_activity().await;
    hub.provider.abandon_activity(old.clone(), Duration::ZERO).await.expect("the activity is held");
    let kind = EventKind::TaskCompleted { task: old.scheduled.id, result: json(1) };
    let late = HistoryEvent::new(hub.now(), kind);
    refused(hub.provider.complete_activity(old, late).await, &ProviderErrorKind::LockLost);

    let new = hub.fetch_activity().await;
    hub.complete(new, 2).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["TaskCompleted"]);
}

// R3:BIND-8, R3:SKIP-37
pub(super) async fn a_lock_that_is_held_can_be_renewed(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.provider.renew(item.lock).await.expect("the item is held");
    hub.episode(item).calls(0, "greet").saved().await;
    let activity = hub.fetch_activity().await;
    hub.provider.renew(activity.lock).await.expect("the activity is held");
    hub.complete(activity, 1).await;
}

pub(super) async fn a_lock_that_is_lost_cannot_be_renewed(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let settled = item.lock;
    hub.episode(item).calls(0, "greet").saved().await;
    refused(hub.provider.renew(settled).await, &ProviderErrorKind::LockLost);
    let activity = hub.fetch_activity().await;
    let settled = activity.lock;
    hub.complete(activity, 1).await;
    refused(hub.provider.renew(settled).await, &ProviderErrorKind::LockLost);
}

pub(super) async fn a_history_is_not_read_under_a_lost_lock(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("a").await;
    hub.raise("a", 1).await;
    let item = hub.fetch_of("a").await;
    hub.provider.abandon_orchestration(item.clone(), Duration::ZERO).await.expect("the item is held");
    refused(hub.provider.load_history(&item).await, &ProviderErrorKind::LockLost);
}

pub(super) async fn no_token_is_given_twice(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let mut tokens = BTreeSet::<LockToken>::new();
    for number in 0..20 {
        hub.create(&format!("i{number}")).await;
        let item = hub.fetch().await;
        assert!(tokens.insert(item.lock), "{:?} was given twice", item.lock);
        hub.episode(item).calls(0, "greet").saved().await;
        let activity = hub.fetch_activity().await;
        assert!(tokens.insert(activity.lock), "{:?} was given twice", activity.lock);
        hub.complete(activity, 1).await;
        let item = hub.fetch().await;
        assert!(tokens.insert(item.lock), "{:?} was given twice", item.lock);
        hub.episode(item).completes(1).saved().await;
    }
}

// R3:DIAG-30
pub(super) async fn an_item_whose_lock_ran_out_comes_again(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let lasts = hub.provider.lock_duration().expect("a factory that claims so has locks that run out");
    hub.create("a").await;
    let old = hub.fetch_of("a").await;
    let clock = hub.provider.clock();
    assert!(clock.skip_to(clock.now().saturating_add(lasts * 2)), "the clock can be moved");
    let new = hub.fetch_of("a").await;
    assert_eq!(new.messages, old.messages);
    assert_ne!(new.lock, old.lock);
    refused(hub.episode(old).save().await, &ProviderErrorKind::LockLost);
    hub.episode(new).completes(0).saved().await;
}
