//! `entity-one` and `entity-many`: counters, which a client signals, many signals at a time.
//!
//! Measured from before the first signal is sent until every counter has answered a call that came after
//! all of its signals: it has run them. What the counters hold is compared then.

use std::time::Duration;

use durable::{
    client::{Client, Run},
    prelude::*,
};
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use super::functions::DONE;
use crate::error::BenchError;

/// How many of the client's requests wait for the disk at once.
const AT_ONCE: usize = 1000;

/// Adds up what it is told.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Counter {
    sum: u64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: u64) {
        self.sum += amount;
    }

    fn sum(&self) -> u64 {
        self.sum
    }
}

/// What counters hold, added up: those from `first` on.
#[orchestrator]
async fn sum_of(ctx: OrchestrationContext, first: u64, count: u64) -> Result<u64, Failure> {
    let calls: Vec<_> = (first..first + count).map(|number| ctx.call(Counter::at(number).sum())).collect();
    Ok(futures::future::try_join_all(calls).await?.into_iter().sum())
}

pub(super) async fn run(client: &Client, job: &Job, counters: u64) -> Result<Measured, BenchError> {
    let gauge = Gauge::start()?;
    let mut times = Spread::default();
    let whole = async {
        let mut sent = stream::iter(0..job.size)
            .map(|number| signal(client, number % counters, number))
            .buffer_unordered(AT_ONCE);
        while let Some(took) = sent.try_next().await? {
            times.add(took);
            DONE.add();
        }
        const SHARE: u64 = 100;
        let mut asked: Vec<Run<u64>> = Vec::new();
        for first in (0..counters).step_by(100) {
            asked.push(client.start(sum_of::with(first, SHARE.min(counters - first))).await?);
        }
        let mut sum = 0;
        for run in asked {
            sum += run.output().await?;
        }
        Ok::<_, BenchError>(sum)
    };
    let ended = tokio::time::timeout(job.limit, whole).await;
    let measured = gauge.finish(DONE.count())?.with_times(&times);
    let Ok(sum) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    super::check(&"the counters", &sum?, &super::sum_below(job.size))?;
    Ok(measured)
}

async fn signal(client: &Client, key: u64, amount: u64) -> Result<Duration, BenchError> {
    let watch = Stopwatch::start();
    client.signal(Counter::at(key).add(amount)).await?;
    Ok(watch.elapsed())
}
