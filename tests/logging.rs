//! What orchestrators log while they are replayed: nothing, unless the worker is told to let it
//! through.
//!
//! Orchestrators run on threads of the worker, so the subscriber that listens is that of the whole
//! process; each test has lines of its own. Begin with
//! [`plain_logging_of_a_chain_of_three_prints_four_lines`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{
    collections::BTreeMap,
    fmt,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

use durable::{prelude::*, worker::WorkerBuilder};
use durable_tests::{functions::WORD, gates};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    info,
    span::{Attributes, Id, Record},
};

static LINES: LazyLock<Mutex<BTreeMap<String, Vec<String>>>> = LazyLock::new(Mutex::default);

fn lines() -> MutexGuard<'static, BTreeMap<String, Vec<String>>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps the events that have a `chain`, by that; those of an instance by its id, with their reason.
struct Listener;

#[derive(Default)]
struct Line {
    chain: Option<String>,
    reason: Option<String>,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "chain" | "instance" => self.chain = Some(format!("{value:?}")),
            "reason" => self.reason = Some(format!("{value:?}")),
            "message" => self.message = format!("{value:?}"),
            _ => {}
        }
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        if let Some(chain) = line.chain {
            let reason = line.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
            lines().entry(chain).or_default().push(line.message + &reason);
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Hears what the process logs from now on.
fn listen() {
    static LISTENING: LazyLock<()> =
        LazyLock::new(|| tracing::subscriber::set_global_default(Listener).unwrap());
    LazyLock::force(&LISTENING);
}

#[activity]
async fn link(chain: String, name: String) {
    gates::count(&format!("{chain} {name}"));
}

/// The chain of the documents, which logs as any program does.
#[orchestrator]
async fn logs_plainly(ctx: OrchestrationContext, chain: String) -> Result<(), Failure> {
    for name in ["F1", "F2", "F3"] {
        info!(%chain, "{name}");
        ctx.call(link::with(&chain, name)).await?;
    }
    info!(%chain, "Done!");
    Ok(())
}

#[orchestrator]
async fn waits_for_word(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.wait_for(WORD).await
}

#[orchestrator]
async fn logs_when_not_replaying(ctx: OrchestrationContext, chain: String) -> Result<(), Failure> {
    for name in ["F1", "F2", "F3"] {
        if !ctx.is_replaying() {
            info!(%chain, "{name}");
        }
        ctx.call(link::with(&chain, name)).await?;
    }
    if !ctx.is_replaying() {
        info!(%chain, "Done!");
    }
    Ok(())
}

/// Runs the orchestration `start` of `chain` on a worker set up by `set_up`; gives what it logged.
async fn logged<S: durable::call::Startable>(
    chain: &str,
    start: S,
    set_up: impl FnOnce(WorkerBuilder) -> WorkerBuilder,
) -> Vec<String> {
    listen();
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = set_up(hub.worker()).start().await.unwrap();
    hub.client().start(start).await.unwrap().output().await.unwrap();
    worker.shut_down().await.unwrap();
    // What was logged again was not done again: R3:DIAG-23.
    for name in ["F1", "F2", "F3"] {
        assert_eq!(gates::counted(&format!("{chain} {name}")), 1, "{name}");
    }
    lines().remove(chain).unwrap()
}

const FOUR: [&str; 4] = ["F1", "F2", "F3", "Done!"];

// R3:DIAG-20, R3:DIAG-8, R1:ORCH-16, R1:ORCH-19, R1:MON-5
#[tokio::test]
async fn with_replays_let_through_a_chain_of_three_prints_ten_lines() {
    let start = logs_plainly::with("let through");
    let lines = logged("let through", start, |worker| worker.always_replay(true).log_replays(true)).await;
    assert_eq!(lines, ["F1", "F1", "F2", "F1", "F2", "F3", "F1", "F2", "F3", "Done!"]);
}

// R3:DIAG-8, R3:DIAG-22, R3:SKIP-2
#[tokio::test]
async fn plain_logging_of_a_chain_of_three_prints_four_lines() {
    let start = logs_plainly::with("verify");
    assert_eq!(logged("verify", start, |worker| worker.always_replay(true)).await, FOUR);
    let start = logs_plainly::with("no sessions");
    let forgetful = |worker: WorkerBuilder| worker.always_replay(false).session_bytes(0);
    assert_eq!(logged("no sessions", start, forgetful).await, FOUR);
}

// A session that is resumed replays nothing.
#[tokio::test]
async fn with_sessions_four_lines_are_printed_even_with_replays_let_through() {
    let start = logs_plainly::with("sessions");
    let lines = logged("sessions", start, |worker| {
        worker.always_replay(false).session_bytes(1 << 20).log_replays(true)
    })
    .await;
    assert_eq!(lines, FOUR);
}

// R3:DIAG-21, R3:SKIP-2, R1:MON-4, R1:MON-9, R1:SKIP-4
#[tokio::test]
async fn guarded_by_is_replaying_a_chain_of_three_prints_four_lines() {
    let start = logs_when_not_replaying::with("guarded");
    let lines = logged("guarded", start, |worker| worker.always_replay(true).log_replays(true)).await;
    assert_eq!(lines, FOUR);
}

// R2:MGT-41, R2:MGT-45, R4:MGMT-61, R4:MGMT-68
#[tokio::test]
async fn why_an_instance_was_steered_is_in_the_log() {
    listen();
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let run = hub.client().start(waits_for_word::with().instance_id("steered")).await.unwrap();
    run.wait_for_start().await.unwrap();
    run.suspend("lunch").await.unwrap();
    run.resume("back").await.unwrap();
    run.terminate("night").await.unwrap();
    run.wait_for_end().await.unwrap();
    worker.shut_down().await.unwrap();
    let lines = lines().remove("steered").unwrap();
    assert_eq!(lines, ["suspended \"lunch\"", "resumed \"back\"", "terminated \"night\""]);
}
