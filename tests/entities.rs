//! Entities: signalled, called, read; one after the other and in order.
//!
//! Both embedded stores, with what is kept in memory and without. Begin with
//! [`a_counter_counts_what_it_is_told`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::sync::atomic::{AtomicBool, Ordering};

use durable::{Error, model::EntityName, prelude::*, provider::EntityQuery, worker::Worker};
use durable_testkit::TestHub;
use durable_tests::{
    Folder,
    places::{Place, each_hub},
};
use futures::{StreamExt, TryStreamExt};

/// The documents' counter in the function syntax (R2:ENT-20 to ENT-23, R3:ENT-58, R1:OVR-27 to OVR-29).
async fn counter(ctx: EntityContext) -> Result<(), Failure> {
    match ctx.operation_name().as_str().to_lowercase().as_str() {
        "add" => {
            let amount: i64 = ctx.input()?;
            let before: i64 = ctx.state()?;
            if before < 100 && before + amount >= 100 {
                let monitor = EntityId::new("monitor", "")?;
                ctx.signal(monitor.operation("milestone-reached", ctx.key()));
            }
            ctx.set_state(before + amount)
        }
        "refuse" => {
            ctx.set_state(1_000_000)?;
            ctx.signal(ctx.entity_id().operation("add", 1_000_000));
            Err("no".into())
        }
        "panic" => panic!("as asked"),
        "reset" => ctx.set_state(0),
        "delete" => {
            ctx.delete_state();
            Ok(())
        }
        "get" => {
            ctx.return_value(ctx.state::<i64>()?);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Notes what it is told.
async fn monitor(ctx: EntityContext) -> Result<(), Failure> {
    let told: String = ctx.input()?;
    ctx.change_state(|all: &mut Vec<String>| all.push(told))
}

fn functions() -> Registry {
    Registry::builder().discover().entity("Counter", counter).entity("Monitor", monitor).build().unwrap()
}

fn id(key: &str) -> EntityId {
    EntityId::new("Counter", key).unwrap()
}

/// What the entity holds now, after all that came before the question.
#[orchestrator]
async fn value_of(ctx: OrchestrationContext, entity: EntityId) -> Result<i64, Failure> {
    ctx.call(entity.operation("Get", ()).returning()).await
}

/// Signals, then calls: the call sees what the signal did (R3:ENT-20).
#[orchestrator]
async fn add_and_get(ctx: OrchestrationContext, entity: EntityId, amount: i64) -> Result<i64, Failure> {
    ctx.signal(entity.operation("add", amount));
    ctx.call(entity.operation("get", ()).returning()).await
}

#[orchestrator]
async fn call(ctx: OrchestrationContext, entity: EntityId, operation: String) -> Result<String, Failure> {
    match ctx.call(entity.operation(operation, ())).await {
        Ok(result) => Ok(result.as_json().to_owned()),
        Err(failure) => Ok(failure.to_string()),
    }
}

async fn worker(place: &Place) -> Worker {
    place.hub.worker().functions(functions()).always_replay(place.replays).start().await.unwrap()
}

// R2:ENT-1, ENT-4, ENT-7, ENT-9, ENT-10, ENT-13, ENT-20 to ENT-23, ENT-26, ENT-27, ENT-30, ENT-32 to ENT-35,
// ENT-37, ENT-41; R1:OVR-25 to OVR-29, OVR-31, OVR-32, R1:SMP-6; R3:ENT-58, ENT-62, ENT-63
#[tokio::test]
async fn a_counter_counts_what_it_is_told() {
    let folder = Folder::new("counter").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        let game = id("Game1");
        assert_eq!(client.read_as::<i64>(&game).await.unwrap(), None, "there is none yet");
        for amount in 1..=10 {
            client.signal(game.operation("Add", amount)).await.unwrap();
        }
        let run = client.start(value_of::with(game.clone())).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 55, "{}", place.address);
        assert_eq!(client.read_as(&game).await.unwrap(), Some(55_i64));
        assert_eq!(client.read_as::<i64>(&id("game1")).await.unwrap(), None, "keys are exact");
        client.signal(id("Game1").operation("RESET", ())).await.unwrap();
        let run = client.start(add_and_get::with(game.clone(), 7)).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 7);
        client.signal(game.operation("delete", ())).await.unwrap();
        let run = client.start(call::with(game.clone(), "unknown")).await.unwrap();
        assert_eq!(run.output().await.unwrap(), "null");
        assert_eq!(client.read_as::<i64>(&game).await.unwrap(), None);
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-16, ENT-36, ENT-39, ENT-40; DECISIONS 12
#[tokio::test]
async fn a_failed_operation_leaves_no_trace_and_its_neighbours_stand() {
    let folder = Folder::new("failing").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let game = id("a");
        // Before there is a worker, so that they are one batch.
        client.signal(game.operation("add", 1)).await.unwrap();
        client.signal(game.operation("refuse", ())).await.unwrap();
        client.signal(game.operation("panic", ())).await.unwrap();
        client.signal(game.operation("add", 2)).await.unwrap();
        let refused = client.start(call::with(game.clone(), "refuse")).await.unwrap();
        let worker = worker(&place).await;
        let told = refused.output().await.unwrap();
        assert!(told.contains("no") && told.contains("counter.refuse"), "{told}");
        let panicked = client.start(call::with(game.clone(), "panic")).await.unwrap();
        assert!(panicked.output().await.unwrap().contains("as asked"));
        let run = client.start(value_of::with(game)).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 3);
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-70, R2:PERF-6, PERF-9, PERF-11: however few operations a turn takes, all have theirs, in order.
#[tokio::test]
async fn a_small_batch_leaves_the_rest_for_the_next_turn() {
    let folder = Folder::new("batches").unwrap();
    for place in each_hub(&folder).await {
        let client = place.hub.client();
        let monitor = EntityId::new("monitor", "all").unwrap();
        let told: Vec<_> = (0..50).map(|number| number.to_string()).collect();
        for text in &told {
            client.signal(monitor.operation("tell", text)).await.unwrap();
        }
        let run = client.start(call::with(monitor.clone(), "look")).await.unwrap();
        let worker = place.hub.worker().functions(functions()).entity_batch(3).start().await.unwrap();
        run.output().await.unwrap();
        assert_eq!(client.read_as(&monitor).await.unwrap(), Some(told), "{}", place.address);
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-39, ENT-45; R2:HUB-11
#[tokio::test]
async fn an_entity_signals_another_once() {
    let folder = Folder::new("signalling").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        for _ in 0..20 {
            client.signal(id("m").operation("add", 10)).await.unwrap();
        }
        let run = client.start(value_of::with(id("m"))).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 200);
        let monitor = EntityId::new("monitor", "").unwrap();
        let run = client.start(call::with(monitor.clone(), "look")).await.unwrap();
        run.output().await.unwrap();
        assert_eq!(client.read_as(&monitor).await.unwrap(), Some(vec!["m".to_owned()]));
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-6, ENT-15, ENT-42, ENT-57: what was acknowledged is there after a new start.
#[tokio::test]
async fn signals_and_state_outlive_the_process() {
    let folder = Folder::new("restart").unwrap();
    for place in each_hub(&folder).await {
        if place.address == "memory:" {
            continue;
        }
        let first = worker(&place).await;
        let client = place.hub.client();
        let run = client.start(add_and_get::with(id("r"), 5)).await.unwrap();
        run.output().await.unwrap();
        first.shut_down().await.unwrap();
        client.signal(id("r").operation("add", 1)).await.unwrap();
        drop(client);
        drop(run);
        let place = place.reopened().await;
        let client = place.hub.client();
        assert_eq!(client.read_as(&id("r")).await.unwrap(), Some(5_i64), "it is read as committed");
        let second = worker(&place).await;
        let run = client.start(add_and_get::with(id("r"), 10)).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 16);
        second.shut_down().await.unwrap();
    }
}

// Entities are no orchestrations: lists and counts of these do not tell them.
#[tokio::test]
async fn entities_are_not_among_the_orchestrations() {
    let folder = Folder::new("lists").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        let run = client.start(add_and_get::with(id("r"), 5)).await.unwrap();
        run.output().await.unwrap();
        let page = client.query(InstanceQuery::new()).await.unwrap();
        let ids: Vec<_> = page.instances.iter().map(|state| state.instance_id.clone()).collect();
        assert_eq!(ids, [run.id().clone()]);
        let counts = client.counts().await.unwrap();
        assert_eq!(counts.total(), 1, "{counts:?}");
        worker.shut_down().await.unwrap();
    }
}

static IS_CLOSED: AtomicBool = AtomicBool::new(true);
static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

/// Waits for ever while it is closed.
async fn slow(ctx: EntityContext) -> Result<(), Failure> {
    if IS_CLOSED.load(Ordering::SeqCst) {
        HAS_BEGUN.store(true, Ordering::SeqCst);
        futures::future::pending::<()>().await;
    }
    ctx.change_state(|count: &mut i64| *count += 1)
}

// An operation that waits keeps no worker from leaving; it runs again at the next start, and counts once.
#[tokio::test]
async fn a_worker_leaves_although_an_operation_waits() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let functions = || Registry::builder().discover().entity("slow", slow).build().unwrap();
    let client = hub.client();
    let entity = EntityId::new("slow", "s").unwrap();
    let run = client.start(call::with(entity.clone(), "go")).await.unwrap();
    let grace = std::time::Duration::ZERO;
    let worker = hub.worker().functions(functions()).grace_period(grace).start().await.unwrap();
    while !HAS_BEGUN.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    worker.shut_down().await.unwrap();
    IS_CLOSED.store(false, Ordering::SeqCst);
    let worker = hub.worker().functions(functions()).start().await.unwrap();
    client.signal(entity.operation("go", ())).await.unwrap();
    run.output().await.unwrap();
    client.start(call::with(entity.clone(), "go")).await.unwrap().output().await.unwrap();
    assert_eq!(client.read_as::<i64>(&entity).await.unwrap(), Some(3));
    worker.shut_down().await.unwrap();
}

// Lists: by kind, by the beginning of keys, by time, page by page, with what each holds.
#[tokio::test]
async fn entities_are_listed_page_by_page() {
    let folder = Folder::new("list").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        for number in 0..25_i64 {
            client.signal(id(&format!("game-{number:02}")).operation("add", number)).await.unwrap();
        }
        client.signal(id("other").operation("add", 1)).await.unwrap();
        let monitor = EntityId::new("monitor", "m").unwrap();
        client.signal(monitor.operation("tell", "x")).await.unwrap();
        for entity in [id("game-24"), id("other"), monitor.clone()] {
            client.start(call::with(entity, "look")).await.unwrap().output().await.unwrap();
        }
        let counter = || EntityName::new("Counter").unwrap();
        let games = EntityQuery::new().keys(counter(), "game-").page_size(10);
        let mut found = Vec::new();
        let mut query = games.clone();
        loop {
            let page = client.query_entities(query.clone()).await.unwrap();
            assert!(page.entities.len() <= 10);
            found.extend(page.entities);
            let Some(next) = page.next else { break };
            query = query.after(next);
        }
        let keys: Vec<_> = found.iter().map(|entity| entity.entity.key().to_owned()).collect();
        assert_eq!(keys, (0..25).map(|number| format!("game-{number:02}")).collect::<Vec<_>>());
        // What was signalled and not asked for may still be on its way.
        let last = found.last().unwrap();
        assert_eq!(last.state.as_ref().unwrap().read::<i64>().unwrap(), 24);
        let all: Vec<_> = client.entities(EntityQuery::new()).try_collect().await.unwrap();
        assert_eq!(all.len(), 27);
        assert_eq!(client.entities(EntityQuery::new().name(counter())).count().await, 26);
        let later = last.last_modified.saturating_add(std::time::Duration::from_secs(3600));
        assert_eq!(client.entities(EntityQuery::new().modified_from(later)).count().await, 0);
        assert_eq!(client.entities(EntityQuery::new().modified_to(later)).count().await, 27);
        let bare = client.query_entities(games.clone().without_states()).await.unwrap();
        assert!(bare.entities.len() == 10 && bare.entities.iter().all(|entity| entity.state.is_none()));
        let other = client.query_entities(games.after("nonsense")).await.unwrap_err();
        assert!(other.to_string().contains("page"), "{other}");
        worker.shut_down().await.unwrap();
    }
}

