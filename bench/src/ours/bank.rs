//! `bank`: transfers between accounts, each of which locks two of them, many at a time (R2:ENT-49).
//!
//! Measured from the first start to the last output. Afterwards the sum of all balances is compared with
//! what was paid in.

use std::time::Duration;

use durable::{
    client::Client,
    context::EntityContext,
    model::{EntityId, EntityName, Failure},
    prelude::*,
};
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::functions::DONE;
use crate::error::BenchError;

/// How many transfers are under way at once.
const AT_ONCE: usize = 1000;
const ACCOUNTS: u64 = 100;
const PAID_IN: i64 = 1_000;

const ACCOUNT: EntityName = EntityName::literal("account");

/// A balance.
pub(super) async fn account(ctx: EntityContext) -> Result<(), Failure> {
    match ctx.operation_name().as_str() {
        "deposit" => {
            let amount: i64 = ctx.input()?;
            ctx.change_state(|balance: &mut i64| *balance += amount)
        }
        _ => {
            ctx.return_value(ctx.state::<i64>()?);
            Ok(())
        }
    }
}

fn id(key: u64) -> EntityId {
    EntityId::of(&ACCOUNT, key)
}

#[orchestrator]
async fn transfer(mut ctx: OrchestrationContext, from: u64, to: u64, amount: i64) -> Result<bool, Failure> {
    let (from, to) = (id(from), id(to));
    let section = ctx.lock([&from, &to]).await?;
    let balance: i64 = section.call(from.operation("balance", ()).returning()).await?;
    if balance < amount {
        return Ok(false);
    }
    section.call(from.operation("deposit", -amount)).await?;
    section.call(to.operation("deposit", amount)).await?;
    Ok(true)
}

#[orchestrator]
async fn total(ctx: OrchestrationContext) -> Result<i64, Failure> {
    let calls: Vec<_> = (0..ACCOUNTS)
        .map(|account| ctx.call(id(account).operation("balance", ()).returning::<i64>()))
        .collect();
    Ok(futures::future::try_join_all(calls).await?.into_iter().sum())
}

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    for account in 0..ACCOUNTS {
        client.signal(id(account).operation("deposit", PAID_IN)).await?;
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
