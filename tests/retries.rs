//! Retry policies and timeouts of calls as a user writes them, with a store and a worker, in virtual
//! time: what was waited for is what the policy says.

use std::time::Duration;

use durable::{Error, history::EventKind, model::FailureKind, prelude::*};
use durable_testkit::TestHub;
use durable_tests::gates;

const SECOND: Duration = Duration::from_secs(1);

#[activity]
async fn charges(order: String, succeeds_at: usize) -> Result<usize, String> {
    gates::count(&order);
    let attempt = gates::counted(&order);
    if attempt < succeeds_at { Err(format!("attempt {attempt} failed")) } else { Ok(attempt) }
}

/// At most four attempts: after 5 s, 10 s and 15 s.
#[orchestrator]
async fn charges_patiently(
    ctx: OrchestrationContext,
    order: String,
    succeeds_at: usize,
) -> Result<usize, Failure> {
    let policy = RetryPolicy::new(4, 5 * SECOND).backoff(2.0).max_interval(15 * SECOND);
    ctx.call(charges::with(order, succeeds_at).retry(policy)).await
}

// R2:ERR-6 to ERR-15, R1:ORCH-30
#[tokio::test]
async fn a_call_is_tried_again_until_it_succeeds_and_time_passes_as_the_policy_says() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let run = hub.client().start(charges_patiently::with("retries third", 3_usize)).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), 3);
    assert_eq!(hub.now().duration_since(began), 15 * SECOND);
    let names = hub.history(&run).await.unwrap().names();
    let count = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    assert_eq!((count("TaskScheduled"), count("TaskFailed"), count("TaskCompleted")), (3, 2, 1));
    assert_eq!((count("TimerCreated"), count("TimerFired")), (2, 2));
}

// R2:ERR-8, R2:ERR-12, R2:ERR-14
#[tokio::test]
async fn the_last_failure_fails_the_instance_when_no_attempt_is_left() {
    let hub = TestHub::start().await.unwrap();
    let began = hub.now();
    let error = hub.run(charges_patiently::with("retries never", 99_usize)).await.unwrap_err();
    assert!(matches!(&error, Error::Failed { failure, .. } if failure.message() == "attempt 4 failed"));
    assert_eq!(gates::counted("retries never"), 4);
    assert_eq!(hub.now().duration_since(began), 30 * SECOND);
}

/// The first attempt hangs until somebody opens the gate; its result comes too late.
#[activity]
async fn hangs_at_first() -> String {
    gates::count("hangs_at_first");
    if gates::counted("hangs_at_first") > 1 {
        return "in time".into();
    }
    gates::pass("hangs_at_first").await;
    "too late".into()
}

#[activity]
async fn ends_the_hanging() {
    gates::open("hangs_at_first");
}

#[orchestrator]
async fn does_not_wait(ctx: OrchestrationContext) -> Result<String, Failure> {
    // As many attempts as a slow machine may need.
    let policy = RetryPolicy::new(u32::MAX, Duration::ZERO)
        .retry_if(|failure, _| failure.kind() == FailureKind::TimedOut);
    let hasty = hangs_at_first::with().timeout(Duration::from_millis(50));
    let seen = ctx.call(hasty.retry(policy)).await?;
    ctx.call(ends_the_hanging::with()).await?;
    Ok(seen)
}

// R2:ERR-17, R2:ERR-21, R2:ERR-21a; DECISIONS 15. In real time: the virtual clock stands while an activity runs.
#[tokio::test]
async fn a_call_that_hangs_is_tried_again_and_its_late_result_is_ignored() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let run = hub.client().start(does_not_wait::with()).await.unwrap();
    assert_eq!(run.output().await.unwrap(), "in time");
    assert!(gates::counted("hangs_at_first") > 1);
    worker.shut_down().await.unwrap();
}

/// Fails until the last attempt that its caller allows, as it is told.
#[activity]
async fn succeeds_at_last(ctx: ActivityContext) -> Result<String, Failure> {
    let attempt = ctx.policy_attempt();
    if attempt.number < attempt.of { Err(attempt.to_string().into()) } else { Ok(attempt.to_string()) }
}

#[orchestrator]
async fn tries(ctx: OrchestrationContext, attempts: u32) -> Result<String, Failure> {
    let call = succeeds_at_last::with();
    if attempts == 0 {
        return ctx.call(call).await;
    }
    ctx.call(call.retry(RetryPolicy::new(attempts, SECOND))).await
}

// R2:ERR-9, R2:ERR-18
#[tokio::test]
async fn an_activity_knows_which_attempt_of_how_many_it_is() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(tries::with(3_u32)).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "attempt 3 of 3");
    assert_eq!(hub.run(tries::with(0_u32)).await.unwrap(), "attempt 1 of 1");
    let history = hub.history(&run).await.unwrap();
    let failures = history.events().iter().filter_map(|event| match &event.kind {
        EventKind::TaskFailed { failure, .. } => Some(failure.message()),
        _ => None,
    });
    assert_eq!(failures.collect::<Vec<_>>(), ["attempt 1 of 3", "attempt 2 of 3"]);
}
