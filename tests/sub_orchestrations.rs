//! Orchestrations that call, start and message others.
//!
//! Both embedded stores, with kept sessions and without. Begin with
//! [`a_device_is_provisioned_by_an_orchestration_of_its_own`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use std::time::Duration;

use durable::{
    Error,
    history::{EventKind, History},
    model::FailureKind,
    prelude::*,
};
use durable_testkit::TestHub;
use durable_tests::{
    Folder, gates,
    places::{each_hub, until},
    well_formed,
};
use futures::future::try_join_all;

#[derive(Debug, thiserror::Error, serde::Serialize, serde::Deserialize, PartialEq)]
#[error("device {device} has no power")]
struct NoPower {
    device: u32,
}

#[activity]
async fn power_up(device: u32) -> Result<String, NoPower> {
    if device % 10 == 9 { Err(NoPower { device }) } else { Ok(format!("device {device}")) }
}

/// Waits for its device to say that it is ready.
#[orchestrator]
async fn provision(ctx: OrchestrationContext, device: u32) -> Result<String, Failure> {
    let name = ctx.call(power_up::with(device)).await?;
    let ready: bool = ctx.wait_for("DownloadCompletedAck").await?;
    Ok(format!("{name} {ready}"))
}

#[orchestrator]
async fn provision_all(ctx: OrchestrationContext, devices: Vec<u32>) -> Result<Vec<String>, Failure> {
    let under = |device: &u32| format!("{}-{device}", ctx.instance_id());
    try_join_all(devices.iter().map(|device| ctx.call(provision::with(*device).instance_id(under(device)))))
        .await
}

#[orchestrator]
async fn double(_ctx: OrchestrationContext, value: u64) -> u64 {
    value * 2
}

/// Recursion through the proxy: each level is an instance of its own.
#[orchestrator]
async fn walk(ctx: OrchestrationContext, depth: u64) -> Result<u64, Failure> {
    if depth == 0 { Ok(0) } else { Ok(1 + ctx.call(walk::with(depth - 1)).await?) }
}

#[orchestrator]
async fn fails_below(ctx: OrchestrationContext, device: u32) -> Result<String, Failure> {
    ctx.call(power_up::with(device)).await
}

#[orchestrator]
async fn catches(
    ctx: OrchestrationContext,
    device: u32,
) -> Result<(String, Option<NoPower>, Vec<String>), Failure> {
    let failure = ctx.call(fails_below::with(device)).await.unwrap_err();
    let mut chain = Vec::new();
    let mut next = Some(&failure);
    while let Some(failure) = next {
        chain.push(failure.function().map(ToString::to_string).unwrap_or_default());
        next = failure.cause();
    }
    Ok((failure.to_string(), failure.downcast(), chain))
}

#[orchestrator]
async fn waits_once(ctx: OrchestrationContext) -> Result<u32, Failure> {
    let _: () = ctx.wait_for("go").await?;
    Ok(1)
}

#[orchestrator]
async fn calls_one(ctx: OrchestrationContext, id: String) -> Result<u32, Failure> {
    ctx.call(waits_once::with().instance_id(id)).await
}

#[orchestrator]
async fn starts_and_messages(ctx: OrchestrationContext) -> Result<String, Failure> {
    let id = ctx.start(waits_once::with().tag("started by", ctx.instance_id().as_str()));
    ctx.send_event(&id, "go", ());
    Ok(id.to_string())
}

#[activity]
async fn shaky(gate: String) -> Result<u64, String> {
    gates::count(&gate);
    let count = gates::counted(&gate) as u64;
    if count < 3 { Err(format!("attempt {count}")) } else { Ok(count) }
}

#[orchestrator]
async fn shaky_child(ctx: OrchestrationContext, gate: String) -> Result<u64, Failure> {
    ctx.call(shaky::with(gate)).await
}

#[orchestrator]
async fn retries_child(ctx: OrchestrationContext, gate: String, id: Option<String>) -> Result<u64, Failure> {
    let child = shaky_child::with(gate);
    let child = match id {
        Some(id) => child.instance_id(id),
        None => child,
    };
    ctx.call(child.retry(RetryPolicy::new(5, Duration::from_secs(60)))).await
}

