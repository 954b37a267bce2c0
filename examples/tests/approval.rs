//! The approval, decided and not decided, with its activities replaced.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::time::Duration;

use durable::{Error, model::FailureKind, prelude::*};
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/approval.rs"]
mod example;

async fn hub() -> Result<TestHub, Error> {
    TestHub::builder()
        .activity("RequestApproval")
        .by(|_order: String| ())
        .activity("ProcessApproval")
        .by(|order: String, approved: bool| format!("{order} processed, {approved}"))
        .activity("Escalate")
        .by(|order: String| format!("{order} escalated"))
        .start()
        .await
}

async fn start(hub: &TestHub) -> Run<String> {
    let start = Call::<String>::orchestration("ApprovalWorkflow", "order-17").instance_id("order-17");
    hub.client().start(start).await.unwrap()
}

// R1:OVR-20, R1:OVR-23, R1:SMP-5, R1:TMR-9, R1:SKIP-12
#[tokio::test]
async fn a_decision_is_processed_at_once_and_the_timer_of_72_hours_is_cancelled() {
    for decision in [true, false] {
        let hub = hub().await.unwrap();
        let (began, run) = (hub.now(), start(&hub).await);
        hub.client().raise(&run, "approvalevent", decision).await.unwrap();
        assert_eq!(hub.output(&run).await.unwrap(), format!("order-17 processed, {decision}"));
        assert_eq!(hub.now(), began);
        assert!(!hub.history(&run).await.unwrap().names().contains(&"TimerFired"));
    }
}

// R1:OVR-20, R1:OVR-21, R1:SMP-5, R1:TMR-5
#[tokio::test]
async fn nobodys_decision_is_escalated_after_72_hours_and_the_abandoned_wait_holds_nothing_back() {
    let hub = hub().await.unwrap();
    let (began, run) = (hub.now(), start(&hub).await);
    assert_eq!(hub.output(&run).await.unwrap(), "order-17 escalated");
    assert_eq!(hub.now().duration_since(began), Duration::from_secs(72 * 3600));
}

// R1:EVT-6, R1:SKIP-45
#[tokio::test]
async fn a_decision_that_is_none_fails_the_workflow_and_not_its_sender() {
    let hub = hub().await.unwrap();
    let run = start(&hub).await;
    hub.client().raise(&run, "ApprovalEvent", "maybe".to_owned()).await.unwrap();
    match hub.output(&run).await.unwrap_err() {
        Error::Failed { failure, .. } => {
            assert_eq!(failure.kind(), FailureKind::Payload);
            assert!(failure.message().contains("ApprovalEvent"), "{failure}");
        }
        other => panic!("{other}"),
    }
}
