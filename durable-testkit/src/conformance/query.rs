//! Instances in bulk: found by filter, page by page, and counted.

use std::collections::{BTreeMap, BTreeSet};

use durable::{
    model::{InstanceState, Payload, RuntimeStatus},
    provider::{InstanceFilter, InstanceQuery, NewInstance, Page, ProviderErrorKind},
};

use super::{
    Hub,
    fixtures::{Stage, id, json, refused, start_of},
};

impl Hub {
    pub(crate) async fn page(&self, query: &InstanceQuery) -> Page {
        let page = self.provider.query(query).await.expect("the store can be read");
        assert!(page.instances.len() <= query.page_size, "no page has more than was asked for");
        page
    }

    /// The ids of all instances that `query` finds, in the order in which they come.
    pub(crate) async fn found(&self, query: impl Into<InstanceQuery>) -> Vec<String> {
        let states = self.found_states(query.into()).await;
        states.into_iter().map(|state| state.instance_id.to_string()).collect()
    }

    async fn found_states(&self, mut query: InstanceQuery) -> Vec<InstanceState> {
        let mut found = Vec::new();
        for _ in 0..10_000 {
            let page = self.page(&query).await;
            found.extend(page.instances);
            match page.next {
                Some(next) => query = query.after(next),
                None => return found,
            }
        }
        panic!("the pages have no end");
    }

    /// The ids of the instances that `filter` fits, sorted.
    pub(crate) async fn fitting(&self, filter: InstanceFilter) -> Vec<String> {
        let mut found = self.found(filter).await;
        found.sort_unstable();
        found
    }

    pub(crate) async fn counts(&self) -> BTreeMap<RuntimeStatus, u64> {
        let counts = self.provider.counts().await.expect("the store can be read");
        counts.iter().filter(|(_, count)| *count > 0).collect()
    }

    pub(crate) async fn accept(&self, new: NewInstance) {
        self.provider.create_instance(new).await.expect("the id is free");
    }

    /// Creates an instance that an orchestrator of that name is to run, tagged with `shop`.
    async fn create_named(&self, instance: &str, name: &str, shop: u32) {
        let mut new = start_of(instance, self.now());
        new.started.name = name.into();
        new.started.tags.insert("shop".into(), shop.to_string());
        new.started.tags.insert("all".into(), "yes".into());
        self.accept(new).await;
    }

    /// Takes `instance` through an episode after which it stands at `status`.
    pub(crate) async fn bring_to(&self, instance: &str, status: RuntimeStatus) {
        let item = self.fetch_of(instance).await;
        self.episode(item).stands_at(status).saved().await;
    }
}

// R2:MGT-34, MGT-39; R4:MGMT-48, MGMT-50
pub(super) async fn a_query_without_a_filter_tells_every_instance(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("ended").await;
    hub.begin("running").await;
    hub.create("pending").await;
    for state in hub.found_states(InstanceQuery::new()).await {
        assert_eq!(state, hub.state(state.instance_id.as_str()).await);
    }
    assert_eq!(hub.fitting(InstanceFilter::new()).await, ["ended", "pending", "running"]);
}

// R2:MGT-36; R4:MGMT-54 to MGMT-58, R4:MGMT-60, R3:SKIP-42; DECISIONS 2
pub(super) async fn every_part_of_a_filter_is_heeded(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let times: Vec<_> = (0..4).map(|hours| hub.now().saturating_add(stage.moment() * hours)).collect();
    for (number, instance) in ["a-1", "a-2", "b-1", "B-2"].into_iter().enumerate() {
        let mut new = start_of(instance, times[number]);
        new.started.name = if number % 2 == 0 { "even" } else { "odd" }.into();
        new.started.tags.insert("place".into(), number.to_string());
        new.started.tags.insert("half".into(), (number / 2).to_string());
        hub.accept(new).await;
        hub.bring_to(instance, if number < 3 { RuntimeStatus::Completed } else { RuntimeStatus::Failed })
            .await;
    }
    let all = InstanceFilter::new;
    for (filter, expected) in [
        (all().status(RuntimeStatus::Failed), vec!["B-2"]),
        (all().statuses([RuntimeStatus::Failed, RuntimeStatus::Completed]), vec!["B-2", "a-1", "a-2", "b-1"]),
        (all().name("odd"), vec!["B-2", "a-2"]),
        (all().name("Odd"), vec![]),
        (all().id_prefix("a-"), vec!["a-1", "a-2"]),
        (all().id_prefix("a-1"), vec!["a-1"]),
        (all().id_prefix("A"), vec![]),
        (all().id_prefix(""), vec!["B-2", "a-1", "a-2", "b-1"]),
        (all().tag("half", "0"), vec!["a-1", "a-2"]),
        (all().tag("half", "0").tag("place", "1"), vec!["a-2"]),
        (all().tag("half", "1").tag("place", "1"), vec![]),
        (all().tag("place", "half"), vec![]),
        (all().created_from(times[2]), vec!["B-2", "b-1"]),
        (all().created_to(times[1]), vec!["a-1", "a-2"]),
        (all().created_from(times[1]).created_to(times[2]), vec!["a-2", "b-1"]),
        (all().created_from(times[2]).created_to(times[1]), vec![]),
        (all().name("even").tag("half", "1").status(RuntimeStatus::Completed).id_prefix("b"), vec!["b-1"]),
        (all().name("even").tag("half", "1").created_to(times[1]), vec![]),
        (all().id_prefix("a").created_from(times[1]), vec!["a-2"]),
        (all().id_prefix("a").status(RuntimeStatus::Failed), vec![]),
    ] {
        assert_eq!(hub.fitting(filter.clone()).await, expected, "{filter:?}");
        let one_by_one = hub.found(InstanceQuery::of(filter.clone()).page_size(1)).await;
        assert_eq!(one_by_one.len(), expected.len(), "{filter:?}, page by page");
    }
}

