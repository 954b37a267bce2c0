//! Errors on their way through functions: what an activity failed with is still there, typed, where its
//! orchestration is looked at, however it was wrapped meanwhile.
//!
//! Begin with [`an_error_is_found_through_the_error_that_wraps_it`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;
use durable::{Error, call::Startable, context::Services, model::FailureKind, prelude::*};
use durable_testkit::TestHub;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("only {left} left")]
struct OutOfStock {
    left: u32,
}

/// What the orchestrator makes of it; not stored whole.
#[derive(Debug, thiserror::Error)]
#[error("order {number} was not placed")]
struct OrderFailed {
    number: u32,
    #[source]
    cause: Failure,
}

#[activity]
async fn takes_stock(wanted: u32) -> Result<u32, OutOfStock> {
    if wanted > 3 { Err(OutOfStock { left: 3 }) } else { Ok(wanted) }
}

/// The mark is the activity's: nobody tries again.
#[activity]
async fn is_hopeless(ctx: ActivityContext) -> Result<(), Failure> {
    let attempt = ctx.policy_attempt();
    Err(Failure::new(format!("no such card ({attempt})")).non_retriable())
}

#[activity]
async fn fails_with_context() -> anyhow::Result<()> {
    std::fs::read("/no such file").map(drop).context("cannot read the price list")
}

#[orchestrator]
async fn wraps(ctx: OrchestrationContext, number: u32) -> Result<u32, OrderFailed> {
    ctx.call(takes_stock::with(9)).await.map_err(|cause| OrderFailed { number, cause })
}

#[orchestrator]
async fn wraps_by_hand(ctx: OrchestrationContext) -> Result<u32, Failure> {
    let taken = ctx.call(takes_stock::with(9)).await;
    taken.map_err(|failure| Failure::new("nothing was taken").caused_by(failure))
}

#[orchestrator]
async fn passes_on_as_anyhow(ctx: OrchestrationContext) -> anyhow::Result<u32> {
    Ok(ctx.call(takes_stock::with(9)).await?)
}

#[orchestrator]
async fn adds_context(ctx: OrchestrationContext) -> anyhow::Result<u32> {
    ctx.call(takes_stock::with(9)).await.context("while placing the order")
}

#[orchestrator]
async fn gives_up_at_once(ctx: OrchestrationContext) -> Result<(), Failure> {
    let policy = RetryPolicy::new(5, std::time::Duration::from_secs(1));
    ctx.call(is_hopeless::with().retry(policy)).await
}

#[orchestrator]
async fn reads_prices(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(fails_with_context::with()).await
}

async fn failure_of<S: Startable>(start: S) -> Failure {
    let hub = TestHub::start().await.unwrap();
    match hub.run(start).await.err() {
        Some(Error::Failed { failure, .. }) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}

fn messages(failure: &Failure) -> Vec<&str> {
    failure.chain().map(Failure::message).collect()
}

// R2:ERR-2, R2:ERR-17, R2:SER-12
#[tokio::test]
async fn an_error_is_found_through_the_error_that_wraps_it() {
    let failure = failure_of(wraps::with(17_u32)).await;
    assert_eq!(messages(&failure), ["order 17 was not placed", "only 3 left"]);
    assert!(failure.error_type().ends_with("OrderFailed"), "{}", failure.error_type());
    assert_eq!(failure.cause().unwrap().function().unwrap().as_str(), "takes_stock");
    assert_eq!(failure.downcast::<OutOfStock>(), None);
    assert_eq!(failure.find::<OutOfStock>(), Some(OutOfStock { left: 3 }));
    assert!(failure.is_caused_by::<OutOfStock>() && failure.is_caused_by::<OrderFailed>());
    assert!(!failure.is_caused_by::<std::io::Error>());

    let failure = failure_of(wraps_by_hand::with()).await;
    assert_eq!(messages(&failure), ["nothing was taken", "only 3 left"]);
    assert_eq!(failure.find(), Some(OutOfStock { left: 3 }));
}

// R2:ERR-2
#[tokio::test]
async fn an_error_passes_through_anyhow_as_it_was() {
    let failure = failure_of(passes_on_as_anyhow::with()).await;
    assert_eq!(failure.function().unwrap().as_str(), "takes_stock");
    assert_eq!(failure.downcast(), Some(OutOfStock { left: 3 }));
    let failure = failure_of(adds_context::with()).await;
    assert_eq!(messages(&failure), ["while placing the order", "only 3 left"]);
    assert_eq!(failure.find(), Some(OutOfStock { left: 3 }));
    let failure = failure_of(reads_prices::with()).await;
    assert_eq!(failure.message(), "cannot read the price list");
    assert_eq!(failure.chain().count(), 2);
}

// R2:ERR-9
#[tokio::test]
async fn what_no_retry_can_cure_is_not_tried_again_and_stays_marked() {
    let failure = failure_of(gives_up_at_once::with()).await;
    assert_eq!(failure.message(), "no such card (attempt 1 of 5)");
    assert_eq!(failure.kind(), FailureKind::Application);
    assert!(!failure.is_retriable());
}

/// Something that a worker has and no input can carry.
#[derive(Default)]
struct Counter(AtomicU32);

#[activity]
async fn counts(ctx: ActivityContext) -> Result<u32, Failure> {
    Ok(ctx.service::<Counter>()?.0.fetch_add(1, Ordering::Relaxed))
}

/// An activity may use the hub's client; an orchestrator may not.
#[activity]
async fn starts_another(ctx: ActivityContext) -> Result<String, Failure> {
    let run = ctx.service::<Client>()?.start(counts_twice::with()).await;
    Ok(run.map_err(|error| Failure::from_error(&error))?.id().to_string())
}

#[orchestrator]
async fn counts_twice(ctx: OrchestrationContext) -> Result<u32, Failure> {
    Ok(ctx.call(counts::with()).await? + ctx.call(counts::with()).await?)
}

#[orchestrator]
async fn starts_by_activity(ctx: OrchestrationContext) -> Result<String, Failure> {
    ctx.call(starts_another::with()).await
}

// R3:BIND-22, R3:BIND-37, R4:MGMT-6, R4:MGMT-191
#[tokio::test]
async fn activities_use_what_their_worker_lends_them() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().service(Counter::default()).service(hub.client()).start().await.unwrap();
    let client = hub.client();
    assert_eq!(client.start(counts_twice::with()).await.unwrap().output().await.unwrap(), 1);
    let other = client.start(starts_by_activity::with()).await.unwrap().output().await.unwrap();
    let other = client.run::<u32>(InstanceId::new(other).unwrap()).unwrap();
    assert_eq!(other.output().await.unwrap(), 5);
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_not_there_is_named() {
    let failure = failure_of(counts_twice::with()).await;
    assert!(
        failure.message().contains("Counter") && failure.message().contains("hub.worker().service("),
        "{failure}"
    );
    // As in a unit test of the activity alone.
    let context = ActivityContext::for_test().with_services(Services::default().with(Counter::default()));
    assert_eq!(counts(context).await.unwrap(), 0);
}
