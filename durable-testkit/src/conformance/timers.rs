//! What is due later: durable timers, scheduled starts, messages that are not visible yet.

use durable::{
    history::{EventKind, TaskMessage},
    model::{RuntimeStatus, Timestamp},
};

use super::{
    Hub,
    fixtures::{Stage, event, id, names, numbers, start_of},
};

/// The timers among `messages`, which must be due.
fn fired(hub: &Hub, messages: &[TaskMessage]) -> Vec<i32> {
    let mut fired = Vec::new();
    for message in messages {
        if let EventKind::TimerFired { timer, fire_at } = &message.event.kind {
            assert!(hub.now() >= *fire_at, "timer {timer} fired at {}, due at {fire_at}", hub.now());
            fired.push(timer.as_i32());
        }
    }
    fired
}

fn later(hub: &Hub, stage: &Stage<'_>, moments: u32) -> Timestamp {
    hub.now().saturating_add(stage.moment() * moments)
}

// R1:TMR-1
pub(super) async fn a_timer_fires_when_it_is_due(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let execution = hub.create("a").await.execution_id;
    let item = hub.fetch_of("a").await;
    let due = later(&hub, &stage, 1);
    hub.episode(item).sets_timer(0, due).saved().await;
    let item = hub.fetch_of("a").await;
    assert_eq!(fired(&hub, &item.messages), [0]);
    assert_eq!(item.messages.len(), 1);
    let message = &item.messages[0];
    assert!(matches!(message.event.kind, EventKind::TimerFired { fire_at, .. } if fire_at == due));
    assert_eq!((&message.instance, &message.execution), (&id("a"), &Some(execution)));
}

pub(super) async fn a_timer_fires_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (first, second) = (later(&hub, &stage, 1), later(&hub, &stage, 2));
    hub.episode(item).sets_timer(0, first).sets_timer(1, second).saved().await;
    let messages = hub.gather("a", 2).await;
    assert_eq!(fired(&hub, &messages), [0, 1]);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn timers_fire_in_the_order_of_their_times(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let instances = [("late", 3), ("early", 1), ("between", 2)];
    let mut held = Vec::new();
    for (instance, moments) in instances {
        hub.create(instance).await;
        held.push((hub.fetch_of(instance).await, later(&hub, &stage, moments)));
    }
    for (item, due) in held {
        hub.episode(item).sets_timer(0, due).saved().await;
    }
    let mut order = Vec::new();
    for _ in instances {
        let item = hub.fetch().await;
        assert_eq!(fired(&hub, &item.messages), [0]);
        order.push(item.instance.as_str().to_owned());
        hub.episode(item).completes(1).saved().await;
    }
    assert_eq!(order, ["early", "between", "late"]);
}

pub(super) async fn a_timer_that_is_past_fires_at_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let before = hub.now();
    hub.episode(item).sets_timer(0, Timestamp::UNIX_EPOCH).sets_timer(1, before).saved().await;
    let messages = hub.gather("a", 2).await;
    assert_eq!(names(&messages), ["TimerFired"; 2]);
}

pub(super) async fn a_timer_that_is_never_due_holds_nothing_up(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let due = later(&hub, &stage, 1);
    hub.episode(item).sets_timer(0, Timestamp::MAX).sets_timer(1, due).saved().await;
    let item = hub.fetch_of("a").await;
    assert_eq!(fired(&hub, &item.messages), [1]);
    hub.episode(item).completes(2).saved().await;
}

// DECISIONS 8: the late fire of a cancelled timer is ignored, and may be left out.
pub(super) async fn a_cancelled_timer_holds_nothing_up(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (first, second) = (later(&hub, &stage, 1), later(&hub, &stage, 2));
    hub.raise("a", 1).await;
    hub.episode(item).sets_timer(0, first).sets_timer(1, second).saved().await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).cancels_timer(0).saved().await;
    let mut all = Vec::new();
    while !all.contains(&1) {
        let item = hub.fetch_of("a").await;
        all.extend(fired(&hub, &item.messages));
        hub.episode(item).saved().await;
    }
    assert!(all == [1] || all == [0, 1], "{all:?}");
}

pub(super) async fn a_timer_set_and_cancelled_in_one_episode_does_no_harm(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let (first, second) = (later(&hub, &stage, 1), later(&hub, &stage, 2));
    let (item, mut checkpoint) =
        hub.episode(item).sets_timer(0, first).sets_timer(1, second).cancels_timer(0).parts();
    // As the engine does it: a timer that is cancelled at once is recorded, and no message is sent.
    checkpoint.messages.remove(0);
    hub.provider.checkpoint(item, checkpoint).await.expect("a held item can be checkpointed");
    assert_eq!(fired(&hub, &hub.gather("a", 1).await), [1]);
}

pub(super) async fn an_ended_instance_leaves_no_timers_behind(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.raise("a", 1).await;
    let due = later(&hub, &stage, 1);
    hub.episode(item).sets_timer(0, due).saved().await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).completes(1).saved().await;

    hub.create("b").await;
    let item = hub.fetch_of("b").await;
    let after = due.saturating_add(stage.moment());
    hub.episode(item).sets_timer(0, after).saved().await;
    assert_eq!(fired(&hub, &hub.fetch_of("b").await.messages), [0]);
}

