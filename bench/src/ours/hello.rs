//! `hello`: many orchestrations of five activities, all started at once.
//!
//! Measured from before the first start until the last output has been received and compared.

use durable::client::Client;
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch, hello as task};
use futures::stream::{FuturesUnordered, TryStreamExt};

use super::functions::{DONE, GREETED, hello};
use crate::error::BenchError;

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let mut all: FuturesUnordered<_> = (0..job.size).map(|_| timed(client)).collect();
    let mut times = Spread::default();
    let collected = async {
        while let Some(took) = all.try_next().await? {
            times.add(took);
            DONE.add();
        }
        Ok::<_, BenchError>(())
    };
    let ended = tokio::time::timeout(job.limit, collected).await;
    let measured = gauge.finish(DONE.count())?.with_times(&times);
    match ended {
        Err(_) => Ok(task::cut_off(measured, &GREETED, times, job.size, job.limit)),
        Ok(result) => result.map(|()| measured),
    }
}

async fn timed(client: &Client) -> Result<std::time::Duration, BenchError> {
    let watch = Stopwatch::start();
    one(client).await?;
    Ok(watch.elapsed())
}

/// One orchestration, from its start to its output.
pub(super) async fn one(client: &Client) -> Result<(), BenchError> {
    let run = client.start(hello::with()).await?;
    super::check(run.id(), &run.output().await?, &task::expected())
}