#[orchestrator]
async fn says_parent(ctx: OrchestrationContext) -> Result<Option<String>, Failure> {
    Ok(ctx.parent_id().map(ToString::to_string))
}

#[orchestrator]
async fn asks_parent(ctx: OrchestrationContext) -> Result<Option<String>, Failure> {
    ctx.call(says_parent::with()).await
}

#[orchestrator]
async fn waits_below(ctx: OrchestrationContext, levels: u32) -> Result<u32, Failure> {
    let id = format!("{}-below", ctx.instance_id());
    match levels {
        0 => ctx.wait_for("never").await,
        levels => ctx.call(waits_below::with(levels - 1).instance_id(id)).await,
    }
}

#[orchestrator]
async fn gives_up_waiting(ctx: OrchestrationContext) -> Result<u32, Failure> {
    ctx.call(waits_below::with(0).timeout(Duration::from_secs(3600))).await
}

#[orchestrator]
async fn calls_itself_by_id(ctx: OrchestrationContext) -> Result<u32, Failure> {
    let own = ctx.instance_id().clone();
    ctx.call(waits_below::with(0).instance_id(own)).await
}

fn children(history: &History) -> Vec<InstanceId> {
    let child = |kind: &EventKind| match kind {
        EventKind::SubOrchestrationInstanceCreated(child) => Some(child.instance.clone()),
        _ => None,
    };
    history.events().iter().filter_map(|event| child(&event.kind)).collect()
}

// R1:SUB-1, R1:SUB-2, R1:SUB-4, R1:SUB-6
#[tokio::test]
async fn a_device_is_provisioned_by_an_orchestration_of_its_own() {
    let folder = Folder::new("provision").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(provision_all::with(vec![1, 2, 3]).instance_id("site")).await.unwrap();
        for device in 1..=3 {
            let child = client.run(provision::at(format!("site-{device}"))).unwrap();
            while child.state().await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
            client.raise(&child, "DownloadCompletedAck", device == 2).await.unwrap();
        }
        assert_eq!(run.output().await.unwrap(), ["device 1 false", "device 2 true", "device 3 false"]);
        let history = run.history().await.unwrap();
        assert!(well_formed(&history).unwrap().is_empty());
        let child = client.run(provision::at("site-2")).unwrap();
        let started = child.history().await.unwrap();
        let parent = started.started().unwrap().parent.clone().unwrap();
        assert_eq!(
            (parent.instance.as_str(), parent.task.as_i32(), parent.name.as_str()),
            ("site", 1, "provision_all")
        );
        assert_eq!(child.output().await.unwrap(), "device 2 true");
        worker.shut_down().await.unwrap();
    }
}

// R1:SUB-8, R1:SKIP-38
#[tokio::test]
async fn an_id_that_nobody_chose_follows_from_the_execution_and_the_call() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(walk::with(3_u64).instance_id("top")).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), 3);
    let history = run.history().await.unwrap();
    let execution = run.state().await.unwrap().unwrap().execution_id;
    assert_eq!(children(&history), [InstanceId::new(format!("{execution}:0")).unwrap()]);
}

// R1:SUB-2, R2:ERR-2
#[tokio::test]
async fn a_failure_keeps_its_chain_and_its_type_through_every_level() {
    let hub = TestHub::start().await.unwrap();
    let (text, typed, chain) = hub.run(catches::with(19_u32)).await.unwrap();
    assert_eq!(text, "`fails_below` failed: `power_up` failed: device 19 has no power");
    assert_eq!(typed, Some(NoPower { device: 19 }));
    assert_eq!(chain, ["fails_below", "power_up"]);
}

// R1:SUB-3, R2:ERR-6, R2:ERR-14
#[tokio::test]
async fn a_failed_sub_orchestration_is_tried_again_as_a_new_instance_or_under_the_same_id() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(retries_child::with("fresh ids", None::<String>)).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), 3);
    let ids = children(&run.history().await.unwrap());
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1] && ids[1] != ids[2]);

    let run = hub.client().start(retries_child::with("one id", Some("chosen".to_owned()))).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), 3);
    let state = hub.client().state(&InstanceId::new("chosen").unwrap()).await.unwrap().unwrap();
    assert_eq!((state.runtime_status, state.generation), (RuntimeStatus::Completed, 2));
}

