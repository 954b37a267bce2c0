//! The access table for entities: which context may do what with which value.

use std::time::Duration;

use durable::{
    activity,
    call::Entity,
    client::Client,
    context::{ActivityContext, CriticalSection, EntityContext, OrchestrationContext},
    entity,
    model::{EntityId, EntityName, Failure, RetryPolicy, Timestamp},
    orchestrator,
};
use serde::{Deserialize, Serialize};

#[activity]
async fn say_hello(city: String) -> String {
    city
}

#[orchestrator]
async fn other(_ctx: OrchestrationContext) -> bool {
    true
}

#[derive(Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[entity]
impl Account {
    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Counter;

#[entity]
impl Counter {
    fn get(&self) {}
}

async fn orchestration(mut ctx: OrchestrationContext) -> Result<(), Failure> {
    let account = Account::at("a");
    ctx.signal(say_hello::with("Tokyo"));
    ctx.signal(other::with());
    let _ = ctx.start(say_hello::with("Tokyo"));
    let _ = ctx.start(account.deposit(1));
    let _ = ctx.call(account.deposit(1).at(Timestamp::MAX)).await?;
    let _ = account.deposit(1).retry(RetryPolicy::new(1, Duration::ZERO));
    let _ = account.depositt(1);
    let _ = account.deposit("1");
    let _ = account.deposit();
    let _ = ctx.read(&account);
    let _ = ctx.lock("a").await?;
    let _ = ctx.lock([&account, &Counter::at("a")]).await?;
    Ok(())
}

async fn section(section: CriticalSection<'_>) {
    let _ = section.call(other::with());
    let _ = section.start(other::with());
    let _ = section.lock([&Account::at("a")]);
}

async fn of_an_entity(ctx: &EntityContext) {
    ctx.call(say_hello::with("Tokyo"));
    ctx.call(Account::at("a").deposit(1));
    ctx.signal(say_hello::with("Tokyo"));
    let _ = ctx.start(Account::at("a").deposit(1));
    let _ = ctx.lock([&Account::at("a")]);
}

async fn of_an_activity(ctx: ActivityContext) {
    let _ = ctx.signal(Account::at("a").deposit(1));
}

async fn of_a_client(client: &Client) {
    let _ = client.call(Account::at("a").deposit(1));
    let _ = client.lock([&Account::at("a")]);
    let _ = client.signal(say_hello::with("Tokyo"));
    let _ = client.signal(other::with());
    let _ = client.start(Account::at("a").deposit(1));
    let _ = client.read(&EntityId::of(&EntityName::literal("account"), "a"));
}

fn main() {
    let _ = (orchestration, section, of_an_entity, of_an_activity, of_a_client);
}
