//! `fan-out`: one orchestration that calls many activities at once.
//!
//! Measured from before its start until its output has been received and compared.

use durable::client::Client;
use durable_bench_gauge::{Gauge, Job, Measured};

use super::functions::{DONE, fan_out};
use crate::error::BenchError;

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let run = client.start(fan_out::with(job.size)).await?;
    let ended = tokio::time::timeout(job.limit, run.output()).await;
    let whole = [gauge.watch().elapsed()].into_iter().collect();
    let measured = gauge.finish(DONE.count())?.with_times(&whole);
    let Ok(output) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    super::check(run.id(), &output?, &super::sum_below(job.size))?;
    Ok(measured)
}