#[tokio::test]
async fn an_id_that_a_live_instance_has_fails_the_call_and_the_instance_goes_on() {
    let hub = TestHub::start().await.unwrap();
    let taken = hub.client().start(waits_once::with().instance_id("taken")).await.unwrap();
    let error = hub.run(calls_one::with("taken")).await.unwrap_err();
    let Error::Failed { failure, .. } = error else { panic!("{error:?}") };
    assert_eq!(failure.kind(), FailureKind::IdTaken);
    assert!(failure.message().contains("`taken` exists"), "{failure}");
    hub.client().raise(&taken, "go", ()).await.unwrap();
    assert_eq!(hub.output(&taken).await.unwrap(), 1);
    // The id of one that has ended may be used again (DECISIONS 17).
    let run = hub.client().start(calls_one::with("taken")).await.unwrap();
    let again = hub.client().run(waits_once::at("taken")).unwrap();
    while again.state().await.unwrap().unwrap().generation == 0 {
        tokio::task::yield_now().await;
    }
    hub.client().raise(&again, "go", ()).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), 1);
}

// R1:SUB-8: the parent's own id is refused.
#[tokio::test]
async fn an_orchestration_cannot_call_itself_by_its_own_id() {
    let hub = TestHub::start().await.unwrap();
    let error = hub.run(calls_itself_by_id::with().instance_id("me")).await.unwrap_err();
    let Error::Failed { failure, .. } = error else { panic!("{error:?}") };
    assert_eq!(failure.kind(), FailureKind::IdTaken);
}

// R1:EVT-9: between orchestrations.
#[tokio::test]
async fn what_is_only_started_is_not_waited_for_and_gets_events_sent_with_the_same_checkpoint() {
    let folder = Folder::new("started").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(starts_and_messages::with()).await.unwrap();
        let id = run.output().await.unwrap();
        let child = client.run(waits_once::at(id)).unwrap();
        assert_eq!(child.output().await.unwrap(), 1);
        let state = child.state().await.unwrap().unwrap();
        assert_eq!(state.tags["started by"], run.id().as_str());
        assert!(child.history().await.unwrap().started().unwrap().parent.is_none());
        worker.shut_down().await.unwrap();
    }
}

#[tokio::test]
async fn a_child_knows_its_parent() {
    let hub = TestHub::start().await.unwrap();
    assert_eq!(hub.run(says_parent::with()).await.unwrap(), None);
    let asked = hub.run(asks_parent::with().instance_id("mother")).await.unwrap();
    assert_eq!(asked.as_deref(), Some("mother"));
}

// R2:MGT-43, R4:MGMT-64; DECISIONS 11
#[tokio::test]
async fn terminating_takes_the_children_along_only_when_asked_to() {
    let folder = Folder::new("recursive").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let ids = ["top", "top-below", "top-below-below"];
        let run = client.start(waits_below::with(2_u32).instance_id("top")).await.unwrap();
        let runs = ids.map(|id| client.run(waits_below::at(id)).unwrap());
        for run in &runs {
            while run.state().await.unwrap().is_none() {
                tokio::task::yield_now().await;
            }
            until(run, RuntimeStatus::Running).await;
        }
        run.terminate_recursively("enough").await.unwrap();
        for run in &runs {
            let error = run.output().await.unwrap_err();
            assert!(matches!(&error, Error::Terminated { reason, .. } if reason == "enough"), "{error:?}");
        }

        let run = client.start(waits_below::with(1_u32).instance_id("top")).await.unwrap();
        until(&runs[1], RuntimeStatus::Running).await;
        run.terminate("alone").await.unwrap();
        run.output().await.unwrap_err();
        assert_eq!(until(&runs[1], RuntimeStatus::Running).await.runtime_status, RuntimeStatus::Running);
        worker.shut_down().await.unwrap();
    }
}