// Nothing is kept of an entity without a state: there is nothing to clean.
#[tokio::test]
async fn an_entity_that_is_deleted_leaves_nothing_and_can_begin_again() {
    let folder = Folder::new("forget").unwrap();
    for place in each_hub(&folder).await {
        let worker = worker(&place).await;
        let client = place.hub.client();
        for round in 0..20_i64 {
            for _ in 0..3 {
                client.signal(id("x").operation("add", round)).await.unwrap();
                client.signal(id("x").operation("delete", ())).await.unwrap();
            }
            client.signal(id("x").operation("add", round)).await.unwrap();
            let run = client.start(value_of::with(id("x"))).await.unwrap();
            assert_eq!(run.output().await.unwrap(), round, "no message was lost");
            client.signal(id("x").operation("delete", ())).await.unwrap();
        }
        let run = client.start(call::with(id("x"), "unknown")).await.unwrap();
        run.output().await.unwrap();
        assert_eq!(client.entities(EntityQuery::new()).count().await, 0, "{}", place.address);
        let cleaned = client.clean_entities().await.unwrap();
        assert_eq!((cleaned.looked_at, cleaned.orphaned_locks.len()), (0, 0));
        worker.shut_down().await.unwrap();
    }
}

// R2:ENT-14, ENT-15: a signal for later runs then, and not before.
#[tokio::test]
async fn a_signal_for_later_runs_then() {
    let hub = TestHub::builder().functions(functions()).start().await.unwrap();
    let client = hub.client();
    let later = hub.now().saturating_add(std::time::Duration::from_secs(3 * 24 * 3600));
    client.signal(id("s").operation("add", 100).at(later)).await.unwrap();
    client.signal(id("s").operation("add", 1)).await.unwrap();
    assert_eq!(hub.run(value_of::with(id("s"))).await.unwrap(), 1);
    hub.run(waits_until::with(later)).await.unwrap();
    assert_eq!(hub.run(value_of::with(id("s"))).await.unwrap(), 101);
    hub.shut_down().await.unwrap();
}

