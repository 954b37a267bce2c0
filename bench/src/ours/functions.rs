//! The orchestrations and activities of the workloads.

use std::{sync::OnceLock, time::Duration};

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

/// What [`listen`] waits for.
pub(super) const TICK: Event<u64> = Event::new("tick");

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

/// Waits for events, one after the other, and adds up what they bring.
#[orchestrator]
pub(super) async fn listen(ctx: OrchestrationContext, size: u64) -> Result<u64, Failure> {
    let mut sum = 0;
    for _ in 0..size {
        sum += ctx.wait_for(TICK).await?;
    }
    Ok(sum)
}

/// Waits until a time.
#[orchestrator]
pub(super) async fn wait_until(ctx: OrchestrationContext, due: Timestamp) -> Result<(), Failure> {
    ctx.sleep_until(due).await?;
    Ok(())
}

/// Waits for `size` timers, due evenly within the second after `from`.
#[orchestrator]
pub(super) async fn wait_for_all(ctx: OrchestrationContext, input: (Timestamp, u64)) -> Result<u64, Failure> {
    let (from, size) = input;
    let timers: Vec<_> = (0..size).map(|number| ctx.sleep_until(due(from, number, size))).collect();
    Ok(try_join_all(timers).await?.len() as u64)
}

/// When the timer with this number is due, of `size` in the second after `from`.
pub(super) fn due(from: Timestamp, number: u64, size: u64) -> Timestamp {
    from.saturating_add(Duration::from_micros(number * 1_000_000 / size))
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
