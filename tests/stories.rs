//! What a user of a hub may rely on, told from outside: starting, waiting, working, leaving.
//!
//! Both embedded stores; nothing sleeps. Begin with [`each_hub`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use durable::{
    Error,
    clock::Clock,
    embedded::EmbeddedProvider,
    history::EventKind,
    model::FailureKind,
    prelude::*,
    provider::{ProviderErrorKind, Reuse},
};
use futures::FutureExt;

use durable_tests::{Folder, functions::WORD, gates, well_formed};

#[activity]
async fn gated(gate: String) -> String {
    gates::count(&gate);
    gates::open(&format!("{gate}-reached"));
    gates::pass(&gate).await;
    gate
}

#[activity]
async fn hangs() {
    std::future::pending::<()>().await;
}

#[orchestrator]
async fn waits_at_gate(ctx: OrchestrationContext, gate: String) -> Result<String, Failure> {
    ctx.call(gated::with(gate)).await
}

#[orchestrator]
async fn calls_what_hangs(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(hangs::with()).await
}

#[orchestrator]
async fn echoes(_ctx: OrchestrationContext, text: String) -> String {
    text
}

#[orchestrator]
async fn waits_for_word(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.wait_for(WORD).await
}

#[orchestrator]
async fn naps(ctx: OrchestrationContext) -> Result<Timestamp, Failure> {
    ctx.sleep(Duration::from_secs(3600)).await?;
    Ok(ctx.now())
}

/// Awaits something that no history will ever bring.
#[orchestrator]
async fn waits_for_a_stranger(_ctx: OrchestrationContext, gate: String) -> Result<(), Failure> {
    gates::open(&format!("{gate}-reached"));
    gates::pass(&gate).await;
    Ok(())
}

#[orchestrator]
async fn sleeps_on_tokio(_ctx: OrchestrationContext) -> Result<(), Failure> {
    nap().await;
    Ok(())
}

/// Where no attribute sees it.
async fn nap() {
    tokio::time::sleep(Duration::from_secs(3600)).await;
}

