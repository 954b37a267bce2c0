//! Tracking events: one for each step of an instance's life, with the fields that tools look for, and
//! none on replay.
//!
//! Workers run on threads of their own, so the subscriber is that of the whole process; each test has an
//! instance of its own. Begin with [`a_chain_tells_its_steps_in_order`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use durable::{hub::TaskHubOptions, prelude::*, tracking::TARGET, worker::WorkerBuilder};
use durable_tests::functions::WORD;
use tracing::{
    Event as TraceEvent, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// The fields of one tracking event, its level among them.
type Fields = BTreeMap<&'static str, String>;

static EVENTS: LazyLock<Mutex<Vec<Fields>>> = LazyLock::new(Mutex::default);

fn events() -> MutexGuard<'static, Vec<Fields>> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Listener;

#[derive(Default)]
struct Reader(Fields);

impl Visit for Reader {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &TraceEvent<'_>) {
        let mut reader = Reader::default();
        event.record(&mut reader);
        reader.0.insert("level", event.metadata().level().to_string());
        events().push(reader.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static LISTENING: LazyLock<()> =
        LazyLock::new(|| tracing::subscriber::set_global_default(Listener).unwrap());
    LazyLock::force(&LISTENING);
}

fn told(instance: &str) -> Vec<Fields> {
    events().iter().filter(|fields| fields["instanceId"] == instance).cloned().collect()
}

/// Each step as `type state`, and what `fields` say of it.
fn steps(instance: &str, fields: &[&str]) -> Vec<String> {
    let line = |event: &Fields| {
        let mut line = format!("{} {}", event["functionType"], event["state"]);
        for field in fields {
            line.extend(event.get(field).map(|value| format!(" {value}")));
        }
        line
    };
    told(instance).iter().map(line).collect()
}

#[activity]
async fn tracked_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity]
async fn tracked_failure() -> Result<(), Failure> {
    Err(Failure::new("no card").caused_by("stolen".into()))
}

#[orchestrator]
async fn tracked_chain(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call(tracked_hello::with(city)).await?);
    }
    Ok(greetings)
}

#[orchestrator]
async fn tracked_wait(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.wait_for(WORD).await
}

#[orchestrator]
async fn tracked_error(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(tracked_failure::with()).await
}

/// Runs `start` to its end on a hub of its own.
async fn run<S: durable::call::Startable>(
    start: S,
    hub: TaskHubOptions,
    worker: impl FnOnce(WorkerBuilder) -> WorkerBuilder,
) {
    listen();
    let hub = hub.open("memory:").await.unwrap();
    let worker = worker(hub.worker()).start().await.unwrap();
    hub.client().start(start).await.unwrap().wait_for_end().await.unwrap();
    worker.shut_down().await.unwrap();
}

const CHAIN: [&str; 14] = [
    "Orchestrator Scheduled",
    "Orchestrator Started",
    "Activity Scheduled",
    "Orchestrator Awaited",
    "Activity Started",
    "Activity Completed",
    "Activity Scheduled",
    "Orchestrator Awaited",
    "Activity Started",
    "Activity Completed",
    "Activity Scheduled",
    "Orchestrator Awaited",
    "Activity Started",
    "Activity Completed",
];

// R3:DIAG-1, R3:DIAG-3, R3:DIAG-7, R3:DIAG-10, R3:SKIP-43
#[tokio::test]
async fn a_chain_tells_its_steps_in_order() {
    for (id, verify) in [("tracked 1", true), ("tracked 2", false)] {
        let start = tracked_chain::with().instance_id(id);
        run(start, TaskHub::options(), |worker| worker.always_replay(verify)).await;
        let steps = steps(id, &[]);
        assert_eq!(steps[..14], CHAIN, "verify: {verify}");
        assert_eq!(steps[14..], ["Orchestrator Completed"]);
        assert!(told(id).iter().all(|event| event["isReplay"] == "false"));
    }
}

