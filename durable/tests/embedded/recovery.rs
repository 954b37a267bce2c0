//! What comes back after a process has died, or has stopped.

use std::collections::{BTreeMap, BTreeSet};

use durable::{
    history::EventId,
    model::RuntimeStatus,
    provider::{ActivityWorkItem, InstanceStore, Past, WorkStore},
};
use futures::FutureExt;

use crate::fixtures::*;

/// What dies without a word: its work is never ended, its items never settled.
fn crash(provider: durable::embedded::EmbeddedProvider) {
    drop(provider);
}

#[test]
fn a_start_that_was_acknowledged_comes_after_a_crash() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    let _out = fetch(&hub);
    crash(hub);
    let item = fetch(&folder.work());
    assert_eq!((news(&item), item.past, item.attempt), (vec!["ExecutionStarted".into()], Past::Empty, 1));
}

// R1:OVR-12
#[test]
fn open_activities_run_again_after_a_crash_and_answered_ones_do_not() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0), scheduled(1), scheduled(2)]);
    let first = fetch_activity(&hub);
    block_on(hub.complete_activity(first, completed(0))).unwrap();
    step(&hub, vec![scheduled(3)]);
    // Its result reaches memory, and no checkpoint.
    let lost = fetch_activity(&hub);
    block_on(hub.complete_activity(lost, completed(1))).unwrap();
    crash(hub);

    let hub = folder.work();
    assert_eq!([next_activity(&hub), next_activity(&hub), next_activity(&hub)], [1, 2, 3]);
    assert!(hub.fetch_activities(1).now_or_never().is_none());
    assert!(hub.fetch_orchestrations(1).now_or_never().is_none());
}

#[test]
fn a_recovered_instance_says_that_its_past_must_be_read() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0)]);
    crash(hub);
    let hub = folder.work();
    let activity = fetch_activity(&hub);
    block_on(hub.complete_activity(activity, completed(0))).unwrap();
    let item = fetch(&hub);
    assert_eq!((item.past, item.execution.as_str()), (Past::Stored, "first"));
    assert_eq!(block_on(hub.load_history(&item)).unwrap().events().len(), 4);
}

// R2:HUB-12, R3:DIAG-31
#[test]
fn messages_that_no_checkpoint_consumed_come_again_in_order() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    create(&hub, "b");
    step(&hub, Vec::new());
    step(&hub, Vec::new());
    for name in ["x", "y"] {
        block_on(hub.send(message("a", raised(name)))).unwrap();
    }
    // One is consumed, and sends another to `b`; two are out when the process dies.
    let item = fetch(&hub);
    let mut checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
    checkpoint.messages = vec![message("b", raised("from a"))];
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
    for name in ["p", "q"] {
        block_on(hub.send(message("a", raised(name)))).unwrap();
    }
    let _out = block_on(hub.fetch_orchestrations(2)).unwrap();
    crash(hub);

    let items = block_on(folder.work().fetch_orchestrations(5)).unwrap();
    let mut found: Vec<_> = items.iter().map(|item| (item.instance.as_str(), news(item))).collect();
    found.sort();
    assert_eq!(found, [("a", vec!["p".to_owned(), "q".to_owned()]), ("b", vec!["from a".to_owned()])]);
}

#[test]
fn open_timers_fire_after_a_crash_and_cancelled_ones_do_not() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0), timer(1, 4_000_000_000), timer(2, 4_000_000_001)]);
    let activity = fetch_activity(&hub);
    block_on(hub.complete_activity(activity, completed(0))).unwrap();
    let item = fetch(&hub);
    let mut checkpoint = episode(&item, RuntimeStatus::Running, vec![timer(3, 4_000_000_002)]);
    checkpoint.cancelled_timers = vec![EventId::from_i32(1), EventId::from_i32(3)];
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
    crash(hub);

    let clock = std::sync::Arc::new(VirtualClock::default());
    let hub = folder.open_with(clock);
    block_on(hub.begin_work()).unwrap();
    let item = fetch(&hub);
    assert_eq!(item.messages[0].event.kind.answers(), Some(EventId::from_i32(2)));
    assert_eq!(item.messages.len(), 1);
    let checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
    assert!(hub.fetch_orchestrations(1).now_or_never().is_none());
}

