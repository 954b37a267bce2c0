//! The weather monitor, over a service that answers as the test wants.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use durable::{
    Error,
    http::{Token, TokenReference},
    prelude::*,
};
use durable_testkit::TestHub;
use serde_json::{Value, json};

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/weather_monitor.rs"]
mod example;

/// What was sent by SMS, and how often the service was asked.
#[derive(Clone, Default)]
struct Seen {
    alerts: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicU32>,
}

/// A hub whose service answers what `answer` makes of the number of the question, 0 first.
async fn hub(answer: fn(u32) -> HttpResponse) -> (TestHub, Seen) {
    let seen = Seen::default();
    let (alerts, asked) = (seen.alerts.clone(), seen.asked.clone());
    let service = move |request: HttpRequest| {
        assert_eq!(request.uri(), "https://weather.example/conditions/WA/Redmond.json");
        assert_eq!(request.headers().get("authorization"), Some("Bearer key"));
        let number = asked.fetch_add(1, Ordering::Relaxed);
        async move { Ok(answer(number)) }
    };
    let hub = TestHub::builder()
        .http_client(service)
        .token_source("weather", |_: TokenReference| async { Ok(Token::new("key")) })
        .activity("E3_SendGoodWeatherAlert")
        .by(move |phone: String| alerts.lock().unwrap().push(phone));
    (hub.start().await.unwrap(), seen)
}

fn weather(text: &str) -> HttpResponse {
    HttpResponse::new(200).with_json(&json!({ "weather": text })).unwrap()
}

fn request() -> Value {
    json!({ "location": { "city": "Redmond", "state": "WA" }, "phone": "+1 555 0100" })
}

async fn run(hub: &TestHub, input: Value) -> Result<Value, Error> {
    hub.run(Call::orchestration("E3_Monitor", input)).await
}

const MINUTE: Duration = Duration::from_secs(60);

// R1:MON-1 to MON-3, R1:MON-11, R1:MON-17, R1:SMP-10, R1:OVR-18, R1:CC-11
#[tokio::test]
async fn clear_skies_after_an_hour_are_told_once_and_end_it() {
    let (hub, seen) = hub(|asked| weather(if asked < 2 { "Light Rain" } else { "Overcast" })).await;
    let began = hub.now();
    assert_eq!(run(&hub, request()).await.unwrap(), Value::Null);
    assert_eq!(hub.now().duration_since(began), 60 * MINUTE);
    assert_eq!(*seen.alerts.lock().unwrap(), ["+1 555 0100"]);
    assert_eq!(seen.asked.load(Ordering::Relaxed), 3);
}

// R1:MON-3, R1:MON-17
#[tokio::test]
async fn it_ends_by_itself_after_six_hours_and_twelve_checks() {
    let (hub, seen) = hub(|_| weather("Volcanic Ash")).await;
    let began = hub.now();
    run(&hub, request()).await.unwrap();
    assert_eq!(hub.now().duration_since(began), 6 * 60 * MINUTE);
    assert_eq!(seen.asked.load(Ordering::Relaxed), 12);
    assert!(seen.alerts.lock().unwrap().is_empty());
}

// R1:MON-15
#[tokio::test]
async fn many_watch_at_once_each_for_whom_it_was_started() {
    let (hub, seen) = hub(|asked| weather(if asked < 10 { "Rain" } else { "Clear" })).await;
    let phones: Vec<_> = (0..10).map(|number| format!("+1 555 010{number}")).collect();
    let mut runs = Vec::new();
    for phone in &phones {
        let input = json!({ "location": { "city": "Redmond", "state": "WA" }, "phone": phone });
        runs.push(hub.client().start(Call::<Value>::orchestration("E3_Monitor", input)).await.unwrap());
    }
    for run in &runs {
        hub.output(run).await.unwrap();
    }
    let mut told = seen.alerts.lock().unwrap().clone();
    told.sort();
    assert_eq!(told, phones);
}

// R1:MON-6
#[tokio::test]
async fn what_is_missing_in_its_input_fails_it() {
    let (hub, seen) = hub(|_| weather("Clear")).await;
    for (input, message) in [
        (Value::Null, "An input object is required."),
        (json!({ "phone": "1" }), "A location input is required."),
        (
            json!({ "location": { "city": "a", "state": "b" }, "phone": "" }),
            "A phone number input is required.",
        ),
    ] {
        let error = run(&hub, input).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    assert_eq!(seen.asked.load(Ordering::Relaxed), 0);
}

// R1:MON-10
#[tokio::test]
async fn a_place_nobody_knows_and_a_broken_service_fail_it() {
    for (answer, message) in [
        (
            (|_| HttpResponse::new(404)) as fn(u32) -> HttpResponse,
            "Could not find weather for this location.",
        ),
        (|_| HttpResponse::new(500), "API returned an error: 500"),
    ] {
        let (hub, _) = hub(answer).await;
        let error = run(&hub, request()).await.unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

// R1:MON-16, R1:OVR-18
#[tokio::test]
async fn it_can_be_ended_from_outside_while_it_waits() {
    let (hub, _) = hub(|_| weather("Rain")).await;
    let run = hub.client().start(Call::<Value>::orchestration("E3_Monitor", request())).await.unwrap();
    run.terminate("Because").await.unwrap();
    let error = hub.output(&run).await.unwrap_err();
    assert!(matches!(&error, Error::Terminated { reason, .. } if reason == "Because"), "{error}");
}
