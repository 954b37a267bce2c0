//! Entities by `#[entity]`, from a client and an orchestration to the store and back: the example of the
//! design, and an interface.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

use durable::{call::Implements, prelude::*};
use durable_tests::{Folder, places::each_hub};
use serde::{Deserialize, Serialize};

#[derive(Default, Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("there are {has} only")]
struct Overdrawn {
    has: i64,
}

#[entity]
impl Account {
    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    async fn withdraw(&mut self, amount: i64) -> Result<(), Overdrawn> {
        tokio::task::yield_now().await;
        let has = self.balance;
        self.balance -= amount;
        if self.balance < 0 { Err(Overdrawn { has }) } else { Ok(()) }
    }

    fn balance(&self) -> i64 {
        self.balance
    }

    fn close(self, ctx: &EntityContext, to: String) -> i64 {
        ctx.signal(Self::at(to).deposit(self.balance));
        ctx.start(farewell::with(ctx.entity_id().clone()));
        self.balance
    }
}

#[orchestrator]
async fn farewell(ctx: OrchestrationContext, of: EntityId) -> Result<String, Failure> {
    ctx.signal(notes::at("farewells").operation("note", &of));
    Ok(format!("goodbye {of}"))
}

#[entity]
async fn notes(ctx: EntityContext) -> Result<(), Failure> {
    let note: String = ctx.input()?;
    ctx.change_state(|notes: &mut Vec<String>| notes.push(note))
}

#[orchestrator]
async fn pay(mut ctx: OrchestrationContext, from: String, to: String, amount: i64) -> Result<bool, Failure> {
    let (from, to) = (Account::at(from), Account::at(to));
    let section = ctx.lock([&from, &to]).await?;
    if section.call(from.balance()).await? < amount {
        return Ok(false);
    }
    section.call(from.withdraw(amount)).await?;
    section.call(to.deposit(amount)).await?;
    Ok(true)
}

#[orchestrator]
async fn overdraw(ctx: OrchestrationContext, of: String) -> Result<i64, Failure> {
    let refused = ctx.call(Account::at(&of).withdraw(1_000)).await.unwrap_err();
    let overdrawn = refused.downcast::<Overdrawn>().ok_or(refused)?;
    Ok(overdrawn.has)
}

#[orchestrator]
async fn close(ctx: OrchestrationContext, of: String, to: String) -> Result<i64, Failure> {
    ctx.call(Account::at(of).close(to)).await
}

// R2:ENT-5, ENT-7, ENT-26, ENT-31, ENT-27, ENT-49; R3:ENT-4, ENT-12, ENT-15, ENT-19, ENT-31; R1:OVR-30, R1:TYP-1, TYP-9
#[tokio::test]
async fn money_moves_between_typed_accounts() {
    let folder = Folder::new("typed").unwrap();
    for place in each_hub(&folder).await {
        let worker = place.worker().await;
        let client = place.hub.client();
        let (ada, bob) = (Account::at("ada"), Account::at("bob"));
        assert_eq!(client.read(&ada).await.unwrap(), None);
        client.signal(ada.deposit(100)).await.unwrap();
        assert!(client.start(pay::with("ada", "bob", 40)).await.unwrap().output().await.unwrap());
        assert!(!client.start(pay::with("ada", "bob", 70)).await.unwrap().output().await.unwrap());
        assert_eq!(client.read(&ada).await.unwrap(), Some(Account { balance: 60 }), "{}", place.address);
        assert_eq!(client.read(&bob).await.unwrap(), Some(Account { balance: 40 }));
        let overdrawn = client.start(overdraw::with("ada")).await.unwrap();
        assert_eq!(overdrawn.output().await.unwrap(), 60);
        let closed = client.start(close::with("ada", "bob")).await.unwrap();
        assert_eq!(closed.output().await.unwrap(), 60);
        assert_eq!(client.read(&ada).await.unwrap(), None);
        let moved = client.start(pay::with("bob", "eve", 100)).await.unwrap();
        assert!(moved.output().await.unwrap(), "what the closed account had came before");
        worker.shut_down().await.unwrap();
    }
}

#[entity]
trait Counter {
    fn add(&mut self, amount: i64);
    fn get(&self) -> i64;
}

#[derive(Default, Serialize, Deserialize)]
struct Clicks(i64);

#[entity]
impl Counter for Clicks {
    fn add(&mut self, amount: i64) {
        self.0 += amount;
    }

    fn get(&self) -> i64 {
        self.0
    }
}

fn of<E: Entity + Implements<dyn Counter>>(key: &str) -> CounterRef {
    CounterRef::from(&E::at(key))
}

/// As a client's program would, whose errors are the hub's.
fn counter(key: &str) -> Result<CounterRef, durable::Error> {
    Ok(CounterRef::of_key(key)?)
}

/// Signals and calls through the interface; the last word is its.
#[orchestrator]
async fn count(ctx: OrchestrationContext, key: String) -> Result<i64, Failure> {
    let clicks = CounterRef::of_key(&key)?;
    ctx.signal(clicks.add(1));
    ctx.signal(of::<Clicks>(&key).add(2));
    let seen = ctx.call(clicks.get()).await?;
    ctx.call(clicks.delete()).await?;
    Ok(seen)
}

// R3:ENT-17, ENT-20, ENT-21, ENT-25 to ENT-27, ENT-29, ENT-32, ENT-67
#[tokio::test]
async fn an_interface_is_called_and_signalled_like_an_entity() {
    let folder = Folder::new("interfaces").unwrap();
    for place in each_hub(&folder).await {
        let worker = place.worker().await;
        let client = place.hub.client();
        let home = counter("home").unwrap();
        client.signal(home.add(1_000)).await.unwrap();
        client.signal(EntityId::new("Clicks", "home").unwrap().operation("Delete", ())).await.unwrap();
        client.signal(home.add(10)).await.unwrap();
        let () = client.signal(home.get()).await.unwrap();
        let run = client.start(count::with("home")).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 13, "{}", place.address);
        assert!(client.read(&Clicks::at("home")).await.unwrap().is_none());
        worker.shut_down().await.unwrap();
    }
}
