//! Histories exactly as the documents print them, written by a worker on both embedded stores.
//!
//! Which completions share a work item is decided by gates, not by time. Begin with
//! [`one_activity_makes_eight_rows`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use durable::{prelude::*, worker::WorkerOptions};
use durable_tests::{Folder, gates, well_formed};

#[activity]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity]
async fn counted_hello(key: String, city: String) -> String {
    gates::count(&key);
    format!("Hello {city}!")
}

/// Returns when its gate is open.
#[activity]
async fn gated(gate: String) -> String {
    gates::pass(&gate).await;
    gate
}

#[activity]
async fn opens(gate: String) {
    gates::open(&gate);
}

#[orchestrator]
async fn one_call(ctx: OrchestrationContext, city: String) -> Result<String, Failure> {
    ctx.call(say_hello::with(city)).await
}

#[orchestrator(name = "HelloCities")]
async fn hello_cities(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call(say_hello::with(city)).await?);
    }
    Ok(greetings)
}

#[orchestrator]
async fn counted_cities(ctx: OrchestrationContext, key: String) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call(counted_hello::with(&key, city)).await?);
    }
    Ok(greetings)
}

/// Opens the second activity's gate when it has seen the first's result: they never share an item.
#[orchestrator]
async fn one_after_the_other(ctx: OrchestrationContext, key: String) -> Result<Vec<String>, Failure> {
    let second_gate = format!("{key}-b");
    let (first, second) = (ctx.call(gated::with(format!("{key}-a"))), ctx.call(gated::with(&second_gate)));
    let first = first.await?;
    gates::open(&second_gate);
    Ok(vec![first, second.await?])
}

#[orchestrator]
async fn both_at_once(ctx: OrchestrationContext, key: String) -> Result<Vec<String>, Failure> {
    let (first, second) =
        (ctx.call(gated::with(format!("{key}-a"))), ctx.call(gated::with(format!("{key}-b"))));
    Ok(vec![first.await?, second.await?])
}

#[orchestrator]
async fn calls_opener(ctx: OrchestrationContext, gate: String) -> Result<(), Failure> {
    ctx.call(opens::with(gate)).await
}

/// Keeps the worker's only thread busy until its second gate is open.
#[orchestrator]
async fn keeps_thread_busy(_ctx: OrchestrationContext, key: String) -> Result<(), Failure> {
    gates::open(&format!("{key}-busy"));
    gates::block(&format!("{key}-release"));
    Ok(())
}

/// The hubs of both embedded stores, each with a key of its own.
async fn hubs(folder: &Folder) -> Vec<(String, TaskHub)> {
    let mut hubs = Vec::new();
    for address in ["memory:".to_owned(), folder.hub("hub.db")] {
        let key = format!("{}{}", folder.path().display(), hubs.len());
        hubs.push((key, TaskHub::open(&address).await.unwrap()));
    }
    hubs
}

const TWELVE: [&str; 12] = [
    "OrchestratorStarted",
    "ExecutionStarted",
    "TaskScheduled",
    "TaskScheduled",
    "OrchestratorCompleted",
    "OrchestratorStarted",
    "TaskCompleted",
    "OrchestratorCompleted",
    "OrchestratorStarted",
    "TaskCompleted",
    "ExecutionCompleted",
    "OrchestratorCompleted",
];

// R2:HUB-20
#[tokio::test]
async fn two_results_that_come_one_after_the_other_make_twelve_events() {
    let folder = Folder::new("hub-20").unwrap();
    for (key, hub) in hubs(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(one_after_the_other::with(&key)).await.unwrap();
        gates::open(&format!("{key}-a"));
        assert_eq!(run.output().await.unwrap(), [format!("{key}-a"), format!("{key}-b")]);
        assert_eq!(run.history().await.unwrap().names(), TWELVE);
        worker.shut_down().await.unwrap();
    }
}

