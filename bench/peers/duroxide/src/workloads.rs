//! The workloads, as duroxide is asked for them. Begin with [`run`].
//!
//! Where this and our own side must differ, the peer gets the better of it: its client waits by asking
//! the store over and over, which would take time from its workers, so where many orchestrations run
//! they count as done with their last activity, seen in memory, and outputs are read and checked after
//! the clock has stopped.

use std::time::Duration;

use durable_bench_gauge::{Gauge, Job, Measured, Pulse, Spread, Stopwatch, Workload, hello};
use duroxide::{Client, OrchestrationStatus};
use serde::Serialize;

use crate::{
    engine::Engine,
    error::PeerError,
    functions::{self, DONE, GREETED, ONE_DONE, STEPS},
};

const WARM_UPS: u64 = 5;

/// When nothing ends for so long, some orchestrations may have failed: look.
const STALL: Duration = Duration::from_secs(2);

/// Runs the job's workload, after a few orchestrations that are not measured.
pub async fn run(job: &Job) -> Result<Measured, PeerError> {
    let engine = Engine::start(job).await?;
    for number in 0..WARM_UPS {
        match hello(&engine.client, &format!("warm-up-{number}"), job.limit).await {
            // Its store was locked for too long; the others warm up as well.
            Ok(()) | Err(PeerError::Client { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    functions::forget();
    let pulse = Pulse::start(&DONE, job.watched);
    let mut measured = match job.workload {
        Workload::Hello => many_hellos(&engine.client, job).await?,
        Workload::FanOut => one_run(&engine.client, job, "FanOut").await?,
        Workload::Sequence => one_run(&engine.client, job, "Sequence").await?,
        Workload::Latency => hellos_in_turn(&engine.client, job).await?,
        Workload::Parked
        | Workload::ParkedRunning
        | Workload::Events
        | Workload::Timers
        | Workload::TimersOfOne
        | Workload::EntityOne
        | Workload::EntityMany
        | Workload::Bank => return Err(PeerError::NotHere(job.workload)),
    };
    drop(pulse);
    measured.durability = engine.durability.clone();
    engine.stop().await;
    Ok(measured)
}

/// Starts them one after the other, as fast as the store takes them: all at once would only queue for
/// its pool of five connections, until the last give up.
async fn many_hellos(client: &Client, job: &Job) -> Result<Measured, PeerError> {
    functions::start_clock();
    let gauge = Gauge::start()?;
    let mut failed = 0;
    let all_done = async {
        for number in 0..job.size {
            start(client, &format!("hello-{number}"), "Hello", ()).await?;
        }
        while DONE.count() + failed < job.size {
            if tokio::time::timeout(STALL, ONE_DONE.notified()).await.is_err() {
                failed = failures(client).await;
            }
        }
        Ok::<_, PeerError>(())
    };
    let ended = tokio::time::timeout(job.limit, all_done).await;
    let times = functions::times();
    let mut measured = gauge.finish(DONE.count())?.with_times(&times);
    match ended {
        Err(_) => measured = hello::cut_off(measured, &GREETED, times, job.size, job.limit),
        Ok(result) => {
            result?;
            // Not the time to notice that the missing ones will not come.
            measured.seconds = STEPS.last().as_secs_f64();
            measured.failed = failed;
            check_all(client, job, failed).await?;
        }
    }
    Ok(measured)
}

/// How many orchestrations failed of those that are not done: duroxide fails some for good when its
/// store stays locked.
async fn failures(client: &Client) -> u64 {
    let mut failed = 0;
    for instance in functions::unfinished() {
        let status = client.get_orchestration_status(&instance).await;
        failed += u64::from(matches!(status, Ok(OrchestrationStatus::Failed { .. })));
    }
    failed
}

/// Reads every output, now that the clock has stopped. As many may be missing as are known to have
/// failed, and those that failed in the turn after their last activity: these are told.
async fn check_all(client: &Client, job: &Job, failed: u64) -> Result<(), PeerError> {
    let mut missing = 0;
    for number in 0..job.size {
        match output(client, &format!("hello-{number}"), &hello::expected(), job.limit).await {
            Err(PeerError::Client { .. }) => missing += 1,
            other => other?,
        }
    }
    if missing > failed {
        eprintln!("{missing} of {} orchestrations failed on duroxide; {failed} are not counted", job.size);
    }
    Ok(())
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
    let (mut times, mut failed, mut number) = (Spread::default(), 0, 0);
    while number < job.size && gauge.watch().elapsed() < job.limit {
        let watch = Stopwatch::start();
        match hello(client, &format!("hello-{number}"), job.limit).await {
            Ok(()) => times.add(watch.elapsed()),
            Err(PeerError::Client { .. }) => failed += 1,
            Err(error) => return Err(error),
        }
        number += 1;
    }
    let measured = gauge.finish(number - failed)?.with_times(&times);
    Ok(Measured { cut_off: number < job.size, failed, ..measured })
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
    functions::begin(instance);
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
    let expected =
        serde_json::to_string(expected).map_err(|error| failed("check", instance, &error.to_string()))?;
    if found == expected {
        return Ok(());
    }
    Err(PeerError::Wrong { instance: instance.to_owned(), found, expected })
}

fn failed(asked: &'static str, instance: &str, reason: &str) -> PeerError {
    PeerError::Client { asked, instance: instance.to_owned(), reason: reason.to_owned() }
}
