//! How work items are settled, and what happens to those that are not.

use std::time::Duration;

use durable::{
    model::RuntimeStatus,
    provider::{InstanceStore, LockToken, ProviderErrorKind, WorkStore},
};
use futures::FutureExt;

use crate::fixtures::*;

#[test]
fn an_item_is_settled_once() {
    on_both(|hub| {
        create(hub, "a");
        let item = fetch(hub);
        let again = item.clone();
        let checkpoint = episode(&item, RuntimeStatus::Running, vec![scheduled(0)]);
        block_on(hub.checkpoint(item, checkpoint.clone())).unwrap();
        assert_eq!(refused(block_on(hub.load_history(&again))), ProviderErrorKind::LockLost);
        assert_eq!(
            refused(block_on(hub.abandon_orchestration(again.clone(), Duration::ZERO))),
            ProviderErrorKind::LockLost
        );
        assert_eq!(refused(block_on(hub.checkpoint(again, checkpoint))), ProviderErrorKind::LockLost);
        assert_eq!(block_on(hub.read_history(&id("a"))).unwrap().events().len(), 4);

        let activity = fetch_activity(hub);
        let again = activity.clone();
        block_on(hub.complete_activity(activity, completed(0))).unwrap();
        assert_eq!(
            refused(block_on(hub.complete_activity(again.clone(), completed(0)))),
            ProviderErrorKind::LockLost
        );
        assert_eq!(
            refused(block_on(hub.abandon_activity(again, Duration::ZERO))),
            ProviderErrorKind::LockLost
        );
        assert_eq!(news(&fetch(hub)), ["TaskCompleted"]);
    });
}

#[test]
fn an_item_that_is_given_back_comes_again_with_the_same_messages_and_one_attempt_more() {
    on_both(|hub| {
        create(hub, "a");
        let item = fetch(hub);
        block_on(hub.send(message("a", raised("x")))).unwrap();
        block_on(hub.abandon_orchestration(item, Duration::ZERO)).unwrap();
        let item = fetch(hub);
        assert_eq!((news(&item), item.attempt), (vec!["ExecutionStarted".into(), "x".into()], 2));
        let checkpoint = episode(&item, RuntimeStatus::Running, vec![scheduled(0)]);
        block_on(hub.checkpoint(item, checkpoint)).unwrap();

        let activity = fetch_activity(hub);
        block_on(hub.abandon_activity(activity, Duration::ZERO)).unwrap();
        let activity = fetch_activity(hub);
        assert_eq!(activity.attempt, 2);
        block_on(hub.complete_activity(activity, completed(0))).unwrap();
        assert_eq!(fetch(hub).attempt, 1, "a checkpoint begins a new count");
    });
}

#[test]
fn a_lock_lasts_as_long_as_the_process() {
    on_both(|hub| {
        create(hub, "a");
        assert_eq!(hub.lock_duration(), None);
        let item = fetch(hub);
        block_on(hub.renew(item.lock)).unwrap();
        assert_eq!(refused(block_on(hub.renew(LockToken(99)))), ProviderErrorKind::LockLost);
    });
}

#[test]
fn a_fetch_waits_and_is_woken_by_work_or_by_the_end() {
    on_both(|hub| {
        let mut fetch = hub.fetch_orchestrations(3);
        assert!((&mut fetch).now_or_never().is_none());
        create(hub, "a");
        assert_eq!(block_on(fetch).unwrap().len(), 1);

        let mut orchestrations = hub.fetch_orchestrations(3);
        let mut activities = hub.fetch_activities(3);
        assert!((&mut orchestrations).now_or_never().is_none());
        assert!((&mut activities).now_or_never().is_none());
        block_on(hub.end_work());
        assert!(block_on(orchestrations).unwrap().is_empty());
        assert!(block_on(activities).unwrap().is_empty());
    });
}

#[test]
fn a_fetch_ends_with_the_work_it_was_made_for_even_when_work_begins_again() {
    on_both(|hub| {
        let mut orchestrations = hub.fetch_orchestrations(3);
        let mut activities = hub.fetch_activities(3);
        assert!((&mut orchestrations).now_or_never().is_none());
        assert!((&mut activities).now_or_never().is_none());
        block_on(hub.end_work());
        block_on(hub.begin_work()).unwrap();
        create(hub, "a");
        assert!(block_on(orchestrations).unwrap().is_empty());
        assert!(block_on(activities).unwrap().is_empty());
        assert_eq!(fetch(hub).instance, id("a"));
    });
}

#[test]
fn two_waiting_fetches_share_what_comes_at_once() {
    on_both(|hub| {
        let mut first = hub.fetch_activities(1);
        let mut second = hub.fetch_activities(1);
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        create(hub, "a");
        step(hub, vec![scheduled(0), scheduled(1)]);
        assert_eq!(block_on(first).unwrap().len() + block_on(second).unwrap().len(), 2);
    });
}

#[test]
fn what_is_out_can_be_settled_after_the_end_and_the_next_worker_goes_on() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    let item = fetch(&hub);
    block_on(hub.end_work());
    let other = folder.open();
    assert!(matches!(refused(block_on(other.begin_work())), ProviderErrorKind::Held(_)));
    let checkpoint = episode(&item, RuntimeStatus::Running, vec![scheduled(0)]);
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
    // The lock goes with the last item; what the old owner is asked after that, it has given up.
    block_on(durable::provider::HubStore::create(&hub)).unwrap();
    block_on(other.begin_work()).unwrap();
    assert_eq!(next_activity(&other), 0);
}
