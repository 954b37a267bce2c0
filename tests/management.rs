//! A hub's instances in bulk: asked for, counted, purged, kept for a limited time; and waits with a limit.
//!
//! Both embedded stores; nothing sleeps, and where time matters it is virtual. Begin with
//! [`what_runs_is_found_counted_and_purged_once_it_has_ended`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::{sync::Arc, time::Duration};

use durable::{
    Error,
    embedded::{EmbeddedProvider, Options},
    history::EventKind,
    model::{InstanceState, Storable},
    prelude::*,
    provider::{Provider, ProviderErrorKind, WaitFor},
};
use durable_testkit::{TestHub, VirtualClock};
use durable_tests::{Folder, functions::WORD};
use futures::TryStreamExt;

const HOUR: Duration = Duration::from_secs(3600);

#[orchestrator]
async fn echoes(_ctx: OrchestrationContext, text: String) -> Result<String, Failure> {
    if text.is_empty() { Err(Failure::new("there is nothing to echo")) } else { Ok(text) }
}

#[orchestrator]
async fn waits_for_a_word(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.wait_for(WORD).await
}

#[orchestrator]
async fn naps(ctx: OrchestrationContext, hours: u32) -> Result<u32, Failure> {
    ctx.sleep(HOUR * hours).await?;
    Ok(hours)
}

async fn hubs(folder: &Folder) -> [TaskHub; 2] {
    [TaskHub::open("memory:").await.unwrap(), TaskHub::open(folder.hub("hub.db")).await.unwrap()]
}

fn ids(instances: &[InstanceState]) -> Vec<&str> {
    let mut ids: Vec<_> = instances.iter().map(|state| state.instance_id.as_str()).collect();
    ids.sort_unstable();
    ids
}

fn kind<T: std::fmt::Debug>(result: Result<T, Error>) -> ProviderErrorKind {
    match result.unwrap_err() {
        Error::Provider(error) => error.kind,
        other => panic!("not an error of the store: {other:?}"),
    }
}

// R2:MGT-34 to MGT-36, MGT-39, MGT-67, MGT-68, MGT-71; R4:MGMT-48, MGMT-49, MGMT-52, MGMT-121 to MGMT-126; DECISIONS 2
#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_found_counted_and_purged_once_it_has_ended() {
    let folder = Folder::new("management").unwrap();
    for hub in hubs(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        for (id, text) in [("echo-1", "one"), ("echo-2", "two"), ("echo-3", "")] {
            let call = echoes::with(text).instance_id(id).tag("kind", "echo");
            client.start(call).await.unwrap().wait_for_end().await.unwrap();
        }
        let waiting = client.start(waits_for_a_word::with().instance_id("waiting")).await.unwrap();
        waiting.wait_for_start().await.unwrap();

        let failed = InstanceFilter::new().status(RuntimeStatus::Failed).name("echoes");
        let page = client.query(failed).await.unwrap();
        assert_eq!((ids(&page.instances), page.next), (vec!["echo-3"], None));
        let echoes = InstanceQuery::of(InstanceFilter::new().tag("kind", "echo")).page_size(2);
        let found: Vec<_> = client.instances(echoes).try_collect().await.unwrap();
        assert_eq!(ids(&found), ["echo-1", "echo-2", "echo-3"]);
        let counts = client.counts().await.unwrap();
        assert_eq!(
            [RuntimeStatus::Completed, RuntimeStatus::Running].map(|status| counts.of(status)),
            [2, 1]
        );

        assert_eq!(kind(waiting.purge().await), ProviderErrorKind::NotEnded);
        let first = client.run::<String>("echo-1".parse::<InstanceId>().unwrap()).unwrap();
        assert_eq!(first.purge().await.unwrap(), 1);
        assert_eq!(first.purge().await.unwrap(), 0);
        assert_eq!(kind(first.output().await), ProviderErrorKind::NotFound);
        assert_eq!(client.purge_by(InstanceFilter::new()).await.unwrap(), 2);
        let left: Vec<_> = client.instances(InstanceQuery::new()).try_collect().await.unwrap();
        assert_eq!(ids(&left), ["waiting"]);
        client.raise(&waiting, WORD, "on".to_owned()).await.unwrap();
        assert_eq!(waiting.output().await.unwrap(), "on", "what was not purged goes on");
        worker.shut_down().await.unwrap();
    }
}

