//! The GitHub monitor: with its activities replaced, and the one that asks GitHub alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use durable::{Error, prelude::*};
use durable_testkit::TestHub;
use serde_json::{Value, json};

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/github_monitor.rs"]
mod example;

const MINUTE: Duration = Duration::from_secs(60);

/// A hub in which there are too many issues from the check with this number on, 1 first; counts alerts.
async fn hub(too_many_at: u32) -> Result<(TestHub, Arc<AtomicU32>), Error> {
    let (checks, alerts) = (AtomicU32::new(0), Arc::new(AtomicU32::new(0)));
    let sent = alerts.clone();
    let hub = TestHub::builder()
        .activity("E3_TooManyOpenIssues")
        .by(move |_repo: String| checks.fetch_add(1, Ordering::Relaxed) + 1 >= too_many_at)
        .activity("E3_SendAlert")
        .by(move |phone: String| {
            assert_eq!(phone, "+1 555 0100");
            sent.fetch_add(1, Ordering::Relaxed);
            "Message sent!".to_owned()
        });
    Ok((hub.start().await?, alerts))
}

fn monitor() -> durable::call::OrchestrationCall<String> {
    Call::orchestration("E3_Monitor", json!({ "repo": "user/name", "phone": "+1 555 0100" }))
}

// R1:GHM-1, R1:GHM-2, R1:GHM-4, R1:GHM-5, R1:SMP-11
#[tokio::test]
async fn too_many_issues_at_the_third_check_are_told_once_after_two_minutes() {
    let (hub, alerts) = hub(3).await.unwrap();
    let (began, run) = (hub.now(), hub.client().start(monitor()).await.unwrap());
    assert_eq!(hub.output(&run).await.unwrap(), "Monitor completed!");
    assert_eq!(hub.now().duration_since(began), 2 * MINUTE);
    assert_eq!(alerts.load(Ordering::Relaxed), 1);
    let status: Value = run.state().await.unwrap().unwrap().custom_status.read().unwrap();
    assert_eq!(status, "The repository does not have too many issues, for now ...");
}

// R1:GHM-2, R1:GHM-5
#[tokio::test]
async fn it_completes_in_the_same_words_when_its_five_minutes_are_over() {
    let (hub, alerts) = hub(99).await.unwrap();
    let began = hub.now();
    assert_eq!(hub.run(monitor()).await.unwrap(), "Monitor completed!");
    assert_eq!(hub.now().duration_since(began), 5 * MINUTE);
    assert_eq!(alerts.load(Ordering::Relaxed), 0);
}

// R1:GHM-3, R1:GHM-6; CON-7
#[tokio::test]
async fn three_issues_are_too_many_and_a_repository_nobody_knows_is_an_error() {
    let github = |request: HttpRequest| async move {
        let count = match request.uri() {
            "https://api.github.com/repos/user/two/issues?state=open" => 2,
            "https://api.github.com/repos/user/three/issues?state=open" => 3,
            _ => return Ok(HttpResponse::new(404)),
        };
        Ok(HttpResponse::new(200).with_json(&vec![json!({}); count])?)
    };
    assert!(example::GITHUB.set(Box::new(github)).is_ok());
    assert!(!example::too_many_open_issues("user/two".into()).await.unwrap());
    assert!(example::too_many_open_issues("user/three".into()).await.unwrap());
    let error = example::too_many_open_issues("user/none".into()).await.unwrap_err().to_string();
    assert!(
        error.starts_with("Could not find repo none under user! API endpoint hit was: https://"),
        "{error}"
    );
    assert_eq!(example::send_alert("1".into()).await, "Message sent!");
}
