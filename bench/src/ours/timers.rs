//! `timers`: many timers that are due within one second, of as many orchestrations or of one.
//!
//! They are set a day ahead; when all are, the clock is moved to shortly before that second. Measured from its
//! beginning until the last output has been received, while `hello` runs, one at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use durable::{
    client::{Client, Run},
    clock::Clock,
    model::Timestamp,
};
use durable_bench_gauge::{Gauge, Job, Measured, Spread, Stopwatch};
use futures::stream::{self, FuturesUnordered, StreamExt, TryStreamExt};

use super::{
    clock::MovableClock,
    functions::{DONE, due, wait_for_all, wait_until},
    hello,
};
use crate::error::BenchError;

/// How far ahead the timers are set: more than the setting takes.
const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);
/// How long before they are due the clock is moved to: the store looks at its clock once a second at least.
const NOTICE: Duration = Duration::from_secs(2);
/// How many starts wait for the disk at once.
const AT_ONCE: usize = 1000;

/// As many orchestrations as timers.
pub(super) async fn many(client: &Client, clock: &MovableClock, job: &Job) -> Result<Measured, BenchError> {
    let from = clock.now().saturating_add(AHEAD);
    let starts = stream::iter(0..job.size).map(|number| async move {
        let run = client.start(wait_until::with(due(from, number, job.size))).await?;
        run.wait_for_start().await?;
        Ok::<_, BenchError>(run)
    });
    let runs: Vec<_> = starts.buffered(AT_ONCE).try_collect().await?;
    let second = Second::approach(client, clock, from).await?;
    let mut times = Spread::default();
    let mut all: FuturesUnordered<_> =
        runs.iter().zip(0..).map(|(run, number)| second.ended(run, number, job.size)).collect();
    let whole = async {
        while let Some(late) = all.try_next().await? {
            times.add(late);
            DONE.add();
        }
        Ok::<_, BenchError>(())
    };
    let ended = tokio::time::timeout(job.limit, whole).await;
    drop(all);
    let measured = second.finish(DONE.count()).await?.with_times(&times);
    ended.map_or(Ok(Measured { cut_off: true, ..measured.clone() }), |ended| ended.map(|()| measured))
}

/// All timers in one orchestration.
pub(super) async fn of_one(client: &Client, clock: &MovableClock, job: &Job) -> Result<Measured, BenchError> {
    let from = clock.now().saturating_add(AHEAD);
    let run = client.start(wait_for_all::with((from, job.size))).await?;
    run.wait_for_start().await?;
    let second = Second::approach(client, clock, from).await?;
    let ended = tokio::time::timeout(job.limit, run.output()).await;
    let whole = [second.gauge.watch().elapsed()].into_iter().collect();
    let done = if ended.is_ok() { job.size } else { 0 };
    let measured = second.finish(done).await?.with_times(&whole);
    let Ok(output) = ended else { return Ok(Measured { cut_off: true, ..measured }) };
    super::check(run.id(), &output?, &job.size)?;
    Ok(measured)
}

/// The second in which all timers are due, and what runs meanwhile.
struct Second {
    gauge: Gauge,
    is_over: Arc<AtomicBool>,
    meanwhile: tokio::task::JoinHandle<Result<Spread, BenchError>>,
}

impl Second {
    /// Moves the clock to shortly before `from`, and returns when it is reached.
    async fn approach(client: &Client, clock: &MovableClock, from: Timestamp) -> Result<Self, BenchError> {
        let watch = Stopwatch::start();
        clock.move_to(Timestamp::from_microseconds(from.as_microseconds() - micros(NOTICE)));
        tokio::time::sleep(NOTICE.saturating_sub(watch.elapsed())).await;
        let gauge = Gauge::start()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let meanwhile = tokio::spawn(greet(client.clone(), is_over.clone()));
        Ok(Self { gauge, is_over, meanwhile })
    }

    /// Waits for the end of the orchestration with this number; how late that is.
    async fn ended(&self, run: &Run<()>, number: u64, size: u64) -> Result<Duration, BenchError> {
        run.output().await?;
        let due = Duration::from_secs(1).mul_f64(ratio(number, size));
        Ok(self.gauge.watch().elapsed().saturating_sub(due))
    }

    async fn finish(self, done: u64) -> Result<Measured, BenchError> {
        let measured = self.gauge.finish(done)?;
        self.is_over.store(true, Ordering::Relaxed);
        let Ok(times) = self.meanwhile.await else { unreachable!("what runs meanwhile does not panic") };
        let times = times?;
        let [p50, p99] = [50, 99].map(|percent| times.percentile(percent).as_secs_f64() * 1e3);
        let late = (measured.seconds - 1.0).max(0.0);
        Ok(Measured { late_seconds: Some(late), meanwhile: Some((times.len() as u64, p50, p99)), ..measured })
    }
}

/// Runs `hello`, one at a time, until the timers are over.
async fn greet(client: Client, is_over: Arc<AtomicBool>) -> Result<Spread, BenchError> {
    let mut times = Spread::default();
    while !is_over.load(Ordering::Relaxed) {
        let watch = Stopwatch::start();
        hello::one(&client).await?;
        times.add(watch.elapsed());
    }
    Ok(times)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts of timers are far below 2^52")]
fn ratio(of: u64, to: u64) -> f64 {
    of as f64 / to as f64
}
