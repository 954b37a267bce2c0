//! How much a worker does at once, and what does not count.
//!
//! Nothing is measured: each test hangs or counts wrong when a limit is. Begin with
//! [`no_more_activities_run_at_once_than_the_worker_allows`].

use std::sync::{
    LazyLock,
    atomic::{AtomicUsize, Ordering},
};

use durable::{Error, model::FailureKind, prelude::*, worker::WorkerOptions};
use durable_tests::{Folder, functions::WORD, gates};
use futures::future::{join_all, try_join_all};
use tokio::sync::Barrier;

/// How many are inside now, and how many ever were at once.
#[derive(Default)]
struct Crowd {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Crowd {
    fn enter(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

static ACTIVITIES: LazyLock<Crowd> = LazyLock::new(Crowd::default);
static ORCHESTRATORS: LazyLock<Crowd> = LazyLock::new(Crowd::default);
static PAIR: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));

/// Leaves together with another one: alone it would wait for ever.
#[activity]
async fn meets_another() {
    ACTIVITIES.enter();
    PAIR.wait().await;
    ACTIVITIES.leave();
}

#[orchestrator]
async fn meetings(ctx: OrchestrationContext) -> Result<(), Failure> {
    try_join_all((0..10).map(|_| ctx.call(meets_another::with()))).await.map(drop)
}

// R2:PERF-18, R2:HUB-7, R2:PERF-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_activities_run_at_once_than_the_worker_allows() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().max_activities(2).start().await.unwrap();
    hub.client().start(meetings::with()).await.unwrap().output().await.unwrap();
    assert_eq!(ACTIVITIES.most(), 2);
    worker.shut_down().await.unwrap();
}

/// Keeps its thread busy for a moment in which another could come in.
#[orchestrator(allow(thread))]
async fn crowds(_ctx: OrchestrationContext) {
    ORCHESTRATORS.enter();
    for _ in 0..1000 {
        std::thread::yield_now();
    }
    ORCHESTRATORS.leave();
}

// R2:PERF-18
#[tokio::test]
async fn no_more_orchestrations_are_worked_at_once_than_the_worker_allows() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let client = hub.client();
    let runs: Vec<_> = join_all((0..200).map(|_| client.start(crowds::with())))
        .await
        .into_iter()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut options = WorkerOptions::default();
    (options.orchestrator_threads, options.max_orchestrations) = (4, 1);
    let worker = hub.worker().options(options).start().await.unwrap();
    for run in runs {
        run.output().await.unwrap();
    }
    assert_eq!(ORCHESTRATORS.most(), 1);
    worker.shut_down().await.unwrap();
}

#[activity]
async fn waits_at(gate: String) {
    gates::pass(&gate).await;
}

/// Waits for an activity and for a word.
#[orchestrator]
async fn parks(ctx: OrchestrationContext, gate: String) -> Result<String, Failure> {
    let activity = ctx.call(waits_at::with(gate));
    let word = ctx.wait_for(WORD).await?;
    activity.await?;
    Ok(word)
}

#[orchestrator]
async fn returns(_ctx: OrchestrationContext) -> u32 {
    7
}

// R2:PERF-19, R1:OVR-24, R3:SKIP-1, R1:MON-13
#[tokio::test]
async fn what_waits_does_not_count_towards_the_limits() {
    let folder = Folder::new("parked").unwrap();
    let hub = TaskHub::open(folder.hub("hub.db")).await.unwrap();
    let builder = hub.worker().max_orchestrations(1).session_bytes(0).always_replay(false);
    let worker = builder.start().await.unwrap();
    let (client, gate) = (hub.client(), folder.path().display().to_string());
    let mut parked = Vec::new();
    for _ in 0..20 {
        let run = client.start(parks::with(&gate)).await.unwrap();
        assert_eq!(run.wait_for_start().await.unwrap().runtime_status, RuntimeStatus::Running);
        parked.push(run);
    }
    assert_eq!(client.start(returns::with()).await.unwrap().output().await.unwrap(), 7);
    gates::open(&gate);
    for run in parked {
        client.raise(&run, WORD, "go".to_owned()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), "go");
    }
    worker.shut_down().await.unwrap();
}

