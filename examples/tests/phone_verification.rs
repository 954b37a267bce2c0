//! The phone verification with a gateway that sends 2168.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use durable::{Error, prelude::*};
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/phone_verification.rs"]
mod example;

async fn hub() -> Result<TestHub, Error> {
    TestHub::builder().activity("E4_SendSmsChallenge").by(|_phone: String| 2168).start().await
}

/// Runs it with these codes typed, and says how it ended and how many seconds it took.
async fn verified(codes: &[u16]) -> (bool, u64) {
    let hub = hub().await.unwrap();
    let began = hub.now();
    let start = Call::<bool>::orchestration("E4_SmsPhoneVerification", "+1 555 0100");
    let run = hub.client().start(start).await.unwrap();
    for code in codes {
        hub.client().raise(&run, "SmsChallengeResponse", *code).await.unwrap();
    }
    let verified = hub.output(&run).await.unwrap();
    assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Completed);
    (verified, hub.now().duration_since(began).as_secs())
}

// R1:SMS-3, R1:SMS-5, R1:SMS-9, R1:SMP-12, R1:SMS-7
#[tokio::test]
async fn the_right_code_verifies_and_does_not_wait_for_the_timer() {
    assert_eq!(verified(&[2168]).await, (true, 0));
}

// R1:SMS-4, R1:SMS-11, R1:SMS-8, R1:SKIP-10
#[tokio::test]
async fn codes_that_come_all_at_once_are_tried_in_order_each_by_a_wait_of_its_own() {
    assert_eq!(verified(&[1, 2, 3, 2168]).await, (true, 0));
}

// R1:SMS-4, R1:SMS-9, R1:SKIP-46
#[tokio::test]
async fn the_fourth_wrong_code_is_the_end_before_the_timer() {
    assert_eq!(verified(&[1, 2, 3, 4]).await, (false, 0));
}

// R1:SMS-3, R1:SMS-6, R1:SMS-9
#[tokio::test]
async fn the_time_of_90_seconds_is_one_for_all_tries() {
    assert_eq!(verified(&[]).await, (false, 90));
    assert_eq!(verified(&[1, 2]).await, (false, 90));
}

// R1:SMS-1
#[tokio::test]
async fn no_phone_number_fails() {
    let hub = hub().await.unwrap();
    for phone in [None, Some(""), Some(" ")] {
        let start = Call::<bool>::orchestration("E4_SmsPhoneVerification", phone);
        let error = hub.run(start).await.unwrap_err();
        assert!(error.to_string().contains("A phone number input is required."), "{error}");
    }
}

// R1:SMS-2, R1:SMS-10
#[tokio::test]
async fn the_gateways_own_code_has_at_most_four_digits_and_is_kept_in_history() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(Call::<bool>::orchestration("E4_SmsPhoneVerification", "1")).await.unwrap();
    assert!(!hub.output(&run).await.unwrap());
    let history = hub.history(&run).await.unwrap();
    let code = history.events().iter().find_map(|event| match &event.kind {
        durable::history::EventKind::TaskCompleted { result, .. } => result.read::<u16>().ok(),
        _ => None,
    });
    assert!(code.unwrap() < 10_000);
}
