//! The clean-up that never ends, watched for three rounds in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use durable::{Error, call::OrchestrationCall, prelude::*};
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/eternal_clean_up.rs"]
mod example;

/// Half an hour of work and an hour of rest.
const ROUND: Duration = Duration::from_secs(90 * 60);

// R2:ETE-4, R2:ETE-7 to R2:ETE-10, R2:ETE-12, R1:TMR-6, R1:TMR-8, R2:ETE-2
#[tokio::test]
async fn every_round_begins_an_hour_after_the_one_before_has_ended_until_it_is_ended_from_outside() {
    let cleaned = Arc::new(Mutex::new(Vec::new()));
    let log = cleaned.clone();
    let clean_up = move |round: u32| log.lock().unwrap().push(round);
    let hub = TestHub::builder().activity("DoCleanup").by(clean_up).start().await.unwrap();
    let began = hub.now();
    let start = || -> OrchestrationCall<()> {
        Call::orchestration("Periodic_Cleanup_Loop", 0).instance_id("StaticId")
    };
    let run = hub.client().start(start()).await.unwrap();
    let second = hub.client().start(start()).await;
    assert!(second.unwrap_err().to_string().contains("StaticId"), "while it runs, it runs once");

    let mut executions = vec![run.state().await.unwrap().unwrap().execution_id];
    let mut rounds = 0;
    while rounds < 3 {
        hub.passing_time(tokio::task::yield_now()).await;
        let state = run.wait_for_start().await.unwrap();
        rounds = state.input.read().unwrap();
        executions.push(state.execution_id);
        let history = hub.history(&run).await.unwrap();
        assert!(history.events().len() < 16, "each execution begins with an empty history");
    }
    executions.dedup();
    assert!(executions.len() > 1, "each execution has an id of its own");
    assert!(hub.now().duration_since(began) >= 3 * ROUND);
    assert!(cleaned.lock().unwrap().starts_with(&[1, 2, 3]));

    run.terminate("we move").await.unwrap();
    let ended = hub.output(&run).await;
    assert!(matches!(ended, Err(Error::Terminated { .. })), "{ended:?}");
    hub.client().start(start()).await.unwrap();
}
