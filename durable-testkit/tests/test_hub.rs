//! Whole runs in virtual time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use durable::{
    Error, activity,
    call::Call,
    context::OrchestrationContext,
    model::{Failure, RuntimeStatus},
    orchestrator,
    registry::Registry,
};
use durable_testkit::{TestHub, replay_check};

#[activity]
async fn say_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[activity]
async fn add(left: i64, right: i64) -> Result<i64, Failure> {
    Ok(left + right)
}

#[orchestrator]
async fn hello_sequence(ctx: OrchestrationContext, cities: Vec<String>) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in cities {
        greetings.push(ctx.call(say_hello::with(city)).await?);
    }
    Ok(greetings)
}

#[orchestrator]
async fn sum(ctx: OrchestrationContext) -> Result<i64, Failure> {
    ctx.call(add::with(1, 2)).await
}

#[orchestrator]
async fn approval(ctx: OrchestrationContext, patience: Duration) -> Result<bool, Failure> {
    let approved = ctx.wait_for::<bool>("approval");
    let too_late = ctx.sleep(patience);
    match futures::future::select(approved, too_late).await {
        futures::future::Either::Left((approved, _)) => approved,
        futures::future::Either::Right(_) => Ok(false),
    }
}

const A_YEAR: Duration = Duration::from_secs(365 * 86_400);

fn cities() -> Vec<String> {
    ["Tokyo", "Seattle", "London"].map(str::to_owned).into()
}

// R3:TEST-1, R3:TEST-9
#[tokio::test]
async fn the_functions_of_the_program_run_as_they_are() {
    let hub = TestHub::start().await.unwrap();
    let greetings = hub.run(hello_sequence::with(cities())).await.unwrap();
    assert_eq!(greetings, ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]);
    hub.shut_down().await.unwrap();
}

// R3:TEST-9
#[tokio::test]
async fn an_activity_is_replaced_by_a_closure_that_sees_its_inputs() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let hub = TestHub::builder()
        .replacing::<say_hello>()
        .by(move |city: String| {
            counted.fetch_add(1, Ordering::Relaxed);
            city.to_uppercase()
        })
        .replacing::<add>()
        .by(|left: i64, right: i64| left * 10 + right)
        .start()
        .await
        .unwrap();
    assert_eq!(hub.run(hello_sequence::with(cities())).await.unwrap(), ["TOKYO", "SEATTLE", "LONDON"]);
    assert_eq!(calls.load(Ordering::Relaxed), 3, "verify mode replays the orchestrator, not its activities");
    assert_eq!(hub.run(sum::with()).await.unwrap(), 12);
}

#[tokio::test]
async fn a_closure_may_fail() {
    let hub = TestHub::builder()
        .replacing::<say_hello>()
        .by_result(|city: String| match city.as_str() {
            "Seattle" => Err(Failure::new("it rains")),
            _ => Ok(city),
        })
        .start()
        .await
        .unwrap();
    let error = hub.run(hello_sequence::with(cities())).await.unwrap_err();
    let Error::Failed { failure, .. } = error else { panic!("{error}") };
    assert_eq!((failure.message(), failure.function().unwrap().as_str()), ("it rains", "say_hello"));
}

#[tokio::test]
async fn an_activity_that_exists_elsewhere_is_added_by_name() {
    let registry = Registry::builder()
        .orchestrator("remote", |ctx: OrchestrationContext, (): ()| async move {
            ctx.call(Call::<u32>::activity("elsewhere", 4)).await
        })
        .build()
        .unwrap();
    let hub = TestHub::builder()
        .functions(registry)
        .activity("elsewhere")
        .by(|number: u32| number * 2)
        .start()
        .await
        .unwrap();
    assert_eq!(hub.run(Call::<u32>::orchestration("remote", ())).await.unwrap(), 8);
}

// R1:FAN-7
#[tokio::test]
async fn a_year_passes_in_no_time() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    assert!(!hub.run(approval::with(A_YEAR)).await.unwrap());
    assert_eq!(hub.now().duration_since(began), A_YEAR);
}

#[tokio::test]
async fn time_stands_still_until_it_is_waited_for() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(approval::with(A_YEAR)).await.unwrap();
    assert_eq!(run.wait_for_start().await.unwrap().runtime_status, RuntimeStatus::Running);
    hub.client().raise(&run, "approval", true).await.unwrap();
    assert!(run.output().await.unwrap());
    assert_eq!(hub.now(), began, "the event came before the year was over");
}

#[tokio::test]
async fn time_that_stood_still_passes_once_it_is_waited_for() {
    let hub = TestHub::start().await.unwrap();
    for _ in 0..5 {
        let run = hub.client().start(approval::with(A_YEAR)).await.unwrap();
        run.wait_for_start().await.unwrap();
        assert!(!hub.output(&run).await.unwrap());
    }
}

#[tokio::test]
async fn what_ran_in_a_test_hub_replays() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(approval::with(A_YEAR)).await.unwrap();
    hub.output(&run).await.unwrap();
    replay_check::<approval>(&hub.history(&run).await.unwrap()).unwrap();
    assert!(replay_check::<sum>(&hub.history(&run).await.unwrap()).is_err());
}

#[tokio::test]
#[should_panic(expected = "this closure may fail: give it to `by_result`")]
async fn a_result_is_not_taken_for_a_value() {
    let _ = TestHub::builder().replacing::<add>().by(|left: i64, _right: i64| Ok::<_, Failure>(left));
}
