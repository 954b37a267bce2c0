//! `bank`: transfers between accounts, each of which locks two of them, many at a time (R2:ENT-49).
//!
//! Measured from the first start to the last output. Afterwards the sum of all balances is compared with
//! what was paid in.

use std::time::Duration;

use durable::{client::Client, prelude::*};
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::functions::DONE;
use crate::error::BenchError;

/// How many transfers are under way at once.
const AT_ONCE: usize = 1000;
const ACCOUNTS: u64 = 100;
const PAID_IN: i64 = 1_000;

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[entity]
impl Account {
    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    fn withdraw(&mut self, amount: i64) -> Result<(), String> {
        if amount > self.balance {
            return Err(format!("there are only {}", self.balance));
        }
        self.balance -= amount;
        Ok(())
    }

    fn balance(&self) -> i64 {
        self.balance
    }
}

/// As in the example `bank_transfer`: looks at the balance, then changes both accounts.
#[orchestrator]
async fn transfer(mut ctx: OrchestrationContext, from: u64, to: u64, amount: i64) -> Result<bool, Failure> {
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

#[orchestrator]
async fn total(ctx: OrchestrationContext) -> Result<i64, Failure> {
    let calls: Vec<_> = (0..ACCOUNTS).map(|account| ctx.call(Account::at(account).balance())).collect();
    Ok(futures::future::try_join_all(calls).await?.into_iter().sum())
}

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    for account in 0..ACCOUNTS {
        client.signal(Account::at(account).deposit(PAID_IN)).await?;
    }
    client.start(total::with()).await?.output().await?;
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    let whole = async {
        let mut ended = stream::iter(0..job.size).map(|number| one(client, number)).buffer_unordered(AT_ONCE);
        while let Some(took) = ended.try_next().await? {
            times.add(took);
            DONE.add();
        }
        Ok::<_, BenchError>(())
    };
    let ended = tokio::time::timeout(job.limit, whole).await;
    let measured = gauge.finish(DONE.count())?.with_times(&times);
    let Ok(ended) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    ended?;
    let sum = client.start(total::with()).await?.output().await?;
    let paid_in = PAID_IN * i64::try_from(ACCOUNTS).unwrap_or(i64::MAX);
    super::check(&"the bank", &sum, &paid_in)?;
    Ok(measured)
}

/// One transfer, between accounts that follow from its number and look random.
async fn one(client: &Client, number: u64) -> Result<Duration, BenchError> {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (from, to) = (mixed % ACCOUNTS, (mixed / ACCOUNTS) % ACCOUNTS);
    let amount = i64::try_from(number % 50).unwrap_or(0);
    let watch = Stopwatch::start();
    client.start(transfer::with(from, to, amount)).await?.output().await?;
    Ok(watch.elapsed())
}
