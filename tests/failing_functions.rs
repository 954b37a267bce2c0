//! Functions that fail, panic, are unknown or disagree about types: each failure reaches whoever
//! waits, as what it was, and nothing else stops.
//!
//! Begin with [`an_activity_error_reaches_the_client_with_function_type_and_message`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use durable::{
    Error,
    model::{FailureKind, Storable},
    prelude::*,
};
use durable_tests::Folder;
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("only {left} left")]
struct OutOfStock {
    left: u32,
}

/// A value whose own `Serialize` refuses.
#[derive(Debug, Deserialize)]
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not for writing"))
    }
}

#[activity]
async fn reserve(wanted: u32) -> Result<u32, OutOfStock> {
    if wanted > 3 { Err(OutOfStock { left: 3 }) } else { Ok(wanted) }
}

#[activity]
async fn panics(text: String) -> String {
    panic!("cannot cope with {text}")
}

#[activity]
async fn grows(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[activity]
async fn measures(text: String) -> usize {
    text.len()
}

#[activity]
async fn gives_unwritable() -> Unwritable {
    Unwritable
}

#[orchestrator]
async fn reserves(ctx: OrchestrationContext, wanted: u32) -> Result<u32, Failure> {
    ctx.call(reserve::with(wanted)).await
}

/// Catches what an activity does, and says what it saw.
#[orchestrator]
async fn catches(ctx: OrchestrationContext, which: String) -> Result<Failure, Failure> {
    let ended = match which.as_str() {
        "error" => ctx.call(reserve::with(9)).await.map(drop),
        "panic" => ctx.call(panics::with("that")).await.map(drop),
        "unknown" => ctx.call(Call::<String>::activity("nobody_wrote_this", 1)).await.map(drop),
        "wrong input" => ctx.call(Call::<u32>::activity("reserve", "three")).await.map(drop),
        "wrong output" => ctx.call(Call::<u32>::activity("grows", 3)).await.map(drop),
        "large input" => ctx.call(measures::with("x".repeat(2000))).await.map(drop),
        "large output" => ctx.call(grows::with(2000)).await.map(drop),
        "unwritable input" => ctx.call(Call::<u32>::activity("reserve", Unwritable)).await.map(drop),
        "unwritable output" => ctx.call(gives_unwritable::with()).await.map(drop),
        other => return Err(format!("{other} is not something to catch").into()),
    };
    ended.err().ok_or_else(|| "nothing failed".into())
}

#[activity]
async fn gives_back(anything: Payload) -> Payload {
    anything
}

#[orchestrator]
async fn passes_on(ctx: OrchestrationContext, anything: Payload) -> Result<Payload, Failure> {
    ctx.call(gives_back::with(anything)).await
}

#[orchestrator]
async fn gives_large(_ctx: OrchestrationContext, bytes: usize) -> String {
    "x".repeat(bytes)
}

#[orchestrator]
async fn panics_itself(_ctx: OrchestrationContext) -> String {
    panic!("out of ideas")
}

#[orchestrator]
async fn gives_unwritable_itself(_ctx: OrchestrationContext) -> Unwritable {
    Unwritable
}

#[orchestrator]
async fn publishes_large(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.set_custom_status(&"x".repeat(8191))
}

#[orchestrator]
async fn waits_for_number(ctx: OrchestrationContext) -> Result<u32, Failure> {
    ctx.wait_for::<u32>("Number").await
}

/// A hub that takes payloads of a thousand bytes, and its worker.
async fn small_hub() -> (TaskHub, Worker) {
    small_hub_at("memory:").await
}

async fn small_hub_at(address: &str) -> (TaskHub, Worker) {
    let hub = TaskHub::options().max_payload(1000).open(address).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    (hub, worker)
}

async fn failure_of<T: Storable>(run: Run<T>) -> Failure {
    match run.output().await.err() {
        Some(Error::Failed { failure, .. }) => failure,
        other => panic!("it did not fail: {other:?}"),
    }
}

// R2:ERR-2
#[tokio::test]
async fn an_activity_error_reaches_the_client_with_function_type_and_message() {
    let (hub, worker) = small_hub().await;
    let failure = failure_of(hub.client().start(reserves::with(9)).await.unwrap()).await;
    assert_eq!(failure.function().unwrap().as_str(), "reserve");
    assert_eq!(failure.message(), "only 3 left");
    assert!(failure.error_type().ends_with("OutOfStock"), "{}", failure.error_type());
    assert_eq!(failure.downcast::<OutOfStock>(), Some(OutOfStock { left: 3 }));
    assert_eq!(hub.client().start(reserves::with(2)).await.unwrap().output().await.unwrap(), 2);
    worker.shut_down().await.unwrap();
}

// R2:ERR-2, R1:ORCH-29, R3:BIND-19; DECISIONS 21
#[tokio::test]
async fn whatever_goes_wrong_with_an_activity_can_be_caught_and_says_what_it_was() {
    let (hub, worker) = small_hub().await;
    for (which, kind, says) in [
        ("error", FailureKind::Application, "only 3 left"),
        ("panic", FailureKind::Panicked, "cannot cope with that"),
        ("unknown", FailureKind::UnknownFunction, "nobody_wrote_this"),
        ("wrong input", FailureKind::Payload, "wanted"),
        ("wrong output", FailureKind::Payload, "grows"),
        ("large input", FailureKind::TooLarge, "measures"),
        ("large output", FailureKind::TooLarge, "grows"),
        ("unwritable input", FailureKind::Payload, "not for writing"),
        ("unwritable output", FailureKind::Payload, "not for writing"),
    ] {
        let failure = hub.client().start(catches::with(which)).await.unwrap().output().await.unwrap();
        assert_eq!(failure.kind(), kind, "{which}: {failure}");
        assert!(failure.to_string().contains(says), "{which}: {failure}");
    }
    worker.shut_down().await.unwrap();
}

// R1:ORCH-31, R2:ERR-22, R3:DIAG-26
#[tokio::test]
async fn an_orchestrator_that_panics_or_cannot_give_its_result_fails() {
    let (hub, worker) = small_hub().await;
    let client = hub.client();
    let failure = failure_of(client.start(panics_itself::with()).await.unwrap()).await;
    assert_eq!(failure.kind(), FailureKind::Panicked);
    assert!(failure.to_string().contains("out of ideas"), "{failure}");
    let failure = failure_of(client.start(gives_large::with(2000)).await.unwrap()).await;
    assert_eq!(failure.kind(), FailureKind::TooLarge);
    assert!(failure.to_string().contains("1000"), "{failure}");
    let failure = failure_of(client.start(gives_unwritable_itself::with()).await.unwrap()).await;
    assert_eq!(failure.kind(), FailureKind::Payload);
    // R1:CST-9
    let failure = failure_of(client.start(publishes_large::with()).await.unwrap()).await;
    assert_eq!(failure.kind(), FailureKind::TooLarge);
    worker.shut_down().await.unwrap();
}

// R3:BIND-12
#[tokio::test]
async fn an_orchestrator_that_cannot_read_its_input_fails() {
    let (hub, worker) = small_hub().await;
    let call = Call::<u32>::orchestration("reserves", "three");
    let failure = failure_of(hub.client().start(call).await.unwrap()).await;
    assert_eq!(failure.kind(), FailureKind::Payload);
    assert!(failure.to_string().contains("wanted"), "{failure}");
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_client_is_told_at_once_what_cannot_be_stored() {
    let (hub, worker) = small_hub().await;
    let client = hub.client();
    let large = client.start(Call::<u32>::orchestration("reserves", "x".repeat(2000))).await;
    assert!(
        matches!(&large, Err(Error::Payload(failure)) if failure.kind() == FailureKind::TooLarge),
        "{large:?}"
    );
    let unwritable = client.start(Call::<u32>::orchestration("reserves", Unwritable)).await;
    assert!(matches!(&unwritable, Err(Error::Input { .. })), "{unwritable:?}");
    let run = client.start(waits_for_number::with()).await.unwrap();
    let large = client.raise(&run, "Number", "x".repeat(2000)).await;
    assert!(
        matches!(&large, Err(Error::Payload(failure)) if failure.kind() == FailureKind::TooLarge),
        "{large:?}"
    );
    // R1:EVT-6
    client.raise(&run, "Number", "many".to_owned()).await.unwrap();
    let failure = failure_of(run).await;
    assert_eq!(failure.kind(), FailureKind::Payload);
    assert!(failure.to_string().contains("Number"), "{failure}");
    worker.shut_down().await.unwrap();
}

// R1:QS-19
#[tokio::test]
async fn an_output_of_another_type_is_told_to_who_asks() {
    let (hub, worker) = small_hub().await;
    let run = hub.client().start(Call::<String>::orchestration("reserves", 2)).await.unwrap();
    let error = run.output().await.unwrap_err();
    assert!(matches!(error, Error::Output { .. }), "{error:?}");
    assert!(error.to_string().contains("String"), "{error}");
    worker.shut_down().await.unwrap();
}

// What nests deeper than a reader of JSON goes must not make a history unreadable.
// R1:ORCH-42
#[tokio::test]
async fn a_deeply_nested_payload_passes_through_as_it_is() {
    let folder = Folder::new("deep").unwrap();
    let (hub, worker) = small_hub_at(&folder.hub("hub.db")).await;
    let deep = Payload::from_json(format!("{}{}", "[".repeat(400), "]".repeat(400))).unwrap();
    let run = hub.client().start(passes_on::with(deep.clone())).await.unwrap();
    assert_eq!(run.output().await.unwrap(), deep);
    assert_eq!(run.history().await.unwrap().started().unwrap().input, deep);
    worker.shut_down().await.unwrap();
}
