//! What a client sees of an instance: its state while it runs and after, and what is left of it when
//! its worker goes.
//!
//! Begin with [`a_state_written_as_json_has_the_documents_fields_in_their_order`].

use std::time::Duration;

use durable::{Error, model::FailureKind, prelude::*};
use durable_testkit::TestHub;
use durable_tests::{Folder, functions::WORD, gates};
use futures::future::join;
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    completion_percentage: f64,
    status: &'static str,
}

/// Publishes twice without awaiting in between, then waits for a word.
#[orchestrator]
async fn publishes(ctx: OrchestrationContext, first: String) -> Result<Vec<String>, Failure> {
    ctx.set_custom_status(&"soon to be replaced")?;
    ctx.set_custom_status(&Progress { completion_percentage: 90.0, status: "Updating database records" })?;
    let second = ctx.wait_for(WORD).await?;
    ctx.sleep(Duration::from_secs(60)).await?;
    Ok(vec![first, second])
}

// R2:MGT-13 to R2:MGT-15, R2:MGT-23, R4:MGMT-30 to R4:MGMT-32, R4:MGMT-36
// R1:QS-6, R1:QS-7, R1:CHAIN-10, R1:SKIP-17, R1:ORCH-25
#[tokio::test]
async fn a_state_written_as_json_has_the_documents_fields_in_their_order() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(publishes::with("Tokyo").instance_id("i")).await.unwrap();
    let json = |state| serde_json::to_string(&state).unwrap();
    let at_first = json(run.state().await.unwrap().unwrap());
    hub.client().raise(&run, WORD, "Oslo".to_owned()).await.unwrap();
    hub.output(&run).await.unwrap();
    let ended = json(run.state().await.unwrap().unwrap());

    let fields = [
        r#""name":"publishes","#,
        r#""instanceId":"i","#,
        r#""runtimeStatus":"Completed","#,
        r#""input":"Tokyo","#,
        r#""customStatus":{"completionPercentage":90.0,"status":"Updating database records"},"#,
        r#""output":["Tokyo","Oslo"],"#,
        r#""createdTime":"2026-01-01T00:00:00Z","#,
        r#""lastUpdatedTime":"2026-01-01T00:01:00Z""#,
    ];
    let places: Vec<_> = fields.iter().map(|field| ended.find(field)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {ended}");
    assert!(at_first.contains(r#""output":null,"#), "what is not there yet is null: {at_first}");
}

// R1:CST-10, R2:MGT-16, R2:MGT-17, R2:MGT-18, R2:MGT-22, R4:MGMT-33 to R4:MGMT-35, R4:MGMT-97
// R1:FAN-9, R1:FAN-10, R3:DIAG-24, R3:DIAG-25, R3:DIAG-27, R1:CHAIN-9
#[tokio::test]
async fn while_it_runs_input_and_custom_status_are_seen_and_times_move_on() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(publishes::with("Tokyo")).await.unwrap();
    let begun = run.wait_for_start().await.unwrap();
    assert_eq!(begun.runtime_status, RuntimeStatus::Running);
    assert_eq!((begun.input.as_json(), begun.output.as_json()), (r#""Tokyo""#, "null"));
    let published = r#"{"completionPercentage":90.0,"status":"Updating database records"}"#;
    assert_eq!(begun.custom_status.as_json(), published, "the last one stands, to the letter");

    hub.client().raise(&run, WORD, "Oslo".to_owned()).await.unwrap();
    hub.output(&run).await.unwrap();
    let ended = run.state().await.unwrap().unwrap();
    assert_eq!(ended.created_time, begun.created_time);
    assert!(ended.last_updated_time > begun.last_updated_time);
    assert_eq!(ended.custom_status.as_json(), published, "it stays");
}

#[orchestrator]
async fn measures(_ctx: OrchestrationContext, text: String) -> usize {
    text.len()
}

// R1:QS-8, R1:ORCH-4, R1:ORCH-9, R3:TEST-8, R2:SNG-7, R2:MGT-3, R4:MGMT-16 to R4:MGMT-18
#[tokio::test]
async fn an_id_that_nobody_chose_is_32_hexadecimal_digits_and_new_each_time() {
    let hub = TestHub::start().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..100 {
        let run = hub.client().start(measures::with("a")).await.unwrap();
        let id = run.id().to_string();
        assert!(id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{id}");
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
}

#[tokio::test]
async fn a_payload_may_have_a_mebibyte_unless_the_hub_says_otherwise() {
    let hub = TaskHub::open("memory:").await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    // Two more bytes are the quotes.
    let most = (1 << 20) - 2;
    let run = hub.client().start(measures::with("x".repeat(most))).await.unwrap();
    assert_eq!(run.output().await.unwrap(), most);
    let refused = hub.client().start(measures::with("x".repeat(most + 1))).await.unwrap_err();
    let Error::Payload(failure) = refused else { panic!("{refused}") };
    assert_eq!(failure.kind(), FailureKind::TooLarge);
    assert!(failure.message().contains("1048577") && failure.message().contains("1048576"), "{failure}");
    worker.shut_down().await.unwrap();
}

#[activity]
async fn gated(gate: String) -> String {
    gates::count(&gate);
    gates::pass(&gate).await;
    gate
}

/// Tells when it has seen the first of its two results.
#[orchestrator]
async fn gathers(ctx: OrchestrationContext, key: String) -> Result<(String, String), Failure> {
    let (first, second) =
        (ctx.call(gated::with(format!("{key} first"))), ctx.call(gated::with(format!("{key} second"))));
    let first = async {
        let seen = first.await;
        gates::open(&format!("{key} seen"));
        seen
    };
    let (first, second) = join(first, second).await;
    Ok((first?, second?))
}

// R1:OVR-6, R1:OVR-11, R1:SKIP-36, R1:ORCH-2, R1:ORCH-10, R2:HUB-1
#[tokio::test]
async fn of_a_fan_out_that_is_interrupted_what_has_ended_does_not_run_again() {
    let folder = Folder::new("partial").unwrap();
    let (address, key) = (folder.hub("hub.db"), folder.path().display().to_string());
    let id = {
        let hub = TaskHub::open(&address).await.unwrap();
        let worker = hub.worker().grace_period(Duration::ZERO).start().await.unwrap();
        let run = hub.client().start(gathers::with(&key)).await.unwrap();
        gates::open(&format!("{key} first"));
        gates::pass(&format!("{key} seen")).await;
        worker.shut_down().await.unwrap();
        run.id().clone()
    };
    gates::open(&format!("{key} second"));
    let hub = TaskHub::open(&address).await.unwrap();
    let worker = hub.worker().start().await.unwrap();
    let run = hub.client().run::<(String, String)>(id).unwrap();
    assert_eq!(run.output().await.unwrap(), (format!("{key} first"), format!("{key} second")));
    assert_eq!(gates::counted(&format!("{key} first")), 1);
    worker.shut_down().await.unwrap();
}

// R2:MGT-2, R2:MGT-21, R2:MGT-29, R4:MGMT-12, R4:MGMT-38, R4:MGMT-43, R4:MGMT-167
// R2:HUB-2, R2:HUB-25, R2:HUB-26, R1:ORCH-4
#[tokio::test]
async fn another_hub_is_empty_and_the_first_keeps_what_it_has() {
    let folder = Folder::new("two-hubs").unwrap();
    let id = InstanceId::new("order-17").unwrap();
    for file in ["first.db", "second.db"] {
        let hub = TaskHub::open(folder.hub(file)).await.unwrap();
        assert!(hub.client().state(&id).await.unwrap().is_none());
        hub.client().start(measures::with(file).instance_id(&id)).await.unwrap();
    }
    let hub = TaskHub::open(folder.hub("first.db")).await.unwrap();
    let state = hub.client().state(&id).await.unwrap().unwrap();
    assert_eq!((state.input.as_json(), state.runtime_status), ("\"first.db\"", RuntimeStatus::Pending));
}
