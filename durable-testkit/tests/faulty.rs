//! An orchestration comes to its end whichever of its store's calls fails.

#![expect(clippy::unwrap_used, reason = "a run that cannot be set up ends the test")]

use std::sync::Arc;

use durable::{
    call::Call, client::Client, context::OrchestrationContext, embedded::EmbeddedProvider, history::History,
    model::Failure, provider::ProviderErrorKind, registry::Registry, worker::WorkerBuilder,
};
use durable_testkit::{Fault, FaultyProvider, VirtualClock};

fn functions() -> Registry {
    Registry::builder()
        .activity("double", |_ctx, number: u32| async move { Ok::<_, Failure>(number * 2) })
        .orchestrator("three_steps", |ctx: OrchestrationContext, mut number: u32| async move {
            for _ in 0..3 {
                ctx.sleep(std::time::Duration::from_secs(60)).await?;
                number = ctx.call(Call::<u32>::activity("double", number)).await?;
            }
            Ok::<_, Failure>(number)
        })
        .build()
        .unwrap()
}

/// Runs `three_steps` with a fault at each call of `faults`, and gives the output, the history, and
/// how many calls were made.
async fn run_with(faults: Vec<u64>, fault: Fault, always_replay: bool) -> (u32, History, u64) {
    let memory = EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap();
    let plan = move |call| faults.contains(&call).then_some(fault);
    let provider = Arc::new(FaultyProvider::new(Arc::new(memory), plan));
    let worker = WorkerBuilder::new(provider.clone()).functions(functions()).always_replay(always_replay);
    let worker = worker.start().await.unwrap();
    let client = Client::new(provider.clone(), 1024);
    let call = || Call::<u32>::orchestration("three_steps", 1_u32).instance_id("a");
    let run = match client.start(call()).await {
        Ok(run) => run,
        Err(error) => {
            assert!(error.is_transient(), "{error}");
            match client.start(call()).await {
                Ok(run) => run,
                Err(durable::Error::Provider(error)) if error.kind == ProviderErrorKind::AlreadyExists => {
                    client.run("a".parse::<durable::model::InstanceId>().unwrap()).unwrap()
                }
                Err(error) => panic!("{error}"),
            }
        }
    };
    let (output, history) = (run.output().await.unwrap(), run.history().await.unwrap());
    worker.shut_down().await.unwrap();
    (output, history, provider.writes())
}

fn insist_on_one_end_of_everything(history: &History, context: &str) {
    let names = history.names();
    let count = |name: &str| names.iter().filter(|other| **other == name).count();
    for name in ["TaskScheduled", "TaskCompleted", "TimerCreated", "TimerFired"] {
        assert_eq!(count(name), 3, "{context}: {name} in {names:?}");
    }
    assert_eq!((count("ExecutionStarted"), count("ExecutionCompleted")), (1, 1), "{context}: {names:?}");
}

#[tokio::test]
async fn it_ends_right_whichever_call_fails() {
    let (output, history, calls) = run_with(Vec::new(), Fault::Fails, false).await;
    assert_eq!(output, 8);
    insist_on_one_end_of_everything(&history, "without a fault");
    for fault in [Fault::Fails, Fault::LosesTheAnswer] {
        for call in 1..=calls {
            for always_replay in [false, true] {
                let (output, history, _) = run_with(vec![call], fault, always_replay).await;
                let context = format!("{fault:?} at call {call}");
                assert_eq!(output, 8, "{context}");
                insist_on_one_end_of_everything(&history, &context);
            }
        }
    }
}

#[tokio::test]
async fn it_ends_right_though_every_third_call_fails() {
    for fault in [Fault::Fails, Fault::LosesTheAnswer] {
        let faults = (1..1000).filter(|call| call % 3 == 2).collect();
        let (output, history, _) = run_with(faults, fault, true).await;
        assert_eq!(output, 8);
        insist_on_one_end_of_everything(&history, "every third");
    }
}