/// The hubs of both embedded stores, each with a key of its own.
async fn each_hub(folder: &Folder) -> Vec<(String, TaskHub)> {
    let mut hubs = Vec::new();
    for address in ["memory:".to_owned(), folder.hub("hub.db")] {
        let key = format!("{}{}", folder.path().display(), hubs.len());
        hubs.push((key, TaskHub::open(&address).await.unwrap()));
    }
    hubs
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ProviderErrorKind {
    match result.unwrap_err() {
        Error::Provider(error) => error.kind,
        other => panic!("not an error of the store: {other:?}"),
    }
}

async fn failure_of<T: durable::model::Storable>(run: &Run<T>) -> Failure {
    match run.output().await.err() {
        Some(Error::Failed { failure, .. }) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}

// R1:ORCH-5 to R1:ORCH-8, DECISIONS 23
#[tokio::test]
async fn a_text_that_is_no_instance_id_is_refused_at_the_start() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let long = "x".repeat(257);
    for id in ["", "@account@ada", "a/b", "a\\b", "a#b", "a?b", "a\nb", &long] {
        let refused = hub.client().start(echoes::with("a").instance_id(id)).await;
        assert!(matches!(refused, Err(Error::InstanceId(_))), "{id:?}: {refused:?}");
    }
    let longest = "x".repeat(256);
    assert_eq!(
        hub.client().start(echoes::with("a").instance_id(&longest)).await.unwrap().id().as_str(),
        longest
    );
}

// R2:HUB-37, R2:HUB-43; DECISIONS 1, 23
#[tokio::test]
async fn a_hub_has_the_usual_name_or_a_well_formed_one() {
    assert_eq!(TaskHub::open("memory:").await.unwrap().name().as_str(), "DurableFunctionsHub");
    let named = TaskHub::options().name("BankHub").open("memory:").await.unwrap();
    assert_eq!(named.name().as_str(), "BankHub");
    for name in ["", "ab", "1hub", "bank-hub", &"x".repeat(46)] {
        let refused = TaskHub::options().name(name).open("memory:").await;
        assert!(matches!(refused, Err(Error::TaskHubName(_))), "{name:?}: {refused:?}");
    }
}

// DECISIONS 17
#[tokio::test]
async fn a_taken_id_is_refused_while_it_lives_and_given_again_after() {
    let folder = Folder::new("taken").unwrap();
    for (key, hub) in each_hub(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        let start = |gate: &str| client.start(waits_at_gate::with(gate).instance_id("order-17"));
        let run = start(&key).await.unwrap();
        assert_eq!(kind(start(&key).await), ProviderErrorKind::AlreadyExists);
        gates::open(&key);
        assert_eq!(run.output().await.unwrap(), key);
        let first = run.state().await.unwrap().unwrap();
        let never = waits_at_gate::with(&key).instance_id("order-17").reuse(Reuse::Never);
        assert_eq!(kind(client.start(never).await), ProviderErrorKind::AlreadyExists);

        let run = start(&key).await.unwrap();
        assert_eq!(run.output().await.unwrap(), key);
        let second = run.state().await.unwrap().unwrap();
        assert_eq!((first.generation, second.generation), (0, 1));
        assert_ne!(first.execution_id, second.execution_id);
        assert_eq!(run.history().await.unwrap().episodes(), 2);
        worker.shut_down().await.unwrap();
    }
}

// DECISIONS 17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_starts_exactly_one_wins() {
    let folder = Folder::new("racing").unwrap();
    for (_, hub) in each_hub(&folder).await {
        let racers: Vec<_> = (0..16)
            .map(|number| {
                let client = hub.client();
                tokio::spawn(async move {
                    client.start(echoes::with(number.to_string()).instance_id("one")).await.map(drop)
                })
            })
            .collect();
        let mut won = 0;
        for racer in racers {
            match racer.await.unwrap() {
                Ok(()) => won += 1,
                lost => assert_eq!(kind(lost), ProviderErrorKind::AlreadyExists),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test]
async fn tags_and_times_are_in_the_state() {
    let folder = Folder::new("tags").unwrap();
    for (_, hub) in each_hub(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let call = echoes::with("a").tag("tenant", "north").tag("tenant", "south").tag("kind", "test");
        let run = hub.client().start(call).await.unwrap();
        run.output().await.unwrap();
        let state = run.state().await.unwrap().unwrap();
        let tags: Vec<_> = state.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(tags, [("kind", "test"), ("tenant", "south")]);
        assert!(state.created_time <= state.last_updated_time);
        assert_eq!((state.name.as_str(), state.input.as_json()), ("echoes", "\"a\""));
        worker.shut_down().await.unwrap();
    }
}

// R1:QS-20, R1:SKIP-26; DECISIONS 21
#[tokio::test]
async fn an_unknown_orchestrator_stays_pending_until_a_worker_knows_it() {
    let folder = Folder::new("unknown").unwrap();
    for (key, hub) in each_hub(&folder).await {
        let knows_one = Registry::builder().add::<echoes>().build().unwrap();
        let worker = hub.worker().functions(knows_one).start().await.unwrap();
        let client = hub.client();
        let unknown = client.start(waits_at_gate::with(&key)).await.unwrap();
        // This one is behind the unknown one, and is not held up.
        assert_eq!(client.start(echoes::with("b")).await.unwrap().output().await.unwrap(), "b");
        let state = unknown.state().await.unwrap().unwrap();
        assert_eq!(state.runtime_status, RuntimeStatus::Pending);
        worker.shut_down().await.unwrap();

        let worker = hub.worker().start().await.unwrap();
        gates::open(&key);
        assert_eq!(unknown.output().await.unwrap(), key);
        worker.shut_down().await.unwrap();
    }
}

// R3:BIND-2
#[tokio::test]
async fn a_run_tells_when_it_has_begun_and_what_it_waits_for_arrives() {
    let folder = Folder::new("begun").unwrap();
    for (_, hub) in each_hub(&folder).await {
        let client = hub.client();
        let run = client.start(waits_for_word::with()).await.unwrap();
        assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Pending);
        // Before anybody waits for it, even before it has begun.
        client.raise(&run, "wOrD", "early".to_owned()).await.unwrap();
        let worker = hub.worker().start().await.unwrap();
        assert_ne!(run.wait_for_start().await.unwrap().runtime_status, RuntimeStatus::Pending);
        assert_eq!(run.output().await.unwrap(), "early");
        // DECISIONS 5
        assert_eq!(kind(client.raise(&run, WORD, "late".to_owned()).await), ProviderErrorKind::Ended);
        let nobody = InstanceId::new("nobody").unwrap();
        assert_eq!(kind(client.raise(&nobody, WORD, "a".to_owned()).await), ProviderErrorKind::NotFound);
        assert_eq!(
            kind(client.run::<String>(nobody.clone()).unwrap().wait_for_end().await),
            ProviderErrorKind::NotFound
        );
        assert!(client.state(&nobody).await.unwrap().is_none());
        worker.shut_down().await.unwrap();
    }
}

#[tokio::test]
async fn an_activity_in_flight_at_shutdown_ends_and_does_not_run_again() {
    let folder = Folder::new("shutdown").unwrap();
    for (key, hub) in each_hub(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(waits_at_gate::with(&key)).await.unwrap();
        gates::pass(&format!("{key}-reached")).await;
        let leaving = tokio::spawn(worker.shut_down());
        tokio::task::yield_now().await;
        gates::open(&key);
        leaving.await.unwrap().unwrap();

        let worker = hub.worker().start().await.unwrap();
        assert_eq!(run.output().await.unwrap(), key);
        assert_eq!(gates::counted(&key), 1);
        assert!(well_formed(&run.history().await.unwrap()).unwrap().is_empty());
        worker.shut_down().await.unwrap();
    }
}

// R1:OVR-12, R1:TYP-5
#[tokio::test]
async fn an_activity_that_outlasts_the_grace_period_runs_again_at_the_next_start() {
    let folder = Folder::new("grace").unwrap();
    for (key, hub) in each_hub(&folder).await {
        let worker = hub.worker().grace_period(Duration::ZERO).start().await.unwrap();
        let run = hub.client().start(waits_at_gate::with(&key)).await.unwrap();
        gates::pass(&format!("{key}-reached")).await;
        worker.shut_down().await.unwrap();
        assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
        gates::open(&key);
        let worker = hub.worker().start().await.unwrap();
        assert_eq!(run.output().await.unwrap(), key);
        assert_eq!(gates::counted(&key), 2);
        worker.shut_down().await.unwrap();
    }
}

// R1:OVR-1, R2:HUB-1
#[tokio::test]
async fn a_worker_whose_slots_are_all_taken_for_ever_shuts_down_all_the_same() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().max_activities(1).grace_period(Duration::ZERO).start().await.unwrap();
    let run = hub.client().start(waits_at_gate::with("all-taken")).await.unwrap();
    gates::pass("all-taken-reached").await;
    worker.shut_down().await.unwrap();
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
}

#[tokio::test]
async fn a_worker_is_refused_until_the_one_before_has_left() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let first = hub.worker().start().await.unwrap();
    let slow = hub.client().start(waits_at_gate::with("leaving")).await.unwrap();
    gates::pass("leaving-reached").await;
    let mut leaving = Box::pin(first.shut_down());
    assert!((&mut leaving).now_or_never().is_none(), "it waits for its activity");
    let refused = hub.worker().start().await;
    assert!(
        matches!(&refused, Err(Error::Provider(error)) if matches!(error.kind, ProviderErrorKind::Held(_))),
        "{refused:?}"
    );
    gates::open("leaving");
    leaving.await.unwrap();
    let second = hub.worker().start().await.unwrap();
    assert_eq!(slow.output().await.unwrap(), "leaving");
    second.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_hub_that_is_closed_and_opened_again_goes_on() {
    let folder = Folder::new("again").unwrap();
    let address = folder.hub("hub.db");
    let key = folder.path().display().to_string();
    let id = {
        let hub = TaskHub::open(&address).await.unwrap();
        let worker = hub.worker().grace_period(Duration::ZERO).start().await.unwrap();
        let run = hub.client().start(waits_at_gate::with(&key)).await.unwrap();
        gates::pass(&format!("{key}-reached")).await;
        worker.shut_down().await.unwrap();
        run.id().clone()
    };
    assert!(!folder.file("hub.db-wal").exists(), "the file is closed with its last user");
    gates::open(&key);
    let hub = TaskHub::open(&address).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    assert_eq!(hub.client().run::<String>(id).unwrap().output().await.unwrap(), key);
    worker.shut_down().await.unwrap();
}

// R2:PERF-7, R2:PERF-8, R1:TMR-13
#[tokio::test]
async fn an_activity_that_takes_too_long_fails_as_timed_out() {
    let folder = Folder::new("too-long").unwrap();
    for (_, hub) in each_hub(&folder).await {
        let worker = hub.worker().activity_timeout(Duration::from_millis(5)).start().await.unwrap();
        let run = hub.client().start(calls_what_hangs::with()).await.unwrap();
        let failure = failure_of(&run).await;
        assert_eq!(failure.kind(), FailureKind::TimedOut);
        assert!(failure.to_string().contains("`hangs`") && failure.to_string().contains("5ms"), "{failure}");
        worker.shut_down().await.unwrap();
    }
}

// R1:CC-13, R1:CC-15, R3:BIND-6, R3:SKIP-6
#[tokio::test]
async fn awaiting_what_is_not_in_the_history_fails_the_instance_and_says_what_to_do() {
    let folder = Folder::new("stranger").unwrap();
    for (key, hub) in each_hub(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        let slept = failure_of(&client.start(sleeps_on_tokio::with()).await.unwrap()).await;
        assert!(slept.to_string().contains("ctx.sleep"), "{slept}");

        let run = client.start(waits_for_a_stranger::with(&key)).await.unwrap();
        let failure = failure_of(&run).await;
        assert_eq!(failure.kind(), FailureKind::NothingToWaitFor, "{failure}");
        assert!(failure.to_string().contains("activity"), "{failure}");
        worker.shut_down().await.unwrap();
    }
}

/// A clock that stands still until nothing is left to do, then moves to the next thing that is due.
struct SkippingClock(AtomicI64);

impl Clock for SkippingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }

    fn skip_to(&self, due: Timestamp) -> bool {
        self.0.fetch_max(due.as_microseconds(), Ordering::SeqCst);
        true
    }
}

// R1:TMR-1, R1:FAN-7, R1:ORCH-3
#[tokio::test]
async fn scheduled_starts_and_timers_wait_for_their_time() {
    let clock = Arc::new(SkippingClock(AtomicI64::new(1_000_000)));
    let provider = EmbeddedProvider::in_memory(clock.clone()).unwrap();
    let hub = TaskHub::with_provider(Arc::new(provider));
    let asked = clock.now();
    let due = asked.saturating_add(Duration::from_secs(86_400));
    let run = hub.client().start(naps::with().at(due)).await.unwrap();
    assert_eq!(run.state().await.unwrap().unwrap().created_time, asked);
    let worker = hub.worker().start().await.unwrap();
    let woke = run.output().await.unwrap();
    assert_eq!(woke, due.saturating_add(Duration::from_secs(3600)));
    let history = run.history().await.unwrap();
    assert_eq!(history.started().unwrap().scheduled_start, Some(due));
    let first = &history.events()[0];
    assert!(matches!(first.kind, EventKind::OrchestratorStarted) && first.timestamp == due, "{first:?}");
    worker.shut_down().await.unwrap();
}
