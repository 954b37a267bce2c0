//! The orchestrations and activities of the workloads.

use std::sync::OnceLock;

use durable::prelude::*;
use durable_bench_gauge::{Stamps, Stopwatch, Tally, hello as task};
use futures::future::try_join_all;

/// Operations that are done.
pub(super) static DONE: Tally = Tally::new();
/// Greetings that were said.
pub(super) static GREETED: Tally = Tally::new();
/// When the steps of the sequence were taken.
pub(super) static STEPS: Stamps = Stamps::new();
/// The clock of the run, for [`STEPS`].
pub(super) static CLOCK: OnceLock<Stopwatch> = OnceLock::new();

/// Five activities, one after the other.
#[orchestrator]
pub(super) async fn hello(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in task::CITIES {
        greetings.push(ctx.call(say_hello::with(city)).await?);
    }
    Ok(greetings)
}

/// All activities at once, then their sum.
#[orchestrator]
pub(super) async fn fan_out(ctx: OrchestrationContext, size: u64) -> Result<u64, Failure> {
    let calls: Vec<_> = (0..size).map(|number| ctx.call(same::with(number))).collect();
    Ok(try_join_all(calls).await?.into_iter().sum())
}

/// One activity after the other, and their sum.
#[orchestrator]
pub(super) async fn sequence(ctx: OrchestrationContext, size: u64) -> Result<u64, Failure> {
    let mut sum = 0;
    for number in 0..size {
        sum += ctx.call(same::with(number)).await?;
    }
    Ok(sum)
}

/// Ends at once.
#[orchestrator]
pub(super) async fn nothing(_ctx: OrchestrationContext) -> Result<(), Failure> {
    Ok(())
}

/// Waits for an activity that never ends.
#[orchestrator]
pub(super) async fn parked(ctx: OrchestrationContext, number: u64) -> Result<u64, Failure> {
    ctx.call(never::with(number)).await
}

#[activity]
async fn say_hello(city: String) -> String {
    GREETED.add();
    task::greeting(&city)
}

#[activity]
async fn same(number: u64) -> u64 {
    DONE.add();
    if let Some(clock) = CLOCK.get() {
        STEPS.mark(*clock);
    }
    number
}

#[activity]
async fn never(number: u64) -> u64 {
    std::future::pending::<()>().await;
    number
}
