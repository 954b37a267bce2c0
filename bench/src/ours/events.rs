//! `events`: one orchestration that waits for many events, which a client raises, many at a time.
//!
//! Measured from before the first is raised until the output has been received and compared: it has seen all.

use std::time::Duration;

use durable::client::{Client, Run};
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::functions::{DONE, TICK, listen};
use crate::error::BenchError;

/// How many of the client's requests wait for the disk at once.
const AT_ONCE: usize = 1000;

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    let run = client.start(listen::with(job.size)).await?;
    run.wait_for_start().await?;
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    let whole = async {
        let mut raised =
            stream::iter(0..job.size).map(|number| raise(client, &run, number)).buffer_unordered(AT_ONCE);
        while let Some(took) = raised.try_next().await? {
            times.add(took);
            DONE.add();
        }
        Ok::<_, BenchError>(run.output().await?)
    };
    let ended = tokio::time::timeout(job.limit, whole).await;
    let measured = gauge.finish(DONE.count())?.with_times(&times);
    let Ok(output) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    super::check(run.id(), &output?, &super::sum_below(job.size))?;
    Ok(measured)
}

async fn raise(client: &Client, run: &Run<u64>, number: u64) -> Result<Duration, BenchError> {
    let watch = Stopwatch::start();
    client.raise(run, TICK, number).await?;
    Ok(watch.elapsed())
}
