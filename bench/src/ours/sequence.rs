//! `sequence`: one orchestration that calls many activities, one after the other.
//!
//! Whether later steps cost more than earlier ones is what its quarters show.

use durable::client::Client;
use durable_bench_gauge::{Gauge, Job, Measured};

use super::functions::{CLOCK, DONE, STEPS, sequence};
use crate::error::BenchError;

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    CLOCK.get_or_init(|| gauge.watch());
    let run = client.start(sequence::with(job.size)).await?;
    let ended = tokio::time::timeout(job.limit, run.output()).await;
    let measured = gauge.finish(DONE.count())?.with_times(&STEPS.gaps());
    let measured = Measured { quarters: STEPS.quarters(), ..measured };
    let Ok(output) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    super::check(run.id(), &output?, &super::sum_below(job.size))?;
    Ok(measured)
}