pub(super) async fn a_filter_that_fits_nothing_finds_nothing(stage: Stage<'_>) {
    let hub = stage.hub().await;
    assert_eq!(hub.found(InstanceQuery::new()).await, [""; 0], "there is nothing yet");
    hub.create("a").await;
    let all = InstanceFilter::new;
    for filter in [
        all().status(RuntimeStatus::Completed),
        all().name("nobody"),
        all().id_prefix("b"),
        all().tag("shop", "1"),
        all().created_to(hub.now().saturating_add(stage.moment())).name("greet%"),
    ] {
        assert_eq!(hub.found(filter.clone()).await, [""; 0], "{filter:?}");
    }
}

// R2:MGT-35; R4:MGMT-49, R4:MGMT-189
pub(super) async fn pages_together_hold_every_instance_once(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    let mut all = BTreeSet::new();
    for number in 0..25 {
        let instance = format!("order-{number}");
        hub.create_named(&instance, if number % 3 == 0 { "third" } else { "other" }, number % 2).await;
        let item = hub.fetch_of(&instance).await;
        let episode = hub.episode(item);
        let episode = if number % 5 == 0 { episode } else { episode.completes(0) };
        episode.saved().await;
        all.insert(instance);
    }
    let fit = InstanceFilter::new;
    for filter in [
        fit(),
        fit().tag("all", "yes"),
        fit().id_prefix("order-"),
        fit().name("other"),
        fit().tag("shop", "1"),
    ] {
        let expected: BTreeSet<_> = hub.found(filter.clone()).await.into_iter().collect();
        assert!(expected.is_subset(&all) && expected.len() > 10, "{filter:?}");
        for size in [1, 2, 7, 24, 25, 26] {
            let found = hub.found(InstanceQuery::of(filter.clone()).page_size(size)).await;
            let distinct: BTreeSet<_> = found.iter().cloned().collect();
            assert_eq!((found.len(), &distinct), (expected.len(), &expected), "{filter:?} by {size}");
        }
    }
}

// R4:MGMT-51
pub(super) async fn pages_stay_in_step_while_instances_come_and_go(stage: Stage<'_>) {
    for filter in
        [InstanceFilter::new(), InstanceFilter::new().id_prefix("n"), InstanceFilter::new().tag("all", "yes")]
    {
        let hub = stage.worked_hub().await;
        for number in 0..12 {
            let instance = format!("n{number:02}");
            hub.create_named(&instance, "steady", 0).await;
            hub.bring_to(&instance, RuntimeStatus::Running).await;
        }
        let mut query = InstanceQuery::of(filter).page_size(2);
        let (mut found, mut purged) = (Vec::new(), None);
        for round in 0.. {
            let page = hub.page(&query).await;
            found.extend(page.instances.iter().map(|state| state.instance_id.to_string()));
            let Some(next) = page.next else { break };
            query = query.after(next);
            hub.create_named(&format!("n{}", 50 + round), "new", 0).await;
            hub.bring_to(&format!("n{}", 50 + round), RuntimeStatus::Running).await;
            if purged.is_none() {
                // Others change where they stand, and one that was told goes.
                for instance in ["n01", "n05", "n11", &found[0]] {
                    hub.raise(instance, 1).await;
                    hub.bring_to(instance, RuntimeStatus::Completed).await;
                }
                let gone = id(&found[0]);
                purged = Some(hub.provider.purge(&gone).await.expect("it has ended"));
            }
            assert!(round < 100, "the pages have no end");
        }
        let steady: Vec<_> = (0..12).map(|number| format!("n{number:02}")).collect();
        found.retain(|instance| steady.contains(instance));
        found.sort_unstable();
        assert_eq!((found, purged), (steady, Some(true)));
    }
}