pub(super) async fn many_timers_at_one_time_all_fire(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let due = later(&hub, &stage, 1);
    let episode = (0..1000).fold(hub.episode(item), |episode, number| episode.sets_timer(number, due));
    episode.saved().await;
    let mut all = fired(&hub, &hub.gather("a", 1000).await);
    all.sort_unstable();
    assert_eq!(all, (0..1000).collect::<Vec<_>>());
}

pub(super) async fn a_scheduled_instance_is_pending_until_its_time(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let due = later(&hub, &stage, 1);
    let mut new = start_of("later", hub.now());
    new.started.scheduled_start = Some(due);
    hub.provider.create_instance(new.clone()).await.expect("the id is free");
    hub.create("now").await;
    hub.provider.begin_work().await.expect("a fresh hub can be worked");

    let item = hub.fetch_of("now").await;
    hub.insist_on_no_more_work().await;
    assert_eq!(hub.state("later").await.runtime_status, RuntimeStatus::Pending);
    hub.episode(item).completes(0).saved().await;
    let item = hub.fetch_of("later").await;
    assert!(hub.now() >= due, "it began at {}, and was scheduled for {due}", hub.now());
    assert_eq!(item.messages[0].event.kind, EventKind::ExecutionStarted(Box::new(new.started)));
}

pub(super) async fn an_event_does_not_begin_a_scheduled_instance_early(stage: Stage<'_>) {
    let hub = stage.hub().await;
    let due = later(&hub, &stage, 1);
    let mut new = start_of("later", hub.now());
    new.started.scheduled_start = Some(due);
    hub.provider.create_instance(new).await.expect("the id is free");
    hub.raise("later", 1).await;
    hub.provider.begin_work().await.expect("a fresh hub can be worked");
    let messages = hub.gather("later", 2).await;
    assert!(hub.now() >= due, "it began at {}, and was scheduled for {due}", hub.now());
    assert_eq!((names(&messages)[0], numbers(&messages)), ("ExecutionStarted", vec![1]));
}

fn order_to_end(instance: &str, at: Timestamp) -> TaskMessage {
    let mut order = event(instance, 0, at);
    order.event.kind = EventKind::ExecutionTerminated { reason: "enough".into(), recursive: false };
    order
}

// R2:MGT-41
pub(super) async fn an_order_to_end_does_not_wait_for_a_scheduled_start(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    // While it is out, a clock that skips idle time stands still.
    hub.create("busy").await;
    let busy = hub.fetch_of("busy").await;
    let due = later(&hub, &stage, 1000);
    let mut new = start_of("later", hub.now());
    new.started.scheduled_start = Some(due);
    hub.provider.create_instance(new).await.expect("the id is free");
    hub.provider.send(order_to_end("later", hub.now())).await.expect("it is pending");
    let item = hub.fetch_of("later").await;
    assert!(hub.now() < due, "it was handed out at {}, when it would have begun", hub.now());
    assert_eq!(names(&item.messages), ["ExecutionStarted", "ExecutionTerminated"]);
    hub.episode(item).terminates(0, "enough").saved().await;
    hub.insist_on_no_more_work().await;
    hub.episode(busy).completes(0).saved().await;
}

// R2:MGT-41, DECISIONS 21
pub(super) async fn an_order_to_end_does_not_wait_until_an_abandoned_item_has_rested(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    // While it is out, a clock that skips idle time stands still.
    hub.create("busy").await;
    let busy = hub.fetch_of("busy").await;
    for orders_first in [true, false] {
        let instance = if orders_first { "a" } else { "b" };
        hub.create(instance).await;
        let item = hub.fetch_of(instance).await;
        let rested = later(&hub, &stage, 1000);
        let order = hub.provider.send(order_to_end(instance, hub.now()));
        let abandon = hub.provider.abandon_orchestration(item, stage.moment() * 1000);
        if orders_first {
            order.await.expect("it is pending");
            abandon.await.expect("the item is held");
        } else {
            abandon.await.expect("the item is held");
            order.await.expect("it is pending");
        }
        let item = hub.fetch_of(instance).await;
        assert!(hub.now() < rested, "it was handed out at {}, when it had rested", hub.now());
        assert_eq!(names(&item.messages), ["ExecutionStarted", "ExecutionTerminated"]);
        hub.episode(item).terminates(0, "enough").saved().await;
    }
    hub.insist_on_no_more_work().await;
    hub.episode(busy).completes(0).saved().await;
}

pub(super) async fn a_start_scheduled_for_the_past_begins_at_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let mut new = start_of("a", hub.now());
    new.started.scheduled_start = Some(Timestamp::UNIX_EPOCH);
    hub.provider.create_instance(new).await.expect("the id is free");
    assert_eq!(names(&hub.fetch_of("a").await.messages), ["ExecutionStarted"]);
}

pub(super) async fn a_message_waits_until_it_is_visible(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    let due = later(&hub, &stage, 1);
    let mut message = event("a", 2, hub.now());
    message.visible_at = Some(due);
    hub.provider.send(message).await.expect("the instance takes messages");
    hub.raise("a", 1).await;
    hub.episode(item).saved().await;

    let item = hub.fetch_of("a").await;
    assert_eq!(numbers(&item.messages), [1], "the other is not visible yet");
    hub.episode(item).saved().await;
    let item = hub.fetch_of("a").await;
    assert!(hub.now() >= due);
    assert_eq!(numbers(&item.messages), [2]);
}