// R1:TYP-10, R1:TYP-13
// R2:MGT-1, R3:BIND-23, R4:MGMT-1 to R4:MGMT-3, R4:MGMT-14, R4:MGMT-158, R4:MGMT-159: a client beside the
// functions does everything that is done to an instance.
#[tokio::test]
async fn one_instance_is_taken_through_its_whole_life_by_a_client() {
    let folder = Folder::new("management").unwrap();
    for hub in hubs(&folder).await {
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        let by_name = Call::<String>::orchestration("waits_for_a_word", ()).instance_id("life");
        let run = client.start(by_name).await.unwrap();
        assert_eq!(run.id().as_str(), "life");
        run.wait_for_start().await.unwrap();
        run.suspend("a break").await.unwrap();
        run.resume("on").await.unwrap();
        client.raise(&run, WORD, "hello".to_owned()).await.unwrap();
        let ended = run.wait_for_end().await.unwrap();
        assert_eq!(
            (ended.name.as_str(), ended.runtime_status),
            ("waits_for_a_word", RuntimeStatus::Completed)
        );
        assert!(ended.created_time <= ended.last_updated_time && ended.failure.is_none());
        assert_eq!(run.output().await.unwrap(), "hello");
        assert!(!run.history().await.unwrap().is_empty());

        let again = run.restart().await.unwrap();
        again.terminate("enough").await.unwrap();
        assert_eq!(again.wait_for_end().await.unwrap().runtime_status, RuntimeStatus::Terminated);
        let fails = client.start(echoes::with("")).await.unwrap();
        fails.wait_for_end().await.unwrap();
        fails.rewind("again").await.unwrap();
        assert_eq!(fails.wait_for_end().await.unwrap().runtime_status, RuntimeStatus::Failed);
        assert_eq!(client.counts().await.unwrap().total(), 3);
        assert_eq!(run.purge().await.unwrap(), 1);
        assert_eq!(client.purge_by(InstanceFilter::new()).await.unwrap(), 2);
        worker.shut_down().await.unwrap();
    }
}

// R3:ZDD-4, R3:SKIP-42
#[tokio::test]
async fn a_deployment_asks_whether_anything_is_pending_or_running() {
    let hub = TestHub::start().await.unwrap();
    let unfinished = InstanceFilter::new().statuses([RuntimeStatus::Pending, RuntimeStatus::Running]);
    let has_running = async || !hub.client().query(unfinished.clone()).await.unwrap().instances.is_empty();
    assert!(!has_running().await);
    let run = hub.client().start(waits_for_a_word::with()).await.unwrap();
    assert!(has_running().await, "it may be pending");
    run.wait_for_start().await.unwrap();
    assert!(has_running().await);
    hub.client().raise(&run, WORD, "go".to_owned()).await.unwrap();
    hub.output(&run).await.unwrap();
    assert!(!has_running().await);
}

// R2:MGT-35
#[tokio::test]
async fn a_bad_page_token_is_an_error_that_says_what_to_do() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let error = hub.client().query(InstanceQuery::new().after("none")).await.unwrap_err();
    assert!(error.to_string().contains("begin without one"), "{error}");
    let mut stream = hub.client().instances(InstanceQuery::new().after("none"));
    assert!(stream.try_next().await.is_err());
    assert!(stream.try_next().await.unwrap().is_none(), "after an error the stream ends");
}

// R2:MGT-10, MGT-11, MGT-28; R4:MGMT-27, MGMT-28, R2:MGT-9, R4:MGMT-41
#[tokio::test]
async fn a_history_is_shown_with_what_functions_were_given_and_gave_or_without() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(echoes::with("secret")).await.unwrap();
    hub.output(&run).await.unwrap();
    let whole = run.history().await.unwrap();
    let bare = whole.clone().without_payloads();
    assert_eq!(whole.names(), bare.names());
    assert_eq!(whole.started().unwrap().input.as_json(), r#""secret""#);
    assert_eq!(bare.started().unwrap().input, Payload::null());
    assert!(!bare.events().iter().any(|event| matches!(
        &event.kind,
        EventKind::ExecutionCompleted { result, .. } if *result != Payload::null()
    )));
}