// R2:HUB-21, R2:HUB-5
#[tokio::test]
async fn two_results_in_one_work_item_make_ten_events() {
    let folder = Folder::new("hub-21").unwrap();
    for (key, hub) in hubs(&folder).await {
        let mut options = WorkerOptions::default();
        (options.orchestrator_threads, options.max_activities) = (1, 1);
        let worker = hub.worker().options(options).start().await.unwrap();
        let client = hub.client();
        let run = client.start(both_at_once::with(&key)).await.unwrap();
        run.wait_for_start().await.unwrap();
        // Its activity is the last in the queue: it runs when both results have been delivered.
        let last = client.start(calls_opener::with(format!("{key}-release"))).await.unwrap();
        last.wait_for_start().await.unwrap();
        let _busy = client.start(keeps_thread_busy::with(&key)).await.unwrap();
        gates::pass(&format!("{key}-busy")).await;
        gates::open(&format!("{key}-a"));
        gates::open(&format!("{key}-b"));
        assert_eq!(run.output().await.unwrap(), [format!("{key}-a"), format!("{key}-b")]);
        let mut ten = TWELVE.to_vec();
        ten.drain(7..9);
        assert_eq!(run.history().await.unwrap().names(), ten);
        worker.shut_down().await.unwrap();
    }
}

// R1:ORCH-22, R1:ORCH-23, R1:ORCH-24, R1:QS-3, R1:SKIP-35, R1:SMP-14
#[tokio::test]
async fn three_sequential_activities_make_sixteen_rows_in_the_order_of_time() {
    let folder = Folder::new("orch-22").unwrap();
    for (_, hub) in hubs(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(hello_cities::with()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]);
        let history = run.history().await.unwrap();
        let rows = history.in_time_order();
        let names: Vec<_> = rows.iter().map(|event| event.kind.name()).collect();
        let step = ["OrchestratorStarted", "TaskScheduled", "OrchestratorCompleted", "TaskCompleted"];
        let end = ["OrchestratorStarted", "OrchestratorCompleted", "ExecutionCompleted"];
        assert_eq!(names, [&["ExecutionStarted"], &step[..], &step, &step, &end].concat());
        // The start is stamped when the client asked, the end with the episode's own end.
        assert_eq!(rows[0].timestamp, run.state().await.unwrap().unwrap().created_time);
        assert!(rows[0].timestamp <= rows[1].timestamp);
        assert_eq!(rows[14].timestamp, rows[15].timestamp);
        let started = history.started().unwrap();
        assert_eq!((started.name.as_str(), started.input.as_json()), ("HelloCities", "null"));
        worker.shut_down().await.unwrap();
    }
}

// R3:DIAG-34, R3:DIAG-35, R3:DIAG-36, R2:HUB-22
#[tokio::test]
async fn one_activity_makes_eight_rows() {
    let folder = Folder::new("diag-34").unwrap();
    for (_, hub) in hubs(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(one_call::with("Tokyo")).await.unwrap();
        run.output().await.unwrap();
        let history = run.history().await.unwrap();
        assert!(well_formed(&history).unwrap().is_empty());
        let rows: Vec<_> = history
            .events()
            .iter()
            .map(|event| (event.kind.name(), event.id.as_i32(), event.is_played()))
            .collect();
        let expected = [
            ("OrchestratorStarted", -1, false),
            ("ExecutionStarted", -1, true),
            ("TaskScheduled", 0, false),
            ("OrchestratorCompleted", -1, false),
            ("OrchestratorStarted", -1, false),
            ("TaskCompleted", -1, true),
            ("ExecutionCompleted", 1, false),
            ("OrchestratorCompleted", -1, false),
        ];
        assert_eq!(rows, expected);
        worker.shut_down().await.unwrap();
    }
}

// R1:CHAIN-12, R2:PERF-13, R2:PERF-14, R3:DIAG-23
#[tokio::test]
async fn activities_run_three_times_while_their_orchestrator_has_four_episodes() {
    let folder = Folder::new("chain-12").unwrap();
    for (key, hub) in hubs(&folder).await {
        for (mode, always_replay, session_bytes) in
            [("sessions", false, 1 << 20), ("verify", true, 1 << 20), ("no sessions", false, 0)]
        {
            let builder = hub.worker().always_replay(always_replay).session_bytes(session_bytes);
            let worker = builder.start().await.unwrap();
            let key = format!("{key}-{mode}");
            let run = hub.client().start(counted_cities::with(&key)).await.unwrap();
            run.output().await.unwrap();
            assert_eq!(gates::counted(&key), 3, "{mode}");
            assert_eq!(run.history().await.unwrap().episodes(), 4, "{mode}");
            worker.shut_down().await.unwrap();
        }
    }
}
