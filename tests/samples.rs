//! Samples of the documents that no other file here holds, under the names they have there.
//!
//! In virtual time and verify mode. Begin with [`four_functions_in_a_chain_or_what_undoes_them`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::time::Duration;

use durable::prelude::*;
use durable_testkit::{TestHub, TestHubBuilder};
use serde_json::{Value, json};

/// Each function gets what the one before it gave; whatever fails is handled in one place.
#[orchestrator(name = "Chaining")]
async fn chaining(ctx: OrchestrationContext) -> Result<Value, Failure> {
    let chained = async {
        let x: Value = ctx.call(Call::activity("F1", Value::Null)).await?;
        let y: Value = ctx.call(Call::activity("F2", x)).await?;
        let z: Value = ctx.call(Call::activity("F3", y)).await?;
        ctx.call(Call::activity("F4", z)).await
    };
    match chained.await {
        Ok(output) => Ok(output),
        Err(failure) => {
            let undone: String = ctx.call(Call::activity("Undo", failure.message().to_owned())).await?;
            Ok(undone.into())
        }
    }
}

/// A hub whose `F1` to `F4` add their names to what they are given, except that `fails` fails.
async fn chain(fails: &'static str) -> TestHub {
    let add = |hub: TestHubBuilder, name: &'static str| {
        hub.activity(name).by_result(move |input: Value| {
            if name == fails {
                return Err(format!("{name} is broken"));
            }
            let mut names: Vec<String> = serde_json::from_value(input).unwrap_or_default();
            names.push(name.to_owned());
            Ok(names)
        })
    };
    let hub = ["F1", "F2", "F3", "F4"].into_iter().fold(TestHub::builder(), add);
    hub.activity("Undo").by(|why: String| format!("undone: {why}")).start().await.unwrap()
}

// R1:SMP-1, R1:OVR-2 to R1:OVR-5
#[tokio::test]
async fn four_functions_in_a_chain_or_what_undoes_them() {
    let hub = chain("none").await;
    assert_eq!(hub.run(chaining::with()).await.unwrap(), json!(["F1", "F2", "F3", "F4"]));
    let hub = chain("F3").await;
    let run = hub.client().start(chaining::with()).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "undone: F3 is broken");
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Completed);
    assert_eq!(hub.history(&run).await.unwrap().open_tasks().len(), 0);
}

/// Takes its input from a context.
#[activity(name = "E1_SayHello")]
async fn say_hello(ctx: ActivityContext, name: String) -> String {
    assert_eq!(ctx.name().as_str(), "E1_SayHello");
    format!("Hello {name}!")
}

/// Takes its input directly.
#[activity(name = "E1_SayHello_DirectInput")]
async fn say_hello_direct_input(name: String) -> String {
    format!("Hello {name}!")
}

#[orchestrator(name = "E1_HelloSequence")]
async fn hello_sequence(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    Ok(vec![
        ctx.call(say_hello::with("Tokyo")).await?,
        ctx.call(say_hello::with("Seattle")).await?,
        ctx.call(say_hello_direct_input::with("London")).await?,
    ])
}

// R1:SMP-8, R1:CHAIN-1, R1:CHAIN-3, R1:CHAIN-4, R1:CHAIN-12, R1:SKIP-25
#[tokio::test]
async fn a_sequence_is_started_by_the_name_in_a_route_and_calls_activities_of_both_styles() {
    let hub = TestHub::start().await.unwrap();
    let route = "/orchestrators/E1_HelloSequence";
    let name = route.rsplit('/').next().unwrap().to_owned();
    let run = hub.client().start(Call::<Vec<String>>::orchestration(name, ())).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]);
    let history = hub.history(&run).await.unwrap();
    let scheduled = history.names().iter().filter(|name| **name == "TaskScheduled").count();
    assert_eq!((scheduled, history.episodes()), (3, 4));
}

/// The three functions of a first app, whose names are no identifiers of Rust.
#[activity(name = "SayHello")]
async fn says_hello(city: String) -> String {
    format!("Hello {city}!")
}

#[orchestrator(name = "HelloCities")]
async fn hello_cities(ctx: OrchestrationContext) -> Result<String, Failure> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "London", "Seattle"] {
        greetings.push(ctx.call(says_hello::with(city)).await?);
    }
    Ok(greetings.join(", "))
}

// R1:SMP-7, R1:QS-1, R1:QS-2, R1:QS-17
#[tokio::test]
async fn the_first_app_greets_three_cities_in_one_text() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(hello_cities::with()).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "Hello Tokyo!, Hello London!, Hello Seattle!");
    assert_eq!(run.state().await.unwrap().unwrap().name.as_str(), "HelloCities");
}

/// How long it took, and two identifiers.
#[orchestrator]
async fn deterministic(ctx: OrchestrationContext) -> Result<(Duration, [String; 2]), Failure> {
    let start = ctx.now();
    let ids = [ctx.new_uuid(), ctx.new_uuid()].map(|id| id.to_string());
    ctx.sleep(Duration::from_secs(90)).await?;
    Ok((ctx.now().duration_since(start), ids))
}

// R1:SMP-18, R1:CC-2 to R1:CC-5. In verify mode: each replay must draw the same again.
#[tokio::test]
async fn durations_and_identifiers_of_an_orchestrator_are_the_same_at_every_replay() {
    let hub = TestHub::start().await.unwrap();
    let (took, [first, second]) = hub.run(deterministic::with()).await.unwrap();
    assert_eq!(took, Duration::from_secs(90));
    assert_ne!(first, second);
    assert!([first, second].iter().all(|id| id.as_bytes()[14] == b'5'), "of version 5");
}

#[orchestrator(name = "SetStatusTest")]
async fn set_status_test(ctx: OrchestrationContext) -> Result<bool, Failure> {
    ctx.set_custom_status(&json!({ "nextActions": ["A", "B", "C"], "foo": 2 }))?;
    ctx.wait_for("Done").await
}

// R1:SMP-23, R1:CST-2, R3:SKIP-47: the body that the HTTP API has, as far as it is the state's.
#[tokio::test]
async fn a_status_of_several_fields_is_nested_json_while_the_output_is_not_there_yet() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(set_status_test::with().instance_id("instance123")).await.unwrap();
    let state = serde_json::to_value(run.wait_for_start().await.unwrap()).unwrap();
    for (field, expected) in [
        ("runtimeStatus", json!("Running")),
        ("input", Value::Null),
        ("customStatus", json!({ "nextActions": ["A", "B", "C"], "foo": 2 })),
        ("output", Value::Null),
    ] {
        assert_eq!(state[field], expected, "{field}");
    }
    hub.client().raise(&run, "Done", true).await.unwrap();
    assert!(hub.output(&run).await.unwrap());
}
