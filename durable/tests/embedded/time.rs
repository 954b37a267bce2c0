//! Timers, delays and scheduled starts, by a clock that the hub moves.

use std::time::Duration;

use durable::{
    history::EventId,
    model::{RuntimeStatus, Timestamp},
    provider::{InstanceStore, Provider, WorkStore},
};
use futures::FutureExt;

use crate::fixtures::*;

fn on_both_in_virtual_time(test: impl Fn(&durable::embedded::EmbeddedProvider)) {
    on_both_with(|| std::sync::Arc::new(VirtualClock::default()), test);
}

#[test]
fn an_idle_hub_moves_the_clock_to_the_next_timer_and_fires_it() {
    on_both_in_virtual_time(|hub| {
        create(hub, "a");
        step(hub, vec![timer(0, 90_000), timer(1, 500)]);
        let item = fetch(hub);
        assert_eq!(item.messages.len(), 1);
        assert_eq!(item.messages[0].event.kind.answers(), Some(EventId::from_i32(1)));
        assert_eq!(hub.clock().now(), at(500));
        let checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
        block_on(hub.checkpoint(item, checkpoint)).unwrap();
        assert_eq!(fetch(hub).messages[0].event.kind.answers(), Some(EventId::FIRST));
        assert_eq!(hub.clock().now(), at(90_000));
    });
}

#[test]
fn the_clock_stands_still_while_anything_is_out() {
    on_both_in_virtual_time(|hub| {
        create(hub, "a");
        step(hub, vec![timer(0, 500), scheduled(1)]);
        let activity = fetch_activity(hub);
        create(hub, "b");
        step(hub, Vec::new());
        assert_eq!(hub.clock().now(), Timestamp::UNIX_EPOCH);
        block_on(hub.complete_activity(activity, completed(1))).unwrap();
        assert_eq!(news(&fetch(hub)), ["TaskCompleted"]);
        assert_eq!(hub.clock().now(), Timestamp::UNIX_EPOCH);
    });
}

#[test]
fn a_cancelled_timer_does_not_fire() {
    on_both_in_virtual_time(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0), timer(1, 500), timer(2, 600)]);
        let activity = fetch_activity(hub);
        block_on(hub.complete_activity(activity, completed(0))).unwrap();
        let item = fetch(hub);
        let mut checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
        checkpoint.cancelled_timers = vec![EventId::from_i32(1)];
        block_on(hub.checkpoint(item, checkpoint)).unwrap();
        assert_eq!(fetch(hub).messages[0].event.kind.answers(), Some(EventId::from_i32(2)));
    });
}

// R4: scheduled start
#[test]
fn a_scheduled_start_waits_for_its_time_and_brings_what_came_before_it() {
    on_both_in_virtual_time(|hub| {
        // Something that is out keeps the clock from moving.
        create(hub, "other");
        let other = fetch(hub);
        let mut new = new_instance("a");
        new.started.scheduled_start = Some(at(700));
        block_on(hub.create_instance(new)).unwrap();
        block_on(hub.send(message("a", raised("early")))).unwrap();
        assert!(hub.fetch_orchestrations(1).now_or_never().is_none());
        let checkpoint = episode(&other, RuntimeStatus::Completed, Vec::new());
        block_on(hub.checkpoint(other, checkpoint)).unwrap();
        assert_eq!(news(&fetch(hub)), ["ExecutionStarted", "early"]);
        assert_eq!(hub.clock().now(), at(700));
    });
}

#[test]
fn what_is_given_back_with_a_delay_comes_after_it() {
    on_both_in_virtual_time(|hub| {
        create(hub, "a");
        let item = fetch(hub);
        block_on(hub.abandon_orchestration(item, Duration::from_secs(5))).unwrap();
        let item = fetch(hub);
        assert_eq!((hub.clock().now(), item.attempt), (at(5), 2));
        let checkpoint = episode(&item, RuntimeStatus::Running, vec![scheduled(0)]);
        block_on(hub.checkpoint(item, checkpoint)).unwrap();

        let activity = fetch_activity(hub);
        block_on(hub.abandon_activity(activity, Duration::from_secs(5))).unwrap();
        assert_eq!((fetch_activity(hub).attempt, hub.clock().now()), (2, at(10)));
    });
}

#[test]
fn a_message_is_delivered_when_it_becomes_visible() {
    on_both_in_virtual_time(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0)]);
        let activity = fetch_activity(hub);
        let mut later = message("a", raised("later"));
        later.visible_at = Some(at(50));
        block_on(hub.send(later)).unwrap();
        assert!(hub.fetch_orchestrations(1).now_or_never().is_none());
        block_on(hub.abandon_activity(activity, Duration::from_secs(100))).unwrap();
        assert_eq!(news(&fetch(hub)), ["later"]);
        assert_eq!(hub.clock().now(), at(50));
    });
}

#[test]
fn a_timer_that_is_due_fires_by_the_machines_clock() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![timer(0, 1)]);
        assert_eq!(news(&fetch(hub)), ["TimerFired"]);
    });
}