#[test]
fn an_old_open_task_is_found_behind_many_answered_ones() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0), timer(1, 4_000_000_000), scheduled(2)]);
    let waiting = fetch_activity(&hub);
    for number in 2..40 {
        let activity = fetch_activity(&hub);
        block_on(hub.complete_activity(activity, completed(number))).unwrap();
        step(&hub, vec![scheduled(number + 1)]);
    }
    drop(waiting);
    crash(hub);
    let hub = folder.work();
    assert_eq!([next_activity(&hub), next_activity(&hub)], [0, 40]);
    assert!(hub.fetch_activities(1).now_or_never().is_none());
}

#[test]
fn a_fan_out_of_thousands_comes_back_whole() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, (0..5_000).map(scheduled).collect());
    for item in block_on(hub.fetch_activities(2_500)).unwrap() {
        let number = item.scheduled.id.as_i32();
        block_on(hub.complete_activity(item, completed(number))).unwrap();
    }
    step(&hub, Vec::new());
    crash(hub);
    let items = block_on(folder.work().fetch_activities(10_000)).unwrap();
    assert!(items.iter().map(|item| item.scheduled.id.as_i32()).eq(2_500..5_000));
}

#[test]
fn an_ended_instance_and_the_messages_it_left_do_not_come_back() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    let item = fetch(&hub);
    block_on(hub.send(message("a", raised("late")))).unwrap();
    let checkpoint = episode(&item, RuntimeStatus::Completed, Vec::new());
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
    create(&hub, "a");
    crash(hub);
    assert_eq!(news(&fetch(&folder.work())), ["ExecutionStarted"]);
}

#[test]
fn a_file_that_cannot_be_read_now_is_not_taken_for_damaged() {
    let folder = Folder::new();
    let hub = folder.work();
    create(&hub, "a");
    step(&hub, vec![scheduled(0)]);
    crash(hub);

    connection(&folder).execute_batch("ALTER TABLE history RENAME TO away").unwrap();
    let hub = folder.open();
    assert_eq!(refused(block_on(hub.begin_work())), durable::provider::ProviderErrorKind::Other);
    connection(&folder).execute_batch("ALTER TABLE away RENAME TO history").unwrap();
    block_on(hub.begin_work()).unwrap();
    assert_eq!(next_activity(&hub), 0, "what the instance waits for was not forgotten");
}

fn connection(folder: &Folder) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.file()).unwrap()
}

/// How many messages the hub's file holds.
fn stored_messages(folder: &Folder) -> u32 {
    connection(folder).query_row("SELECT count(*) FROM messages", (), |row| row.get(0)).unwrap()
}

/// Ends an instance while a message for it is on its way.
fn end_with_a_message_to_come(hub: &durable::embedded::EmbeddedProvider, instance: &str) {
    create(hub, instance);
    let item = fetch(hub);
    block_on(hub.send(message(instance, raised("late")))).unwrap();
    let checkpoint = episode(&item, RuntimeStatus::Completed, Vec::new());
    block_on(hub.checkpoint(item, checkpoint)).unwrap();
}

#[test]
fn a_message_that_nobody_will_consume_goes_with_the_next_transaction() {
    let folder = Folder::new();
    let hub = folder.work();
    end_with_a_message_to_come(&hub, "a");
    create(&hub, "b");
    assert_eq!(stored_messages(&folder), 0);
}

#[test]
fn who_has_left_the_hub_to_others_removes_none_of_their_messages() {
    let folder = Folder::new();
    let before = folder.work();
    end_with_a_message_to_come(&before, "a");
    block_on(before.end_work());
    let hub = folder.work();
    create(&hub, "b");
    // The number of the removed message is given again.
    block_on(hub.send(message("b", raised("x")))).unwrap();
    create(&before, "c");
    crash(hub);
    assert_eq!(news(&fetch(&folder.work())), ["ExecutionStarted", "x"]);
}

#[test]
fn a_graceful_end_keeps_the_results_that_no_checkpoint_has_consumed() {
    on_both(|hub| {
        create(hub, "a");
        step(hub, vec![scheduled(0), scheduled(1)]);
        let activity = fetch_activity(hub);
        block_on(hub.end_work());
        assert!(block_on(hub.fetch_activities(1)).unwrap().is_empty());
        assert!(block_on(hub.fetch_orchestrations(1)).unwrap().is_empty());
        block_on(hub.complete_activity(activity, completed(0))).unwrap();
        block_on(hub.begin_work()).unwrap();
        assert_eq!(next_activity(hub), 1);
        assert_eq!(news(&fetch(hub)), ["TaskCompleted"]);
    });
}

/// Numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// One instance, and what a model says that it waits for.
struct Modelled {
    folder: Folder,
    hub: durable::embedded::EmbeddedProvider,
    activities: BTreeMap<i32, ActivityWorkItem>,
    timers: BTreeSet<i32>,
    next: i32,
}

impl Modelled {
    fn new() -> Self {
        let folder = Folder::new();
        let hub = folder.work();
        create(&hub, "a");
        Self { folder, hub, activities: BTreeMap::new(), timers: BTreeSet::new(), next: 0 }
    }

    /// Completes an activity or brings an event, and lets the instance ask for things and cancel some.
    fn turn(&mut self, numbers: &mut Numbers) {
        let answered = self.activities.keys().nth(numbers.below(6)).copied();
        match answered.and_then(|number| self.activities.remove(&number)) {
            Some(item) => {
                let result = completed(item.scheduled.id.as_i32());
                block_on(self.hub.complete_activity(item, result)).unwrap();
            }
            None => block_on(self.hub.send(message("a", raised("x")))).unwrap(),
        }
        let item = fetch(&self.hub);
        let mut actions = Vec::new();
        for _ in 0..numbers.below(4) {
            if numbers.below(2) == 0 {
                actions.push(scheduled(self.next));
            } else {
                actions.push(timer(self.next, 4_000_000_000 + i64::from(self.next)));
                self.timers.insert(self.next);
            }
            self.next += 1;
        }
        let mut checkpoint = episode(&item, RuntimeStatus::Running, actions);
        let cancelled: Vec<_> = self.timers.iter().copied().filter(|_| numbers.below(3) == 0).collect();
        self.timers.retain(|timer| !cancelled.contains(timer));
        // Naming a timer that is no longer open does no harm.
        checkpoint.cancelled_timers = cancelled.into_iter().chain([0, 1]).map(EventId::from_i32).collect();
        self.timers.remove(&0);
        self.timers.remove(&1);
        let count = checkpoint.activities.len();
        block_on(self.hub.checkpoint(item, checkpoint)).unwrap();
        self.fetch_activities(count);
    }

    fn fetch_activities(&mut self, count: usize) {
        let fetched =
            if count == 0 { Vec::new() } else { block_on(self.hub.fetch_activities(1_000)).unwrap() };
        assert_eq!(fetched.len(), count);
        self.activities.extend(fetched.into_iter().map(|item| (item.scheduled.id.as_i32(), item)));
    }

    /// Crashes, and checks that exactly the open activities come back.
    fn crash(mut self) -> Self {
        let Self { folder, hub, activities, .. } = self;
        drop(hub);
        self.hub = folder.work();
        self.folder = folder;
        self.activities = BTreeMap::new();
        self.fetch_activities(activities.len());
        assert!(self.activities.keys().eq(activities.keys()));
        self
    }

    /// Crashes, answers all activities, and checks that exactly the open timers fire.
    fn crash_and_fire(self) {
        let mut this = self.crash();
        let count = this.activities.len();
        for (number, item) in std::mem::take(&mut this.activities) {
            block_on(this.hub.complete_activity(item, completed(number))).unwrap();
        }
        if count > 0 {
            step(&this.hub, Vec::new());
        }
        drop(this.hub);
        let hub = this.folder.open_with(std::sync::Arc::new(VirtualClock::default()));
        block_on(hub.begin_work()).unwrap();
        for timer in this.timers {
            let item = fetch(&hub);
            assert_eq!(item.messages.len(), 1);
            assert_eq!(item.messages[0].event.kind.answers(), Some(EventId::from_i32(timer)));
            let checkpoint = episode(&item, RuntimeStatus::Running, Vec::new());
            block_on(hub.checkpoint(item, checkpoint)).unwrap();
        }
        create(&hub, "b");
        assert_eq!(fetch(&hub).instance, id("b"), "no other timer fires");
    }
}

#[test]
fn whatever_an_instance_did_exactly_what_it_waits_for_comes_back() {
    for seed in 0..10 {
        let mut numbers = Numbers(seed);
        let mut modelled = Modelled::new();
        step(&modelled.hub, Vec::new());
        for _ in 0..25 {
            modelled.turn(&mut numbers);
            if numbers.below(8) == 0 {
                modelled = modelled.crash();
            }
        }
        modelled.crash_and_fire();
    }
}