pub(super) async fn a_token_of_another_query_is_refused(stage: Stage<'_>) {
    let hub = stage.hub().await;
    for instance in ["a", "b", "c"] {
        hub.create(instance).await;
    }
    let query = InstanceQuery::new().page_size(1);
    let token = hub.page(&query).await.next.expect("there are more");
    let other = InstanceQuery::of(InstanceFilter::new().id_prefix("a"));
    for bad in [other.after(token.clone()), query.clone().after("no token"), query.clone().after("")] {
        refused(hub.provider.query(&bad).await, &ProviderErrorKind::BadPageToken);
        let purge = hub.provider.purge_by(&bad.filter, 1, bad.after.as_ref()).await;
        refused(purge, &ProviderErrorKind::BadPageToken);
    }
    let next = query.page_size(2).after(token);
    assert_eq!(hub.page(&next).await.instances.len(), 2, "the token itself is still good");
}

// R2:MGT-12; R4:MGMT-47, R4:MGMT-26, R4:MGMT-29, R4:MGMT-45
pub(super) async fn payloads_are_left_out_where_they_are_not_wanted(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.begin_and_end("a").await;
    let mut state = hub.state("a").await;
    assert_eq!(state.input, json("Ada"));
    let page = hub.page(&InstanceQuery::new().without_payloads()).await;
    for payload in [&mut state.input, &mut state.output, &mut state.custom_status] {
        *payload = Payload::null();
    }
    assert_eq!(page.instances, [state]);
}

// R2:MGT-20, R4:MGMT-37
pub(super) async fn instances_are_found_and_counted_where_they_stand(stage: Stage<'_>) {
    use RuntimeStatus::{Completed, Failed, Pending, Running, Suspended, Terminated};
    let hub = stage.worked_hub().await;
    assert_eq!(hub.counts().await, [].into());
    let lives: [&[RuntimeStatus]; 5] = [
        &[Running, Suspended, Running, Completed],
        &[Suspended, Terminated],
        &[Failed],
        &[Running, Running],
        &[],
    ];
    for (number, life) in lives.iter().enumerate() {
        let instance = format!("life-{number}");
        hub.create(&instance).await;
        let mut stands = Pending;
        for next in *life {
            assert_eq!(hub.found(InstanceFilter::new().status(stands)).await.last(), Some(&instance));
            hub.raise(&instance, 0).await;
            hub.bring_to(&instance, *next).await;
            let found = hub.found(InstanceFilter::new().status(*next)).await;
            assert!(found.contains(&instance), "{next}: {found:?}");
            let before = hub.found(InstanceFilter::new().status(stands)).await;
            assert_eq!(before.contains(&instance), stands == *next, "{stands} before {next}");
            stands = *next;
        }
        let everywhere = hub.counts().await;
        for status in RuntimeStatus::ALL {
            let found = hub.found(InstanceFilter::new().status(status)).await;
            assert_eq!(everywhere.get(&status).copied().unwrap_or(0), found.len() as u64, "{status}");
        }
    }
    let expected = [(Pending, 1), (Running, 1), (Completed, 1), (Failed, 1), (Terminated, 1)];
    assert_eq!(hub.counts().await, expected.into());
}

pub(super) async fn a_reused_id_is_found_as_what_it_is_now(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    hub.create_named("a", "first", 1).await;
    hub.bring_to("a", RuntimeStatus::Failed).await;
    hub.create_named("a", "second", 2).await;
    let all = InstanceFilter::new;
    for filter in [all().name("first"), all().tag("shop", "1"), all().status(RuntimeStatus::Failed)] {
        assert_eq!(hub.found(filter.clone()).await, [""; 0], "{filter:?}");
    }
    for filter in [all(), all().name("second"), all().tag("shop", "2"), all().status(RuntimeStatus::Pending)]
    {
        assert_eq!(hub.found(filter.clone()).await, ["a"], "{filter:?}");
    }
    assert_eq!(hub.counts().await, [(RuntimeStatus::Pending, 1)].into());
}

pub(super) async fn what_is_found_and_counted_survives(stage: Stage<'_>) {
    let hub = stage.worked_hub().await;
    for instance in ["a", "b", "c"] {
        hub.create_named(instance, "greet", 1).await;
    }
    let query = InstanceQuery::of(InstanceFilter::new().tag("shop", "1")).page_size(1);
    let first = hub.page(&query).await;
    hub.bring_to("a", RuntimeStatus::Completed).await;
    hub.bring_to("b", RuntimeStatus::Suspended).await;
    let before = hub.counts().await;
    let hub = stage.restarted(hub).await;
    assert_eq!(hub.counts().await, before);
    assert_eq!(hub.fitting(InstanceFilter::new().status(RuntimeStatus::Suspended)).await, ["b"]);
    let rest = hub.found(query.after(first.next.expect("there are more"))).await;
    assert_eq!(rest.len(), 2, "a token outlives the process");
}
