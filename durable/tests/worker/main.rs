//! What a worker does with a store that fails, and how it comes and goes.
//!
//! Knows the provider contract, and no store's insides. Begin with [`faulty::Faulty`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

mod entities;
mod faulty;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, atomic::Ordering},
    task::{Poll, Waker},
    time::Duration,
};

use durable::{
    model::FailureKind,
    prelude::*,
    provider::{ProviderErrorKind, WorkStore},
    worker::WorkerOptions,
};
use tokio::sync::Semaphore;

use crate::faulty::Faulty;

#[activity]
async fn double(number: u64) -> u64 {
    number * 2
}

#[orchestrator]
async fn quadruple(ctx: OrchestrationContext, number: u64) -> Result<u64, Failure> {
    let doubled = ctx.call(double::with(number)).await?;
    ctx.call(double::with(doubled)).await
}

static REACHED: Semaphore = Semaphore::const_new(0);
static GATE: Semaphore = Semaphore::const_new(0);

#[activity]
async fn gated() {
    REACHED.add_permits(1);
    drop(GATE.acquire().await);
}

#[orchestrator]
async fn waits_at_gate(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(gated::with()).await
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[activity]
async fn cannot_be_dropped() {
    let _held = PanicsWhenDropped;
    std::future::pending::<()>().await;
}

#[orchestrator]
async fn calls_what_cannot_be_dropped(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(cannot_be_dropped::with()).await
}

static LEAKED: Mutex<Option<Waker>> = Mutex::new(None);

/// Leaves its waker with somebody outside, as a wait for a foreign channel does.
#[orchestrator]
async fn leaks_its_waker(ctx: OrchestrationContext) -> Result<(), Failure> {
    let foreign = std::future::poll_fn(|cx| {
        *LEAKED.lock().unwrap() = Some(cx.waker().clone());
        Poll::<()>::Pending
    });
    let word = ctx.wait_for(Event::<()>::new("word"));
    futures::future::join(foreign, word).await.1
}

fn hub() -> (Arc<Faulty>, TaskHub) {
    let store = Faulty::new();
    (store.clone(), TaskHub::with_provider(store))
}

#[tokio::test]
async fn no_two_workers_of_a_process_give_one_name_to_two_checkpoints() {
    let (store, hub) = hub();
    for _ in 0..2 {
        let worker = hub.worker().start().await.unwrap();
        hub.client().start(quadruple::with(1)).await.unwrap().output().await.unwrap();
        worker.shut_down().await.unwrap();
    }
    let tags: Vec<_> = store.tags.lock().unwrap().iter().map(|tag| tag.0).collect();
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "{tags:?}");
}

#[tokio::test]
async fn a_store_that_is_out_of_reach_for_long_makes_no_poison_of_what_it_keeps() {
    let (store, hub) = hub();
    let mut options = WorkerOptions::default();
    options.max_attempts = 3;
    options.always_replay = true;
    let worker = hub.worker().options(options).start().await.unwrap();
    store.unreadable.store(10, Ordering::SeqCst);
    let run = hub.client().start(quadruple::with(5)).await.unwrap();
    assert_eq!(run.output().await.unwrap(), 20);
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_worker_can_leave_a_store_that_is_out_of_reach() {
    let (store, hub) = hub();
    let worker = hub.worker().start().await.unwrap();
    store.is_unreachable.store(true, Ordering::SeqCst);
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_dropped_worker_makes_room_for_the_next() {
    let (_, hub) = hub();
    for number in 0..20 {
        let worker = hub.worker().start().await.unwrap();
        let run = hub.client().start(quadruple::with(number)).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 4 * number);
        drop(worker);
    }
}

#[test]
fn a_worker_may_be_dropped_where_another_executor_runs() {
    let (_, hub) = hub();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let worker = runtime.block_on(hub.worker().start()).unwrap();
    futures::executor::block_on(async { drop(worker) });
}

#[tokio::test]
async fn a_shutdown_that_is_given_up_leaves_no_task_behind() {
    let (store, hub) = hub();
    let worker = hub.worker().start().await.unwrap();
    hub.client().start(waits_at_gate::with()).await.unwrap();
    REACHED.acquire().await.unwrap().forget();
    let mut leaving = Box::pin(worker.shut_down());
    assert!(futures::poll!(&mut leaving).is_pending());
    // The store answers in order: now it has answered the worker, too.
    store.end_work().await;
    assert!(futures::poll!(&mut leaving).is_pending(), "it waits for the activity");
    drop(leaving);
    GATE.add_permits(1);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}

#[tokio::test]
async fn an_activity_that_panics_when_it_is_broken_off_is_answered_all_the_same() {
    let (_, hub) = hub();
    let worker = hub.worker().activity_timeout(Duration::from_millis(5)).start().await.unwrap();
    let run = hub.client().start(calls_what_cannot_be_dropped::with()).await.unwrap();
    let Err(durable::Error::Failed { failure, .. }) = run.output().await else { panic!("it did not fail") };
    assert_eq!(failure.kind(), FailureKind::Panicked);
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_waker_that_outlives_its_worker_keeps_no_store_open() {
    let (store, hub) = hub();
    let worker = hub.worker().start().await.unwrap();
    hub.client().start(leaks_its_waker::with()).await.unwrap().wait_for_start().await.unwrap();
    worker.shut_down().await.unwrap();
    drop(hub);
    assert!(LEAKED.lock().unwrap().is_some());
    assert_eq!(Arc::strong_count(&store), 1);
}

/// Whether some lock was renewed three times since `from` renewals had been seen.
fn was_renewed(store: &Faulty, from: usize) -> bool {
    let renewed = store.renewed.lock().unwrap();
    let since = &renewed[from..];
    since.iter().any(|lock| since.iter().filter(|other| *other == lock).count() >= 3)
}

#[activity]
async fn outlasts_its_lock(ctx: ActivityContext) -> Result<(), Failure> {
    let store = ctx.service::<Arc<Faulty>>()?;
    let before = store.renewed.lock().unwrap().len();
    while !was_renewed(&store, before) {
        tokio::task::yield_now().await;
    }
    Ok(())
}

#[orchestrator]
async fn calls_what_outlasts_its_lock(ctx: OrchestrationContext) -> Result<(), Failure> {
    ctx.call(outlasts_its_lock::with()).await
}

// R3:BIND-8
#[tokio::test]
async fn a_worker_renews_the_locks_of_what_takes_longer_than_they_last() {
    let (store, hub) = hub();
    store.locks_last.set(Duration::from_millis(3)).unwrap();
    let worker = hub.worker().service(store.clone()).start().await.unwrap();
    let run = hub.client().start(calls_what_outlasts_its_lock::with()).await.unwrap();
    run.output().await.unwrap();
    worker.shut_down().await.unwrap();
    let renewed = store.renewed.lock().unwrap().clone();
    assert!(was_renewed(&store, 0), "{renewed:?}");
    let last = *renewed.last().unwrap();
    let error = store.renew(last).await.unwrap_err();
    assert_eq!(error.kind, ProviderErrorKind::LockLost, "nothing is out any more");
}
