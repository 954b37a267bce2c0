//! Ended instances, removed: one, by filter, and when they are kept no longer.

use std::time::Duration;

use durable::{
    model::{RuntimeStatus, Timestamp},
    provider::{InstanceFilter, ProviderErrorKind},
};

use super::{
    Hub,
    fixtures::{Stage, id, names, refused, start_of},
};

impl Hub {
    async fn purge(&self, instance: &str) -> bool {
        self.provider.purge(&id(instance)).await.expect("what has ended can be purged")
    }

    /// Purges by filter in steps of `most` until it is complete; how many were removed.
    async fn purge_by(&self, filter: InstanceFilter, most: usize) -> u64 {
        let (mut deleted, mut after) = (0, None);
        for _ in 0..10_000 {
            let step = self.provider.purge_by(&filter, most, after.as_ref()).await;
            let step = step.expect("what has ended can be purged");
            assert!(step.deleted <= most as u64, "no more than was asked for");
            deleted += step.deleted;
            if step.is_complete() {
                return deleted;
            }
            after = step.next;
        }
        panic!("the purge has no end");
    }

    async fn is_there(&self, instance: &str) -> bool {
        self.provider.read_state(&id(instance)).await.expect("the store can be read").is_some()
    }

    /// Creates `instance`, to begin at `time`.
    async fn schedule(&self, instance: &str, time: Timestamp) {
        let mut new = start_of(instance, self.now());
        new.started.scheduled_start = Some(time);
        self.accept(new).await;
    }

    /// Creates `instance`, to be kept so long after its end.
    async fn create_kept(&self, instance: &str, retention: Option<Duration>) {
        let mut new = start_of(instance, self.now());
        new.started.name = "kept".into();
        new.started.retention = retention;
        self.accept(new).await;
    }

    async fn kept(&self) -> Vec<String> {
        self.fitting(InstanceFilter::new().name("kept")).await
    }
}

// R2:MGT-67; R4:MGMT-121, MGMT-123
pub(super) async fn a_purged_instance_is_gone_with_everything(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    hub.begin_and_end("b").await;
    assert!(hub.purge("a").await);
    assert!(!hub.is_there("a").await);
    refused(hub.provider.read_history(&id("a")).await, &ProviderErrorKind::NotFound);
    refused(hub.provider.send(super::fixtures::event("a", 1, hub.now())).await, &ProviderErrorKind::NotFound);
    assert_eq!(hub.found(InstanceFilter::new()).await, ["b"], "nobody else goes");
    assert_eq!(hub.counts().await, [(RuntimeStatus::Completed, 1)].into());
    assert!(!hub.purge("a").await, "it goes once");
}

// R4:MGMT-123
pub(super) async fn nothing_is_purged_where_there_is_nothing(stage: Stage<'_>) {
    let hub = stage.hub().await;
    assert!(!hub.purge("a").await);
    assert_eq!(hub.purge_by(InstanceFilter::new(), 10).await, 0);
}

// R2:MGT-71; R4:MGMT-122, R4:MGMT-180; DECISIONS 2
pub(super) async fn a_live_instance_is_not_purged(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin("running").await;
    hub.create("suspended").await;
    hub.bring_to("suspended", RuntimeStatus::Suspended).await;
    hub.create("pending").await;
    for instance in ["running", "suspended", "pending"] {
        refused(hub.provider.purge(&id(instance)).await, &ProviderErrorKind::NotEnded);
    }
    let named = InstanceFilter::new().statuses(RuntimeStatus::ALL);
    assert_eq!(hub.purge_by(named, 10).await, 0);
    assert_eq!(hub.fitting(InstanceFilter::new()).await, ["pending", "running", "suspended"]);
}

// R2:MGT-68, MGT-71; R4:MGMT-124 to MGMT-126, R2:MGT-69, R4:MGMT-180; DECISIONS 2
pub(super) async fn a_purge_takes_what_has_ended_and_nothing_else(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let late = hub.now().saturating_add(stage.moment());
    for (instance, status) in [
        ("completed", RuntimeStatus::Completed),
        ("failed", RuntimeStatus::Failed),
        ("terminated", RuntimeStatus::Terminated),
        ("running", RuntimeStatus::Running),
        ("suspended", RuntimeStatus::Suspended),
        ("late", RuntimeStatus::Completed),
    ] {
        let at = if instance == "late" { late } else { hub.now() };
        let mut new = start_of(instance, at);
        new.started.tags.insert("first".into(), instance[..1].into());
        hub.accept(new).await;
        hub.bring_to(instance, status).await;
    }
    let all = InstanceFilter::new;
    let odd = [RuntimeStatus::Running, RuntimeStatus::Failed];
    assert_eq!(hub.purge_by(all().statuses(odd), 5).await, 1);
    assert_eq!(hub.purge_by(all().tag("first", "t").status(RuntimeStatus::Completed), 5).await, 0);
    assert_eq!(hub.purge_by(all().tag("first", "t").id_prefix("term"), 5).await, 1);
    assert_eq!(hub.fitting(all()).await, ["completed", "late", "running", "suspended"]);
    assert_eq!(hub.purge_by(all().created_from(late), 5).await, 1);
    assert_eq!(hub.purge_by(all(), 5).await, 1);
    assert_eq!(hub.fitting(all()).await, ["running", "suspended"]);
    assert_eq!(hub.counts().await, [(RuntimeStatus::Running, 1), (RuntimeStatus::Suspended, 1)].into());
}

