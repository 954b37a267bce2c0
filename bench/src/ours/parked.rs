//! `parked`: many orchestrations, each waiting for an activity that never ends, and a restart with them.
//!
//! All those activities are running, each in its task: the worker is allowed that many, and a few more
//! for the orchestration that shows that it is ready. Memory is what the process has resident once all
//! wait, less what it had before the first start.

use durable::{TaskHub, client::Client, worker::Worker};
use durable_bench_gauge::{Gauge, Job, Measured, Pulse, Spread, Stage, Stopwatch, resident_memory};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::{
    functions::{DONE, ONE_PARKED, parked},
    hello,
};
use crate::error::BenchError;

/// Room for activities that do end.
const SPARE: usize = 64;

/// How many starts wait for the disk at once: more would measure the memory of whoever starts them.
const AT_ONCE: usize = 1000;

pub(super) async fn run(hub: &TaskHub, job: &Job) -> Result<Measured, BenchError> {
    match job.stage {
        Stage::First => park(hub, job).await,
        Stage::Restarted => restart(hub, job).await,
    }
}

async fn park(hub: &TaskHub, job: &Job) -> Result<Measured, BenchError> {
    let worker = start(hub, job).await?;
    let client = hub.client();
    hello::one(&client).await?;
    let before = resident_memory()?;
    let pulse = Pulse::start(&DONE, job.watched);
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    let ended = tokio::time::timeout(job.limit, start_all(&client, job.size, &mut times)).await;
    drop(pulse);
    let mut measured = gauge.finish(DONE.count())?.with_times(&times);
    measured.cut_off = ended.is_err();
    measured.added_mb = Some((resident_memory()? - before).max(0.0));
    ended.unwrap_or(Ok(()))?;
    drop(worker);
    Ok(measured)
}

/// Starts all, and returns when all their activities run.
async fn start_all(client: &Client, size: u64, times: &mut Spread) -> Result<(), BenchError> {
    let mut starts =
        stream::iter(0..size).map(|number| timed_start(client, number)).buffer_unordered(AT_ONCE);
    while let Some(took) = starts.try_next().await? {
        times.add(took);
    }
    drop(starts);
    while DONE.count() < size {
        ONE_PARKED.notified().await;
    }
    Ok(())
}

async fn timed_start(client: &Client, number: u64) -> Result<std::time::Duration, BenchError> {
    let watch = Stopwatch::start();
    client.start(parked::with(number)).await?;
    Ok(watch.elapsed())
}

/// Until a new orchestration has completed.
async fn restart(hub: &TaskHub, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let worker = start(hub, job).await?;
    hello::one(&hub.client()).await?;
    let ready = gauge.watch().elapsed();
    drop(worker);
    Ok(Measured { ready_seconds: Some(ready.as_secs_f64()), ..gauge.finish(1)? })
}

async fn start(hub: &TaskHub, job: &Job) -> Result<Worker, BenchError> {
    let activities = usize::try_from(job.size).unwrap_or(usize::MAX).saturating_add(SPARE);
    Ok(hub.worker().always_replay(false).max_activities(activities).start().await?)
}
