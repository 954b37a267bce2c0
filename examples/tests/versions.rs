//! Orders of both versions, each with the code it began with.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use durable::prelude::*;
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/versions.rs"]
mod example;

/// The activities that an order of this version asks for, and what comes of it.
async fn order(hub: &TestHub, version: &str) -> (Vec<String>, String) {
    let start = Call::<String>::orchestration("order", "teapot").version(version);
    let run = hub.client().start(start).await.unwrap();
    hub.client().raise(&run, "Paid", true).await.unwrap();
    let output = hub.output(&run).await.unwrap();
    let history = hub.history(&run).await.unwrap();
    let calls = history.events().iter().filter_map(|event| match &event.kind {
        durable::history::EventKind::TaskScheduled { name, .. } => Some(name.to_string()),
        _ => None,
    });
    (calls.collect(), output)
}

// R3:ZDD-3
#[tokio::test]
async fn each_version_goes_its_own_way() {
    let hub = TestHub::start().await.unwrap();
    let (calls, output) = order(&hub, "1").await;
    assert_eq!((calls.join(" "), output.as_str()), ("ship".to_owned(), "shipped teapot"));
    let (calls, output) = order(&hub, "2").await;
    assert_eq!(
        (calls.join(" "), output.as_str()),
        ("set_aside ship".to_owned(), "shipped teapot from shelf 6")
    );
}