#[orchestrator]
async fn waits_until(ctx: OrchestrationContext, time: Timestamp) -> Result<(), Failure> {
    ctx.sleep_until(time.saturating_add(std::time::Duration::from_secs(1))).await
}

// R3:ENT-49: what is read as another type stays as it is, and the error names both.
#[tokio::test]
async fn a_state_of_another_type_is_named() {
    let hub = TestHub::builder().functions(functions()).start().await.unwrap();
    hub.run(add_and_get::with(id("n"), 7)).await.unwrap();
    let error = hub.client().read_as::<Vec<String>>(&id("n")).await.unwrap_err();
    assert!(matches!(error, Error::StoredState { .. }), "{error:?}");
    let shown = error.to_string();
    assert!(shown.contains("@counter@n") && shown.contains("Vec"), "{shown}");
    assert_eq!(hub.client().read_as(&id("n")).await.unwrap(), Some(7_i64));
    let error = Error::from(EntityId::new("", "x").unwrap_err());
    assert!(error.to_string().contains("must not be empty"), "{error}");
}

// An input that cannot be stored is the sender's error.
#[tokio::test]
async fn a_signal_that_cannot_be_stored_is_refused() {
    let hub = TaskHub::options().max_payload(100).open("memory:").await.unwrap();
    let error = hub.client().signal(id("x").operation("add", "x".repeat(200))).await.unwrap_err();
    assert!(matches!(error, Error::Payload(_)), "{error:?}");
}
