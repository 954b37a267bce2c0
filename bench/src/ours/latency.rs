//! `latency`: one orchestration of `hello` at a time, while nothing else happens.

use durable::client::Client;
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};

use super::{functions::DONE, hello};
use crate::error::BenchError;

pub(super) async fn run(client: &Client, job: &Job) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    while DONE.count() < job.size && gauge.watch().elapsed() < job.limit {
        let watch = Stopwatch::start();
        hello::one(client).await?;
        times.add(watch.elapsed());
        DONE.add();
    }
    let measured = gauge.finish(DONE.count())?.with_times(&times);
    Ok(Measured { cut_off: measured.operations < job.size, ..measured })
}