// R2:MGT-54; R4:MGMT-22, MGMT-23, MGMT-82, MGMT-95, R4:MGMT-160
#[tokio::test]
async fn who_waits_for_a_limited_time_is_told_in_time_or_that_it_was_not() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let run = hub.client().start(waits_for_a_word::with()).await.unwrap();
    let timed_out = |result: Result<InstanceState, Error>, expected: WaitFor| match result.unwrap_err() {
        Error::TimedOut { awaited, limit, instance } => {
            assert_eq!((awaited, limit, &instance), (expected, Duration::ZERO, run.id()));
        }
        other => panic!("{other:?}"),
    };
    timed_out(run.wait_for_start_within(Duration::ZERO).await, WaitFor::Start);
    let worker = hub.worker().start().await.unwrap();
    let state = run.wait_for_start_within(HOUR).await.unwrap();
    assert_eq!(state.runtime_status, RuntimeStatus::Running);
    timed_out(run.wait_for_end_within(Duration::ZERO).await, WaitFor::End);
    let error = run.output_within(Duration::ZERO).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("has not ended within 0ns"), "{error}");

    hub.client().raise(&run, WORD, "now".to_owned()).await.unwrap();
    assert_eq!(run.output_within(HOUR).await.unwrap(), "now", "it went on, and can be waited for again");
    assert!(run.wait_for_end_within(Duration::ZERO).await.is_ok(), "what is there already is in time");
    assert!(run.wait_for_start_within(Duration::ZERO).await.is_ok(), "what has ended has begun");
    let nobody: Run<String> = hub.client().run("nobody".parse::<InstanceId>().unwrap()).unwrap();
    assert_eq!(kind(nobody.wait_for_start_within(HOUR).await), ProviderErrorKind::NotFound);
    worker.shut_down().await.unwrap();
}

// R4:MGMT-51: to stop listening is to cancel.
#[tokio::test]
async fn a_list_may_be_left_off_anywhere() {
    let hub = TestHub::start().await.unwrap();
    for id in ["a", "b", "c"] {
        hub.run(echoes::with(id).instance_id(id)).await.unwrap();
    }
    let one_by_one = InstanceQuery::new().page_size(1);
    let mut left_off = hub.client().instances(one_by_one.clone());
    assert!(left_off.try_next().await.unwrap().is_some());
    drop((left_off, hub.client().query(one_by_one.clone())));
    let all: Vec<_> = hub.client().instances(one_by_one).try_collect().await.unwrap();
    assert_eq!(ids(&all), ["a", "b", "c"]);
}

#[test]
fn a_limited_wait_without_a_runtime_is_an_error() {
    let hub = futures::executor::block_on(TaskHub::open("memory:")).unwrap();
    let run: Run<String> = hub.client().run("a".parse::<InstanceId>().unwrap()).unwrap();
    let error = futures::executor::block_on(run.output_within(HOUR)).unwrap_err();
    assert!(matches!(error, Error::NoRuntime), "{error}");
}

#[tokio::test]
async fn an_orchestration_is_kept_as_long_as_its_start_said() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let short = hub.client().start(echoes::with("a").retention(HOUR)).await.unwrap();
    let long = hub.client().start(echoes::with("b").retention(3 * HOUR)).await.unwrap();
    let ever = hub.client().start(echoes::with("c")).await.unwrap();
    for run in [&short, &long, &ever] {
        run.output().await.unwrap();
    }
    hub.run(naps::with(2)).await.unwrap();
    assert_eq!(hub.now().duration_since(began), 2 * HOUR, "a purge is no reason for time to pass");
    assert!(short.state().await.unwrap().is_none());
    assert!(long.state().await.unwrap().is_some());
    hub.run(naps::with(2)).await.unwrap();
    assert!(long.state().await.unwrap().is_none());
    assert!(ever.state().await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_keeps_what_has_ended_as_long_as_its_options_say() {
    let folder = Folder::new("management").unwrap();
    for is_file in [false, true] {
        let clock = Arc::new(VirtualClock::new().standing_still());
        let options = || Options { clock: clock.clone(), retention: Some(HOUR), ..Options::default() };
        let provider = if is_file {
            EmbeddedProvider::open(&folder.path().join("kept.db"), options())
        } else {
            EmbeddedProvider::in_memory_with(options())
        };
        let provider: Arc<dyn Provider> = Arc::new(provider.unwrap());
        let hub = TaskHub::with_provider(provider);
        let worker = hub.worker().start().await.unwrap();
        let client = hub.client();
        let usual = client.start(echoes::with("a")).await.unwrap();
        let longer = client.start(echoes::with("b").retention(3 * HOUR)).await.unwrap();
        for run in [&usual, &longer] {
            run.output().await.unwrap();
        }
        let pass = async |hours| {
            let _passing = clock.pass();
            let nap = client.start(naps::with(hours).retention(Duration::MAX)).await.unwrap();
            nap.output().await.unwrap();
        };
        pass(2_u32).await;
        assert!(usual.state().await.unwrap().is_none());
        assert!(longer.state().await.unwrap().is_some());
        pass(2).await;
        let left: Vec<_> = client.instances(InstanceQuery::new()).try_collect().await.unwrap();
        assert!(left.iter().all(|state| u32::decode(&state.output).unwrap() == 2), "{left:?}");
        assert_eq!(client.counts().await.unwrap().total(), 2);
        worker.shut_down().await.unwrap();
    }
}