// A child that somebody ends fails its parent's call.
#[tokio::test]
async fn the_parent_of_a_terminated_child_hears_of_it() {
    let folder = Folder::new("orphaned").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(waits_below::with(1_u32).instance_id("top")).await.unwrap();
        let child = client.run(waits_below::at("top-below")).unwrap();
        while child.state().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.terminate("gone").await.unwrap();
        let error = run.output().await.unwrap_err();
        let Error::Failed { failure, .. } = error else { panic!("{error:?}") };
        assert_eq!(failure.kind(), FailureKind::Terminated);
        assert!(failure.message().contains("gone"), "{failure}");
        worker.shut_down().await.unwrap();
    }
}

#[tokio::test]
async fn a_call_that_takes_too_long_fails_and_its_late_answer_is_dropped() {
    let hub = TestHub::start().await.unwrap();
    let run = hub.client().start(gives_up_waiting::with()).await.unwrap();
    let passing = hub.passing_time(async {
        loop {
            let history = run.history().await.unwrap();
            if history.names().contains(&"TimerFired") {
                break children(&history).remove(0);
            }
            tokio::task::yield_now().await;
        }
    });
    let child = passing.await;
    // The instance completes after what it asked for (DECISIONS 8).
    hub.client().raise(&child, "never", 7).await.unwrap();
    let error = hub.output(&run).await.unwrap_err();
    let Error::Failed { failure, .. } = error else { panic!("{error:?}") };
    assert_eq!(failure.kind(), FailureKind::TimedOut);
}

#[tokio::test]
async fn a_child_goes_on_over_a_restart_and_answers() {
    let folder = Folder::new("restart").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(calls_one::with("child")).await.unwrap();
        let id = run.id().clone();
        let child = client.run(waits_once::at("child")).unwrap();
        while child.state().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        worker.shut_down().await.unwrap();
        drop((client, run, child));
        let place = place.reopened().await;
        let client = place.hub.client();
        let child = client.run(waits_once::at("child")).unwrap();
        client.raise(&child, "go", ()).await.unwrap();
        let worker = place.worker().await;
        assert_eq!(client.run(calls_one::at(id)).unwrap().output().await.unwrap(), 1);
        worker.shut_down().await.unwrap();
    }
}

// R1:ORCH-27
#[tokio::test]
async fn many_children_side_by_side() {
    #[orchestrator]
    async fn many(ctx: OrchestrationContext, count: u64) -> Result<u64, Failure> {
        let calls: Vec<_> = (0..count).map(|value| ctx.call(double::with(value))).collect();
        Ok(try_join_all(calls).await?.into_iter().sum())
    }
    let folder = Folder::new("many").unwrap();
    for place in each_hub(&folder).await {
        let worker = place.worker().await;
        let run = place.hub.client().start(many::with(200_u64)).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 200 * 199);
        worker.shut_down().await.unwrap();
    }
}

/// Calls an orchestrator that only another program has.
#[orchestrator]
async fn calls_a_stranger(ctx: OrchestrationContext) -> Result<u64, Failure> {
    let stranger = Call::<u64>::orchestration("stranger", 21_u64).instance_id("stranger");
    ctx.call(stranger).await
}

// R1:SUB-7; DECISIONS 21: the child stays pending, seen by whoever looks, until a worker has it.
#[tokio::test]
async fn a_child_whose_orchestrator_is_unknown_waits_for_a_worker_that_has_it() {
    let folder = Folder::new("stranger").unwrap();
    for place in each_hub(&folder).await {
        let (worker, client) = (place.worker().await, place.hub.client());
        let run = client.start(calls_a_stranger::with()).await.unwrap();
        let child = client.run::<u64>(InstanceId::new("stranger").unwrap()).unwrap();
        while child.state().await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        // Later in line: when it has ended, the child was looked at and set aside.
        client.start(double::with(1_u64)).await.unwrap().output().await.unwrap();
        assert_eq!(child.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Pending);
        assert_eq!(run.state().await.unwrap().unwrap().runtime_status, RuntimeStatus::Running);
        worker.shut_down().await.unwrap();

        let doubles = |_: OrchestrationContext, value: u64| async move { Ok::<_, Failure>(value * 2) };
        let functions = Registry::builder().add::<calls_a_stranger>().orchestrator("stranger", doubles);
        let worker = place.hub.worker().functions(functions.build().unwrap()).start().await.unwrap();
        assert_eq!(run.output().await.unwrap(), 42);
        worker.shut_down().await.unwrap();
    }
}
