//! Money moves between accounts that are locked together: no transfer sees another halfway, none waits for
//! ever, and the sum never changes (R2:ENT-48 to ENT-59).
//!
//! ```console
//! $ cargo run -p durable-examples --bin bank_transfer
//! $ cargo run -p durable-examples --bin bank_transfer -- bank.db
//! ```
//!
//! A thousand random transfers between a hundred accounts, all at once. Kill it as often as you like and start
//! it again with the same file: it goes on.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{Error, client::Client, prelude::*};
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

pub(crate) const ACCOUNTS: u64 = 100;
const PAID_IN: i64 = 1_000;
const TRANSFERS: u64 = 1_000;

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) balance: i64,
}

/// Why an account refuses.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("there are only {balance}")]
pub(crate) struct Overdrawn {
    balance: i64,
}

#[entity]
impl Account {
    pub(crate) fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    pub(crate) fn withdraw(&mut self, amount: i64) -> Result<(), Overdrawn> {
        if amount > self.balance {
            return Err(Overdrawn { balance: self.balance });
        }
        self.balance -= amount;
        Ok(())
    }

    pub(crate) fn balance(&self) -> i64 {
        self.balance
    }
}

/// Moves money, if there is enough. The balance that it has looked at is the balance that it takes from: both
/// accounts are its own until it ends, however it ends.
///
/// Both changes are asked for at once, so that whoever terminates it stops it before both or after both.
#[orchestrator]
pub(crate) async fn transfer(
    mut ctx: OrchestrationContext,
    from: u64,
    to: u64,
    amount: i64,
) -> Result<bool, Failure> {
    let (from, to) = (Account::at(from), Account::at(to));
    let section = ctx.lock([&from, &to]).await?;
    if from == to || section.call(from.balance()).await? < amount {
        return Ok(false);
    }
    let (taken, given) = (section.call(from.withdraw(amount)), section.call(to.deposit(amount)));
    taken.await?;
    given.await?;
    Ok(true)
}

/// Pays into each account.
#[orchestrator]
pub(crate) async fn open_accounts(ctx: OrchestrationContext) -> Result<(), Failure> {
    let calls: Vec<_> = (0..ACCOUNTS).map(|key| ctx.call(Account::at(key).deposit(PAID_IN))).collect();
    try_join_all(calls).await.map(drop)
}

#[orchestrator]
pub(crate) async fn total(ctx: OrchestrationContext) -> Result<i64, Failure> {
    let calls: Vec<_> = (0..ACCOUNTS).map(|key| ctx.call(Account::at(key).balance())).collect();
    Ok(try_join_all(calls).await?.into_iter().sum())
}

/// Starts a transfer, unless an earlier run of this program has; whether money moved.
async fn one(client: &Client, number: u64) -> Result<bool, Error> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20; // looks random, and is the same each time
    let (from, to) = (mixed % ACCOUNTS, mixed / ACCOUNTS % ACCOUNTS);
    let amount = i64::try_from(number % 500).unwrap_or(0);
    let id = format!("transfer-{number}");
    let start = transfer::with(from, to, amount).instance_id(&id).reuse(durable::provider::Reuse::Never);
    match client.start(start).await {
        Ok(run) => run.output().await,
        Err(Error::Provider(_)) => client.run(transfer::at(id))?.output().await,
        Err(other) => Err(other),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let address =
        std::env::args().nth(1).map_or_else(|| "memory:".to_owned(), |file| format!("sqlite:{file}"));
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    let opened =
        client.start(open_accounts::with().instance_id("open").reuse(durable::provider::Reuse::Never));
    drop(opened.await); // there may be one from an earlier run
    client.run(open_accounts::at("open"))?.output().await?;

    let style = ProgressStyle::with_template("  {bar:50} {pos} of {len} transfers");
    let bar = ProgressBar::new(TRANSFERS).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let moved: Vec<bool> = stream::iter((0..TRANSFERS).map(|number| one(&client, number)))
        .buffer_unordered(1_000)
        .inspect_ok(|_| bar.inc(1))
        .try_collect()
        .await?;
    bar.finish();
    let moved = moved.iter().filter(|moved| **moved).count();
    println!("  ○ {moved} moved money, {} had too little to move", TRANSFERS as usize - moved);
    println!("  ○ in all accounts together: {}", client.start(total::with()).await?.output().await?);
    println!("  ◉ locks that are still held: {}", client.locks().await?.len());
    worker.shut_down().await
}
