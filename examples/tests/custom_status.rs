//! What the documented samples publish, and when.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use durable::{call::Startable, client::Run, prelude::*};
use durable_testkit::TestHub;
use serde_json::{Value, json};

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/custom_status.rs"]
mod example;

async fn hub() -> TestHub {
    let greet = |city: String| format!("Hello {city}!");
    TestHub::builder().activity("E1_SayHello").by(greet).start().await.unwrap()
}

async fn started<S: Startable>(hub: &TestHub, start: S) -> Run<S::Output> {
    hub.client().start(start).await.unwrap()
}

async fn status<O>(run: &Run<O>) -> Value {
    run.state().await.unwrap().unwrap().custom_status.read().unwrap()
}

// R1:CST-1, R1:CST-2, R1:CST-5, R1:SMP-20, R1:SKIP-16
#[tokio::test]
async fn what_is_set_just_before_the_end_is_kept_with_it() {
    let hub = hub().await;
    let run = started(&hub, Call::<Vec<String>>::orchestration("E1_HelloSequence", ())).await;
    assert_eq!(hub.output(&run).await.unwrap(), ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]);
    assert_eq!(status(&run).await, "London");
}

// R1:CST-1, R1:CST-7, R1:CST-8, R1:SMP-20
#[tokio::test]
async fn a_client_looks_again_until_the_city_is_there_and_sees_each_as_it_is_reached() {
    let hub = hub().await;
    let run = started(&hub, Call::<Vec<String>>::orchestration("E1_HelloSequence", ())).await;
    let mut seen = vec![status(&run).await];
    while *seen.last().unwrap() != "London" {
        tokio::task::yield_now().await;
        seen.push(status(&run).await);
    }
    seen.dedup();
    let all = [Value::Null, "Tokyo".into(), "Seattle".into(), "London".into()];
    let mut reached = all.iter();
    assert!(
        seen.iter().all(|city| reached.any(|next| next == city)),
        "in order, some perhaps missed: {seen:?}"
    );
    hub.output(&run).await.unwrap();
}

// R1:CST-2, R1:CST-6, R1:CST-8, R1:SMP-21, R1:SKIP-16
#[tokio::test]
async fn an_orchestrator_that_calls_nothing_publishes_its_advice_or_nothing() {
    let hub = hub().await;
    for (choice, expected) in [
        (1, json!({ "recommendedCities": ["Tokyo", "Seattle"], "recommendedSeasons": ["Spring", "Summer"] })),
        (2, json!({ "recommendedCities": ["Seattle", "London"], "recommendedSeasons": ["Summer"] })),
        (3, json!({ "recommendedCities": ["Tokyo", "London"], "recommendedSeasons": ["Spring", "Summer"] })),
        (4, Value::Null),
    ] {
        let run = started(&hub, Call::<()>::orchestration("CityRecommender", choice)).await;
        hub.output(&run).await.unwrap();
        assert_eq!(status(&run).await, expected, "{choice}");
    }
}

// R1:CST-3, R1:CST-4, R1:CST-11, R1:SMP-22
#[tokio::test]
async fn instructions_are_replaced_as_a_whole_when_the_customer_has_decided() {
    for (decision, message) in [(true, "Thank you for confirming the booking"), (false, "There was an error")]
    {
        let hub = hub().await;
        let run = started(&hub, Call::<bool>::orchestration("ReserveTicket", "ada")).await;
        let instructions = run.wait_for_start().await.unwrap().custom_status;
        assert!(instructions.as_json().contains(r#""discountTimeout":60"#), "{instructions:?}");
        hub.client().raise(&run, "BookingConfirmed", decision).await.unwrap();
        assert_eq!(hub.output(&run).await.unwrap(), decision);
        assert_eq!(status(&run).await, json!({ "message": message }));
    }
}
