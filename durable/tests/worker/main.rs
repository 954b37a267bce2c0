//! What a worker does with a store that fails, and how it comes and goes.
//!
//! Knows the provider contract, and no store's insides. Begin with [`faulty::Faulty`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

mod faulty;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use durable::{prelude::*, worker::WorkerOptions};

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
