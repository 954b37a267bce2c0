//! Critical sections come to their end, and leave no lock, whichever of their store's calls fails.

#![expect(clippy::unwrap_used, reason = "a run that cannot be set up ends the test")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use durable::{
    Error,
    call::Call,
    client::Client,
    context::{EntityContext, OrchestrationContext},
    embedded::EmbeddedProvider,
    model::{EntityId, Failure, InstanceId},
    provider::ProviderErrorKind,
    registry::Registry,
    worker::WorkerBuilder,
};
use durable_testkit::{Fault, FaultyProvider, VirtualClock};

fn account(key: &str) -> EntityId {
    EntityId::new("account", key).unwrap()
}

async fn adds(ctx: EntityContext) -> Result<(), Failure> {
    let amount: i64 = ctx.input()?;
    ctx.change_state(|balance: &mut i64| *balance += amount)
}

async fn transfer(mut ctx: OrchestrationContext, (from, to): (String, String)) -> Result<(), Failure> {
    let (from, to) = (account(&from), account(&to));
    let section = ctx.lock([&from, &to]).await?;
    section.call(from.operation("add", -1)).await?;
    section.call(to.operation("add", 1)).await?;
    drop(section);
    ctx.signal(account("fees").operation("add", 1));
    Ok(())
}

async fn holds(mut ctx: OrchestrationContext, (): ()) -> Result<(), Failure> {
    let section = ctx.lock([account("a"), account("c")]).await?;
    section.wait_for("never").await
}

/// Tries until the store has done it, or says that it has been done before.
async fn insists<T, F: Future<Output = Result<T, Error>>>(attempt: impl Fn() -> F) {
    loop {
        match attempt().await {
            Ok(_) => return,
            Err(Error::Provider(error))
                if matches!(error.kind, ProviderErrorKind::AlreadyExists | ProviderErrorKind::Ended) =>
            {
                return;
            }
            Err(error) => assert!(error.is_transient(), "{error}"),
        }
    }
}

/// Runs transfers beside an orchestration that is terminated in its section, with a fault at each call that `is_bad`;
/// gives the number of calls.
async fn run_with(is_bad: impl Fn(u64) -> bool + Send + Sync + 'static, fault: Fault, context: &str) -> u64 {
    let memory = EmbeddedProvider::in_memory(Arc::new(VirtualClock::new())).unwrap();
    let (is_armed, calls) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let (armed, counted) = (is_armed.clone(), calls.clone());
    let plan = move |_| {
        let call = counted.fetch_add(1, Ordering::SeqCst) + 1;
        (armed.load(Ordering::SeqCst) && is_bad(call)).then_some(fault)
    };
    let provider = Arc::new(FaultyProvider::new(Arc::new(memory), plan));
    let functions = Registry::builder().entity("account", adds).orchestrator("transfer", transfer);
    let functions = functions.orchestrator("holds", holds).build().unwrap();
    let worker = WorkerBuilder::new(provider.clone()).functions(functions).start().await.unwrap();
    let client = Client::new(provider.clone(), 1024);
    let holder: InstanceId = "holder".parse().unwrap();
    insists(|| async { client.start(Call::<()>::orchestration("holds", ()).instance_id("holder")).await })
        .await;
    let pairs = [("a", "b"), ("b", "a"), ("c", "a"), ("b", "c")];
    for (number, (from, to)) in pairs.into_iter().enumerate() {
        let id = format!("transfer-{number}");
        let call = || Call::<()>::orchestration("transfer", (from, to)).instance_id(id.clone());
        insists(|| async { client.start(call()).await }).await;
    }
    insists(|| async { client.terminate(&holder, "enough").await }).await;
    for number in 0..pairs.len() {
        let id: InstanceId = format!("transfer-{number}").parse().unwrap();
        client.run::<()>(id).unwrap().output().await.unwrap_or_else(|error| panic!("{context}: {error}"));
    }
    is_armed.store(false, Ordering::SeqCst);
    let balance = async |key| client.read_as::<i64>(&account(key)).await.unwrap().unwrap_or(0);
    // Nobody waits for the last signals and releases.
    while balance("fees").await < 4 {
        tokio::task::yield_now().await;
    }
    for (key, expected) in [("a", 1), ("b", -1), ("c", 0), ("fees", 4)] {
        assert_eq!(balance(key).await, expected, "{context}: {key}");
    }
    while !client.locks().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let all = calls.load(Ordering::SeqCst);
    worker.shut_down().await.unwrap();
    all
}

// R2:ENT-51, R2:ENT-54, R2:ENT-69
#[tokio::test]
async fn no_lock_stays_and_nothing_counts_twice_whichever_call_fails() {
    let calls = run_with(|_| false, Fault::Fails, "without a fault").await;
    for fault in [Fault::Fails, Fault::LosesTheAnswer] {
        for bad in 1..=calls {
            run_with(move |call| call == bad, fault, &format!("{fault:?} at call {bad}")).await;
        }
    }
}

#[tokio::test]
async fn no_lock_stays_and_nothing_counts_twice_though_every_third_call_fails() {
    for fault in [Fault::Fails, Fault::LosesTheAnswer] {
        for rest in 0..3 {
            run_with(move |call| call % 3 == rest, fault, &format!("{fault:?}, every third")).await;
        }
    }
}