// R4:MGMT-127
pub(super) async fn a_purge_takes_no_more_than_it_was_asked_to(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for number in 0..9 {
        hub.begin_and_end(&format!("{number}")).await;
    }
    let step = hub.provider.purge_by(&InstanceFilter::new(), 4, None).await.expect("it can be purged");
    assert!(step.deleted <= 4 && !step.is_complete(), "{step:?}");
    let left = hub.found(InstanceFilter::new()).await.len() as u64;
    assert_eq!(left, 9 - step.deleted);
    assert_eq!(hub.purge_by(InstanceFilter::new(), 2).await, left);
}

pub(super) async fn a_purged_id_begins_anew(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    hub.episode(item).calls(0, "slow").saved().await;
    let late = hub.fetch_activity().await;
    hub.raise("a", 1).await;
    hub.bring_to("a", RuntimeStatus::Terminated).await;
    assert!(hub.purge("a").await);

    assert_eq!(hub.create("a").await.generation, 0, "nothing is known of the one before");
    // Whether the answer of the old one is refused or dropped, nobody gets it.
    let _ = hub.provider.complete_activity(late.clone(), late.scheduled.clone()).await;
    let item = hub.fetch_of("a").await;
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
    hub.episode(item).completes(0).saved().await;
    hub.insist_on_no_more_work().await;
}

pub(super) async fn what_was_meant_for_a_purged_instance_reaches_no_other(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("a").await;
    let item = hub.fetch_of("a").await;
    // Comes while it is out: nobody will consume it.
    hub.raise("a", 1).await;
    hub.episode(item).completes(0).saved().await;
    assert!(hub.purge("a").await);
    hub.create("b").await;

    let hub = stage.restarted(hub).await;
    let item = hub.fetch_of("b").await;
    assert_eq!(names(&item.messages), ["ExecutionStarted"]);
}

pub(super) async fn a_purge_survives(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["a", "b", "c"] {
        hub.begin_and_end(instance).await;
    }
    assert!(hub.purge("c").await);
    assert_eq!(hub.purge_by(InstanceFilter::new().id_prefix("a"), 5).await, 1);
    let hub = stage.restarted(hub).await;
    assert_eq!(hub.found(InstanceFilter::new()).await, ["b"]);
    hub.insist_on_no_more_work().await;
}

pub(super) async fn an_instance_is_kept_as_long_as_its_start_said(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let moment = stage.moment();
    hub.create("holder").await;
    // While it is out, no clock is moved.
    let holder = hub.fetch_of("holder").await;
    for (instance, moments) in [("short", Some(2)), ("long", Some(6)), ("ever", None)] {
        hub.create_kept(instance, moments.map(|moments| moment * moments)).await;
        hub.bring_to(instance, RuntimeStatus::Completed).await;
    }
    let began = hub.now();
    for later in [1, 4, 8] {
        hub.schedule(&format!("after {later}"), began.saturating_add(moment * later)).await;
    }
    hub.episode(holder).completes(0).saved().await;
    for (later, kept) in [(1, ["ever", "long", "short"].as_slice()), (4, &["ever", "long"]), (8, &["ever"])] {
        let item = hub.fetch_of(&format!("after {later}")).await;
        assert_eq!(hub.kept().await, kept, "after {later} moments");
        hub.episode(item).completes(0).saved().await;
    }
}

pub(super) async fn a_retention_goes_on_after_a_restart(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create("holder").await;
    let _held = hub.fetch_of("holder").await;
    hub.create_kept("a", Some(stage.moment())).await;
    hub.bring_to("a", RuntimeStatus::Failed).await;

    let hub = stage.restarted(hub).await;
    let holder = hub.fetch_of("holder").await;
    assert_eq!(hub.kept().await, ["a"]);
    hub.schedule("timer", hub.now().saturating_add(stage.moment() * 2)).await;
    hub.episode(holder).completes(0).saved().await;
    let _item = hub.fetch_of("timer").await;
    assert_eq!(hub.kept().await, [""; 0]);
}
