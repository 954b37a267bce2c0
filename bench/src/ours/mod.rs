//! Our side: one run of one workload on `durable`'s embedded store, in this process.
//!
//! One file per workload; `functions.rs` has what they run. Begin with [`main`].

mod bank;
mod clock;
mod entities;
mod events;
mod fan_out;
mod functions;
mod hello;
pub(crate) mod instances;
mod latency;
mod parked;
mod population;
mod sequence;
mod timers;

use std::{fmt::Debug, sync::Arc};

use clock::MovableClock;
use durable::{
    TaskHub,
    embedded::{self, Commits, EmbeddedProvider},
    worker::Worker,
};
use durable_bench_gauge::{Durability, Job, Line, Measured, Pulse, Workload};
use functions::{DONE, GREETED};

use crate::error::BenchError;

/// How many orchestrations run before the clock starts: a process that has just begun is not what is
/// measured.
const WARM_UPS: usize = 5;

/// Runs `job`, and prints what it took.
pub(crate) fn main(job: &Job) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("starting", "tokio"))?;
    let measured = runtime.block_on(run(job))?;
    Ok(Line::Measured(measured).print()?)
}

async fn run(job: &Job) -> Result<Measured, BenchError> {
    let clock = Arc::new(MovableClock::default());
    let provider = Arc::new(open(job, clock.clone())?);
    let hub = TaskHub::with_provider(provider.clone());
    if job.workload.restarts() {
        return Ok(Measured { durability: durability(job), ..parked::run(&hub, job).await? });
    }
    let worker = start(&hub).await?;
    let client = hub.client();
    for _ in 0..WARM_UPS {
        hello::one(&client).await?;
    }
    DONE.reset();
    GREETED.reset();
    let pulse = Pulse::start(&DONE, job.watched);
    let before = provider.commits();
    let measured = match job.workload {
        Workload::Hello => hello::run(&client, job).await?,
        Workload::FanOut => fan_out::run(&client, job).await?,
        Workload::Sequence => sequence::run(&client, job).await?,
        Workload::Latency => latency::run(&client, job).await?,
        Workload::Events => events::run(&client, job).await?,
        Workload::Timers => timers::many(&client, &clock, job).await?,
        Workload::TimersOfOne => timers::of_one(&client, &clock, job).await?,
        Workload::EntityOne => entities::run(&client, job, 1).await?,
        Workload::EntityMany => entities::run(&client, job, 10_000).await?,
        Workload::Bank => bank::run(&client, job).await?,
        Workload::Parked | Workload::ParkedRunning => unreachable!("handled above"),
    };
    drop(pulse);
    let shared = checkpoints_per_transaction(before, provider.commits());
    worker.shut_down().await?;
    Ok(Measured { durability: durability(job), checkpoints_per_sync: shared, ..measured })
}

/// Opens the store itself instead of a `TaskHub` by its address, to be able to ask it what it committed.
fn open(job: &Job, clock: Arc<MovableClock>) -> Result<EmbeddedProvider, BenchError> {
    let durability = match job.durability {
        Durability::Full => embedded::Durability::Full,
        Durability::Relaxed => embedded::Durability::Relaxed,
    };
    let options = embedded::Options { durability, clock, ..embedded::Options::default() };
    Ok(EmbeddedProvider::open(&job.file, options).map_err(durable::Error::from)?)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run are far below 2^52")]
fn checkpoints_per_transaction(before: Commits, after: Commits) -> Option<f64> {
    let transactions = after.transactions - before.transactions;
    (transactions > 0).then(|| (after.checkpoints - before.checkpoints) as f64 / transactions as f64)
}

/// A worker as an application has it: the usual options, and sessions on as in every release build.
async fn start(hub: &TaskHub) -> Result<Worker, BenchError> {
    Ok(hub.worker().always_replay(false).start().await?)
}

fn durability(job: &Job) -> String {
    job.durability.as_str().to_owned()
}

/// Refuses to count what came out wrong.
fn check<T: PartialEq + Debug>(instance: &impl ToString, found: &T, expected: &T) -> Result<(), BenchError> {
    if found == expected {
        return Ok(());
    }
    Err(BenchError::Wrong {
        instance: instance.to_string(),
        found: format!("{found:?}"),
        expected: format!("{expected:?}"),
    })
}

/// What the numbers from zero up to `size`, without it, add up to.
fn sum_below(size: u64) -> u64 {
    (0..size).sum()
}
