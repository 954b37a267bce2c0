//! What the borrow of a critical section forbids (R2:ENT-60, ENT-61).

use durable::{call::Entity, context::OrchestrationContext, entity, model::Failure, orchestrator};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Account;

#[entity]
impl Account {
    fn get(&self) {}
}

#[orchestrator]
async fn other(_ctx: OrchestrationContext) -> bool {
    true
}

#[orchestrator]
async fn nested(mut ctx: OrchestrationContext) -> Result<(), Failure> {
    let (a, b) = (Account::at("a"), Account::at("b"));
    let section = ctx.lock([&a]).await?;
    let inner = ctx.lock([&b]).await?;
    drop(inner);
    section.call(a.get()).await
}

#[orchestrator]
async fn sub_orchestration(mut ctx: OrchestrationContext) -> Result<bool, Failure> {
    let _section = ctx.lock([&Account::at("a")]).await?;
    ctx.call(other::with()).await
}

#[orchestrator]
async fn again(mut ctx: OrchestrationContext) -> Result<(), Failure> {
    let _section = ctx.lock([&Account::at("a")]).await?;
    ctx.continue_as_new(again::with())
}

#[orchestrator]
async fn in_order(mut ctx: OrchestrationContext) -> Result<bool, Failure> {
    let section = ctx.lock([&Account::at("a")]).await?;
    section.call(Account::at("a").get()).await?;
    drop(section);
    ctx.call(other::with()).await
}

fn main() {}
