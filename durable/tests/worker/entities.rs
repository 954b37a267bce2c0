//! Entities on a store that fails: no operation is given up for it, and no lock stays.

use std::sync::{Arc, atomic::Ordering};

use durable::{
    entity::message,
    history::{LockOwner, LockRequest, RequestBody, RequestId},
    prelude::*,
    provider::InstanceStore,
    worker::{Worker, WorkerOptions},
};

use crate::faulty::Faulty;

async fn counter(ctx: EntityContext) -> Result<(), Failure> {
    ctx.change_state(|count: &mut i64| *count += 1)?;
    ctx.return_value(ctx.state::<i64>()?);
    Ok(())
}

fn id(key: &str) -> EntityId {
    EntityId::new("counter", key).unwrap()
}

#[orchestrator]
async fn counts(ctx: OrchestrationContext) -> Result<i64, Failure> {
    ctx.call(EntityId::new("counter", "a")?.operation("add", ()).returning()).await
}

#[orchestrator]
async fn locks(mut ctx: OrchestrationContext) -> Result<(), Failure> {
    let section = ctx.lock(EntityId::new("counter", "a")?).await?;
    section.set_custom_status(&"locked")?;
    section.wait_for("end").await
}

/// Is out of order once it has counted to two.
#[derive(Default, Clone, serde::Serialize, serde::Deserialize)]
struct Fragile {
    count: u32,
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.count < 2 || std::thread::panicking(), "dropped");
    }
}

#[entity]
impl Fragile {
    fn add(&mut self) -> u32 {
        self.count += 1;
        self.count
    }

    async fn add_later(&mut self) -> u32 {
        tokio::task::yield_now().await;
        self.add()
    }
}

#[orchestrator]
async fn counts_fragile(ctx: OrchestrationContext) -> Result<u32, Failure> {
    ctx.call(Fragile::at("a").add()).await
}

#[orchestrator]
async fn counts_fragile_later(ctx: OrchestrationContext) -> Result<u32, Failure> {
    ctx.call(Fragile::at("b").add_later()).await
}

async fn worked() -> (Arc<Faulty>, TaskHub, Worker) {
    let (store, hub) = crate::hub();
    let mut options = WorkerOptions::default();
    options.max_attempts = 3;
    options.always_replay = true;
    let functions = Registry::builder().discover().entity("counter", counter).build().unwrap();
    let worker = hub.worker().functions(functions).options(options).start().await.unwrap();
    (store, hub, worker)
}

#[tokio::test]
async fn a_store_that_is_out_of_reach_for_long_makes_no_poison_of_operations() {
    let (store, hub, worker) = worked().await;
    assert_eq!(hub.client().start(counts::with()).await.unwrap().output().await.unwrap(), 1);
    store.unreadable.store(10, Ordering::SeqCst);
    assert_eq!(hub.client().start(counts::with()).await.unwrap().output().await.unwrap(), 2);
    worker.shut_down().await.unwrap();
}

async fn is_locked(run: &Run<()>) {
    while run.state().await.unwrap().unwrap().custom_status.as_json() != r#""locked""# {
        tokio::task::yield_now().await;
    }
}

// R2:ENT-69: only the entities still know of its locks.
#[tokio::test]
async fn who_is_terminated_and_cannot_be_read_leaves_no_lock_to_those_who_wait_already() {
    let (store, hub, worker) = worked().await;
    let client = hub.client();
    let holder = client.start(locks::with()).await.unwrap();
    is_locked(&holder).await;
    let waiter = client.start(locks::with()).await.unwrap();
    while client.locks().await.unwrap()[0].awaited.is_empty() {
        tokio::task::yield_now().await;
    }
    *store.damaged.lock().unwrap() = Some(holder.id().clone());
    client.terminate(&holder, "damaged").await.unwrap();
    is_locked(&waiter).await;
    client.raise(&waiter, "end", ()).await.unwrap();
    waiter.output().await.unwrap();
    worker.shut_down().await.unwrap();
}

#[tokio::test]
async fn an_owner_that_cannot_be_looked_up_is_looked_up_again() {
    let (store, hub, worker) = worked().await;
    let client = hub.client();
    let owner = LockOwner {
        instance: InstanceId::new("ghost").unwrap(),
        execution: None,
        section: RequestId::Foreign("1".to_owned()),
    };
    let request = LockRequest { owner, set: vec![id("a")], position: 0 };
    let at = Timestamp::UNIX_EPOCH;
    store.send(message::to_entity(&id("a"), None, RequestBody::Lock(request), at)).await.unwrap();
    while client.locks().await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let asking = client.start(counts::with()).await.unwrap();
    store.unknown.store(2, Ordering::SeqCst);
    assert_eq!(asking.output().await.unwrap(), 1);
    worker.shut_down().await.unwrap();
}

// The worker and all other instances go on, and the caller hears of it.
#[tokio::test]
async fn an_entity_that_panics_when_it_is_dropped_fails_its_operation_only() {
    let (_, hub, worker) = worked().await;
    let client = hub.client();
    assert_eq!(client.start(counts_fragile::with()).await.unwrap().output().await.unwrap(), 1);
    assert!(client.start(counts_fragile::with()).await.unwrap().output().await.is_err());
    assert_eq!(client.start(counts_fragile_later::with()).await.unwrap().output().await.unwrap(), 1);
    assert!(client.start(counts_fragile_later::with()).await.unwrap().output().await.is_err());
    assert_eq!(client.start(counts::with()).await.unwrap().output().await.unwrap(), 1);
    worker.shut_down().await.unwrap();
}
