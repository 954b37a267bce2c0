//! The workloads, as duroxide is asked for them. Begin with [`run`].
//!
//! Where this and our own side must differ, the peer gets the better of it: its client waits by asking the store over
//! and over, which would take time from its workers, so where many orchestrations run they count as done with their
//! last activity, seen in memory, and outputs are read and checked after the clock has stopped.

use std::{sync::PoisonError, time::Duration};

use durable_bench_gauge::{Gauge, Job, Measured, Pulse, Spread, Stopwatch, Workload, hello};
use duroxide::{Client, OrchestrationStatus};
use serde::Serialize;

use crate::{
    engine::Engine,
    error::PeerError,
    functions::{self, DONE, ONE_DONE, STARTED, STEPS},
};

const WARM_UPS: u64 = 5;

/// Runs the job's workload, after a few orchestrations that are not measured.
pub async fn run(job: &Job) -> Result<Measured, PeerError> {
    let engine = Engine::start(job).await?;
    for number in 0..WARM_UPS {
        hello(&engine.client, &format!("warm-up-{number}"), job.limit).await?;
    }
    DONE.reset();
    functions::TIMES.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let pulse = Pulse::start(&DONE, job.watched);
    let mut measured = match job.workload {
        Workload::Hello => many_hellos(&engine.client, job).await?,
        Workload::FanOut => one_run(&engine.client, job, "FanOut").await?,
        Workload::Sequence => one_run(&engine.client, job, "Sequence").await?,
        Workload::Latency => hellos_in_turn(&engine.client, job).await?,
        Workload::Parked => return Err(PeerError::NotHere(job.workload)),
    };
    drop(pulse);
    measured.durability = engine.durability.clone();
    engine.stop().await;
    Ok(measured)
}

/// Starts them one after the other, as fast as the store takes them: all at once would only queue for its pool of five
/// connections, until the last give up.
async fn many_hellos(client: &Client, job: &Job) -> Result<Measured, PeerError> {
    let gauge = Gauge::start()?;
    let all_done = async {
        for number in 0..job.size {
            start(client, &format!("hello-{number}"), "Hello", ()).await?;
        }
        while DONE.count() < job.size {
            ONE_DONE.notified().await;
        }
        Ok::<_, PeerError>(())
    };
    let ended = tokio::time::timeout(job.limit, all_done).await;
    let mut measured = gauge.finish(DONE.count())?.with_times(&functions::times());
    match ended {
        Err(_) => measured.cut_off = true,
        Ok(result) => {
            result?;
            for number in 0..job.size {
                output(client, &format!("hello-{number}"), &hello::expected(), job.limit).await?;
            }
        }
    }
    Ok(measured)
}

/// One orchestration of `size` activities, whose output is the sum of their numbers.
async fn one_run(client: &Client, job: &Job, name: &'static str) -> Result<Measured, PeerError> {
    functions::start_clock();
    let gauge = Gauge::start()?;
    start(client, "one", name, job.size).await?;
    let expected = job.size * job.size.saturating_sub(1) / 2;
    let ended = tokio::time::timeout(job.limit, output(client, "one", &expected, job.limit)).await;
    let whole = [gauge.watch().elapsed()].into_iter().collect();
    let is_sequence = job.workload == Workload::Sequence;
    let times = if is_sequence { STEPS.gaps() } else { whole };
    let mut measured = gauge.finish(DONE.count())?.with_times(&times);
    measured.quarters = is_sequence.then(|| STEPS.quarters()).flatten();
    match ended {
        Err(_) => measured.cut_off = true,
        Ok(result) => result?,
    }
    Ok(measured)
}

/// One at a time, as its client does it: start, then wait.
async fn hellos_in_turn(client: &Client, job: &Job) -> Result<Measured, PeerError> {
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    let (mut done, mut cut_off) = (0, false);
    while done < job.size && !cut_off {
        let watch = Stopwatch::start();
        hello(client, &format!("hello-{done}"), job.limit).await?;
        times.add(watch.elapsed());
        done += 1;
        cut_off = gauge.watch().elapsed() > job.limit;
    }
    Ok(Measured { cut_off: cut_off && done < job.size, ..gauge.finish(done)?.with_times(&times) })
}

async fn hello(client: &Client, instance: &str, limit: Duration) -> Result<(), PeerError> {
    start(client, instance, "Hello", ()).await?;
    output(client, instance, &hello::expected(), limit).await
}

async fn start(
    client: &Client,
    instance: &str,
    name: &'static str,
    input: impl Serialize,
) -> Result<(), PeerError> {
    let now = Stopwatch::start();
    STARTED.lock().unwrap_or_else(PoisonError::into_inner).insert(instance.to_owned(), now);
    let started = client.start_orchestration_typed(instance, name, input).await;
    started.map_err(|error| failed("start", instance, &format!("{error:?}")))
}

/// Waits for the output, and checks it.
async fn output(
    client: &Client,
    instance: &str,
    expected: &impl Serialize,
    limit: Duration,
) -> Result<(), PeerError> {
    let status = client.wait_for_orchestration(instance, limit).await;
    let status = status.map_err(|error| failed("wait", instance, &format!("{error:?}")))?;
    let found = match status {
        OrchestrationStatus::Completed { output, .. } => output,
        other => return Err(failed("wait", instance, &format!("{other:?}"))),
    };
    let expected = serde_json::to_string(expected).map_err(|error| failed("check", instance, &error.to_string()))?;
    if found == expected {
        return Ok(());
    }
    Err(PeerError::Wrong { instance: instance.to_owned(), found, expected })
}

fn failed(asked: &'static str, instance: &str, reason: &str) -> PeerError {
    PeerError::Client { asked, instance: instance.to_owned(), reason: reason.to_owned() }
}
