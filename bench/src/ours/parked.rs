//! `parked`: many orchestrations, each waiting for an activity that never ends, and a restart with them.
//!
//! The worker has its usual limits: as many of those activities run as it allows, and keep their
//! slots for ever; the others wait in its queue. So what shows that a restarted hub is ready is an
//! orchestration without activities. Memory is what the process has resident once all wait, less what
//! it had before the first start. In `parked-running` the worker is allowed to run all of them, each in
//! a task of its own, and a few more, so that there the proof of readiness is a `hello`.

use durable::{TaskHub, client::Client, worker::Worker};
use durable_bench_gauge::{Gauge, Job, Measured, Pulse, Spread, Stage, Stopwatch, Workload, resident_memory};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::{
    functions::{DONE, nothing, parked},
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

/// Starts all, and returns when each waits for its activity.
async fn start_all(client: &Client, size: u64, times: &mut Spread) -> Result<(), BenchError> {
    let mut starts =
        stream::iter(0..size).map(|number| timed_start(client, number)).buffer_unordered(AT_ONCE);
    while let Some(took) = starts.try_next().await? {
        DONE.add();
        times.add(took);
    }
    Ok(())
}

async fn timed_start(client: &Client, number: u64) -> Result<std::time::Duration, BenchError> {
    let watch = Stopwatch::start();
    let run = client.start(parked::with(number)).await?;
    let took = watch.elapsed();
    run.wait_for_start().await?;
    Ok(took)
}

/// Until a new orchestration has completed.
async fn restart(hub: &TaskHub, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let worker = start(hub, job).await?;
    if job.workload == Workload::ParkedRunning {
        hello::one(&hub.client()).await?;
    } else {
        hub.client().start(nothing::with()).await?.output().await?;
    }
    let ready = gauge.watch().elapsed();
    drop(worker);
    Ok(Measured { ready_seconds: Some(ready.as_secs_f64()), ..gauge.finish(1)? })
}

async fn start(hub: &TaskHub, job: &Job) -> Result<Worker, BenchError> {
    let worker = hub.worker().always_replay(false);
    let all = usize::try_from(job.size).unwrap_or(usize::MAX).saturating_add(SPARE);
    let worker = if job.workload == Workload::ParkedRunning { worker.max_activities(all) } else { worker };
    Ok(worker.start().await?)
}