// R3:DIAG-2, R3:DIAG-5, R3:DIAG-6, R3:DIAG-9
#[tokio::test]
async fn an_event_has_the_fields_that_tools_look_for() {
    let hub = TaskHub::options().name("SampleHub").app_name("shop").slot_name("staging");
    run(tracked_chain::with().instance_id("fields"), hub, |worker| worker).await;
    let told = told("fields");
    let mut last = told.last().unwrap().clone();
    let sequence = last.remove("sequenceNumber").unwrap();
    let expected = [
        ("hubName", "SampleHub"),
        ("appName", "shop"),
        ("slotName", "staging"),
        ("functionName", "tracked_chain"),
        ("functionType", "Orchestrator"),
        ("instanceId", "fields"),
        ("state", "Completed"),
        ("isReplay", "false"),
        ("extensionVersion", env!("CARGO_PKG_VERSION")),
        ("output", "(49 bytes)"),
        ("level", "INFO"),
        ("message", "fields: Orchestrator `tracked_chain` Completed"),
    ];
    assert_eq!(last, expected.map(|(field, value)| (field, value.to_owned())).into());
    let activity = told.iter().find(|event| event["functionType"] == "Activity").unwrap();
    assert_eq!(activity["functionName"], "tracked_hello");
    assert_eq!((activity["taskId"].as_str(), activity["input"].as_str()), ("0", "(7 bytes)"));
    let numbers: Vec<u64> = told.iter().map(|event| event["sequenceNumber"].parse().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.last().unwrap().to_string() == sequence, "{numbers:?}");
}

// R3:DIAG-9
#[tokio::test]
async fn payloads_are_told_whole_only_when_that_is_wanted() {
    let start = tracked_chain::with().instance_id("whole");
    run(start, TaskHub::options().track_payloads(true), |worker| worker).await;
    let last = told("whole").pop().unwrap();
    assert_eq!(last["output"], r#"["Hello Tokyo!","Hello Seattle!","Hello London!"]"#);
}

// R3:DIAG-3, R3:DIAG-4, R3:DIAG-13
#[tokio::test]
async fn a_wait_for_an_event_is_told_once_with_the_events_name() {
    listen();
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().always_replay(true).start().await.unwrap();
    let run = hub.client().start(tracked_wait::with().instance_id("listens")).await.unwrap();
    run.wait_for_start().await.unwrap();
    run.suspend("lunch").await.unwrap();
    run.resume("back").await.unwrap();
    hub.client().raise(&run, WORD, "now".to_owned()).await.unwrap();
    run.wait_for_end().await.unwrap();
    worker.shut_down().await.unwrap();
    let mut steps = steps("listens", &["reason"]);
    // How many episodes the orders take is the store's affair.
    steps.retain(|step| step != "Orchestrator Awaited");
    let listening = format!("Orchestrator Listening {}", WORD.name());
    let expected = [
        "Orchestrator Scheduled",
        "Orchestrator Started",
        &listening,
        "Orchestrator Suspended lunch",
        "Orchestrator Resumed back",
        "Orchestrator Completed",
    ];
    assert_eq!(steps, expected);
}

// R3:DIAG-4, R3:DIAG-7
#[tokio::test]
async fn a_failure_is_told_as_an_error_with_its_causes() {
    run(tracked_error::with().instance_id("fails"), TaskHub::options(), |worker| worker).await;
    let failed: Vec<_> = told("fails").into_iter().filter(|event| event["state"] == "Failed").collect();
    assert_eq!(failed.len(), 2);
    for (event, function) in failed.iter().zip(["Activity", "Orchestrator"]) {
        assert_eq!(event["functionType"], function);
        assert_eq!(event["level"], "ERROR");
        assert_eq!(event["reason"], "`tracked_failure` failed: no card; caused by: stolen");
        assert!(!event.contains_key("output"));
    }
}

// R3:DIAG-8
#[tokio::test]
async fn replays_are_told_only_when_they_are_let_through() {
    let start = tracked_chain::with().instance_id("replayed");
    run(start, TaskHub::options(), |worker| worker.always_replay(true).log_replays(true)).await;
    let told = told("replayed");
    let started = |replay: &str| {
        let is = |event: &&Fields| event["state"] == "Started" && event["functionType"] == "Orchestrator";
        told.iter().filter(is).filter(|event| event["isReplay"] == replay).count()
    };
    assert_eq!((started("false"), started("true")), (1, 3));
}

#[tokio::test]
async fn an_instance_that_is_terminated_before_it_begins_tells_its_end() {
    listen();
    let hub = TaskHub::open("memory:").await.unwrap();
    let run = hub.client().start(tracked_wait::with().instance_id("never")).await.unwrap();
    run.terminate("night").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    run.wait_for_end().await.unwrap();
    worker.shut_down().await.unwrap();
    let steps = steps("never", &["functionName", "reason"]);
    assert_eq!(steps.last().unwrap(), "Orchestrator Terminated tracked_wait night");
}