#[orchestrator]
async fn waits_for_word(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.wait_for(WORD).await
}

// R3:BIND-7: here it ends, and is seen.
#[tokio::test]
async fn an_instance_that_cannot_be_continued_fails_after_its_last_attempt_and_holds_up_nobody() {
    let folder = Folder::new("poison").unwrap();
    let id = {
        let hub = TaskHub::open(folder.hub("hub.db")).await.unwrap();
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(waits_for_word::with()).await.unwrap();
        run.wait_for_start().await.unwrap();
        worker.shut_down().await.unwrap();
        run.id().clone()
    };
    let file = rusqlite::Connection::open(folder.file("hub.db")).unwrap();
    assert_eq!(file.execute("UPDATE history SET events = x'00'", []).unwrap(), 1);
    drop(file);

    let hub = TaskHub::open(folder.hub("hub.db")).await.unwrap();
    let mut options = WorkerOptions::default();
    options.max_attempts = 1;
    let worker = hub.worker().options(options).start().await.unwrap();
    let run = hub.client().run::<String>(id).unwrap();
    hub.client().raise(&run, WORD, "go".to_owned()).await.unwrap();
    let failure = match run.output().await {
        Err(Error::Failed { failure, .. }) => failure,
        other => panic!("it did not fail: {other:?}"),
    };
    assert_eq!(failure.kind(), FailureKind::Poisoned);
    assert!(failure.message().contains("1 attempt") && failure.message().contains("damaged"), "{failure}");
    assert_eq!(hub.client().start(returns::with()).await.unwrap().output().await.unwrap(), 7);
    worker.shut_down().await.unwrap();
}

#[activity]
async fn uses_threads_and_tasks(number: u64) -> Result<u64, Failure> {
    let blocking = tokio::task::spawn_blocking(move || std::thread::spawn(move || number + 1).join());
    let task = tokio::spawn(async move {
        tokio::task::yield_now().await;
        number
    });
    let sum = blocking.await.map_err(|error| Failure::from_error(&error))?.map_err(|_| "it panicked")?;
    Ok(sum + task.await.map_err(|error| Failure::from_error(&error))?)
}

#[orchestrator]
async fn calls_free_activity(ctx: OrchestrationContext) -> Result<u64, Failure> {
    ctx.call(uses_threads_and_tasks::with(20)).await
}

// R3:BIND-18, R2:PERF-5, R1:TYP-4
#[tokio::test]
async fn an_activity_may_use_threads_and_tasks() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    assert_eq!(hub.client().start(calls_free_activity::with()).await.unwrap().output().await.unwrap(), 41);
    worker.shut_down().await.unwrap();
}

// R1:CHAIN-11, R1:SKIP-23, R3:BIND-29, R3:BIND-37, R1:TYP-11
#[tokio::test]
async fn an_activity_may_start_an_orchestration() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let client = hub.client();
    let starts = move |_: ActivityContext, id: String| {
        let client = client.clone();
        async move {
            let started = client.start(returns::with().instance_id(id)).await;
            started.map(|run| run.id().to_string()).map_err(|error| Failure::from_error(&error))
        }
    };
    let functions = Registry::builder()
        .activity("Starts", starts)
        .orchestrator("Begin", |ctx: OrchestrationContext, id: String| async move {
            ctx.call(Call::<String>::activity("Starts", id)).await
        })
        .add::<returns>();
    let worker = hub.worker().functions(functions.build().unwrap()).start().await.unwrap();
    let begin = hub.client().start(Call::<String>::orchestration("Begin", "order-17")).await.unwrap();
    assert_eq!(begin.output().await.unwrap(), "order-17");
    assert_eq!(hub.client().run(returns::at("order-17")).unwrap().output().await.unwrap(), 7);
    worker.shut_down().await.unwrap();
}
