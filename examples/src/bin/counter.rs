//! The counter of the documents, twice: as a typed entity and as a function (R2:ENT-18 to ENT-24, R3:ENT-4,
//! ENT-58). Both keep their state between runs, and a third entity hears of milestones.
//!
//! ```console
//! $ cargo run -p durable-examples --bin counter
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{Error, client::Client, prelude::*};
use serde::{Deserialize, Serialize};

/// The state is the struct, its methods are the operations.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    pub(crate) fn add(&mut self, ctx: &EntityContext, amount: i64) {
        let before = self.value;
        self.value += amount;
        if before < 100 && self.value >= 100 {
            // Leaves with the operation's own commit, so exactly once (R2:ENT-39, ENT-40).
            ctx.signal(Milestones::at("").reached(ctx.key()));
        }
    }

    pub(crate) fn reset(&mut self) {
        self.value = 0;
    }

    pub(crate) fn get(&self) -> i64 {
        self.value
    }
}

/// Who has reached a hundred.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Milestones {
    reached: Vec<String>,
}

#[entity]
impl Milestones {
    fn reached(&mut self, who: String) {
        self.reached.push(who);
    }

    pub(crate) fn all(&self) -> Vec<String> {
        self.reached.clone()
    }
}

/// The same counter in the function syntax: the name of the operation decides.
#[entity]
async fn tally(ctx: EntityContext) -> Result<(), Failure> {
    match ctx.operation_name().as_str().to_lowercase().as_str() {
        "add" => {
            let amount: i64 = ctx.input()?;
            ctx.change_state(|value: &mut i64| *value += amount)
        }
        "reset" => ctx.set_state(0),
        "get" => {
            ctx.return_value(ctx.state::<i64>()?);
            Ok(())
        }
        _ => Ok(()), // what it does not know, it ignores
    }
}

/// Signals, then asks: the answer knows of the signal, since both arrive in order (R3:ENT-20).
#[orchestrator]
pub(crate) async fn count_to(ctx: OrchestrationContext, game: String, amount: i64) -> Result<i64, Failure> {
    let counter = Counter::at(&game);
    ctx.signal(counter.add(amount));
    ctx.call(counter.get()).await
}

/// The same by names that are known at run time only.
#[orchestrator]
pub(crate) async fn tally_to(ctx: OrchestrationContext, game: String, amount: i64) -> Result<i64, Failure> {
    let tally = EntityId::new("tally", game)?;
    ctx.signal(tally.operation("Add", amount));
    ctx.call(tally.operation("Get", ()).returning()).await
}

#[orchestrator]
pub(crate) async fn milestones(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    ctx.call(Milestones::at("").all()).await
}

pub(crate) async fn play(client: &Client) -> Result<(), Error> {
    for amount in [40, 40, 40] {
        client.signal(Counter::at("Game1").add(amount)).await?;
    }
    println!("  ○ Counter: {}", client.start(count_to::with("Game1", 5)).await?.output().await?);
    println!("  ○ as it is stored: {:?}", client.read(&Counter::at("Game1")).await?);
    client.signal(Counter::at("Game1").delete()).await?; // every entity has this operation
    println!("  ○ after a deletion: {}", client.start(count_to::with("Game1", 1)).await?.output().await?);
    println!("  ○ tally: {}", client.start(tally_to::with("Game1", 7)).await?.output().await?);
    println!("  ◉ a hundred were reached by {:?}", client.start(milestones::with()).await?.output().await?);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let hub = TaskHub::open("memory:").await?;
    let worker = hub.worker().start().await?;
    play(&hub.client()).await?;
    worker.shut_down().await
}
