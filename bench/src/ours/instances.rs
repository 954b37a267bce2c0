//! `instances`: a hub with many ended instances is asked for pages, then purged while new ones run.
//!
//! What is in the hub is made by `population.rs`. Begin with [`print`].

use std::{io::Write, path::Path, sync::Arc, time::Duration};

use durable::{
    TaskHub,
    client::Client,
    embedded::{EmbeddedProvider, Options},
    model::RuntimeStatus,
    prelude::{InstanceFilter, InstanceQuery},
};
use durable_bench_gauge::{Spread, Stopwatch};

use super::{
    hello,
    population::{self, created},
};
use crate::error::BenchError;

/// How many pages are read of each filter, from the first on, again and again.
const PAGES: usize = 40;
/// How many orchestrations run, one at a time, for the time they take when nothing else happens.
const IDLE: usize = 500;
/// What is to be reached: a page, and how much longer orchestrations may take during a purge.
const PAGE_TARGET: Duration = Duration::from_millis(20);
const PURGE_TARGET: f64 = 5.0;

/// Measures a hub of `count` ended instances in a new file in `folder`, and prints the table line by line: it
/// takes minutes. Begins with a copy of the hub at `original`, if that is named; it is made when it is not
/// there.
pub(crate) fn print(
    count: u64,
    folder: &Path,
    original: Option<&Path>,
    out: &mut dyn Write,
) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("starting", "tokio"))?;
    let file = folder.join(format!("durable-instances-{}.db", std::process::id()));
    let measured = runtime.block_on(async {
        if let Some(original) = original {
            if !original.exists() {
                make(original, count, out).await?;
            }
            std::fs::copy(original, &file).map_err(BenchError::system("copying", original))?;
        } else {
            make(&file, count, out).await?;
        }
        measure(count, &file, out).await
    });
    for suffix in ["", "-wal", "-shm", ".lock"] {
        // What was never made need not be removed.
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    measured
}

fn open(file: &Path) -> Result<Arc<EmbeddedProvider>, BenchError> {
    let provider = EmbeddedProvider::open(file, Options::default()).map_err(durable::Error::from)?;
    Ok(Arc::new(provider))
}

async fn make(file: &Path, count: u64, out: &mut dyn Write) -> Result<(), BenchError> {
    let watch = Stopwatch::start();
    population::make(&*open(file)?, count).await.map_err(durable::Error::from)?;
    line(out, &format!("{count} ended instances made in {:.1} s", watch.elapsed().as_secs_f64()))?;
    Ok(())
}

async fn measure(count: u64, file: &Path, out: &mut dyn Write) -> Result<(), BenchError> {
    let hub = TaskHub::with_provider(open(file)?);
    let client = hub.client();
    line(out, &format!("{:<50}{:>8}{:>8}{:>9}{:>7}", "pages of 100, ms", "p50", "p99", "longest", "found"))?;
    for (name, filter) in filters(count) {
        let row = pages(&client, filter).await?;
        line(out, &format!("{name:<50}{row}"))?;
    }
    let counted = timed(client.counts()).await?;
    line(out, &format!("counts: {:.3} ms", milliseconds(counted)))?;
    purge(&hub, count, out).await
}

/// Purges everything while orchestrations run one at a time.
async fn purge(hub: &TaskHub, count: u64, out: &mut dyn Write) -> Result<(), BenchError> {
    let worker = super::start(hub).await?;
    let client = hub.client();
    let mut idle = Spread::default();
    for _ in 0..IDLE {
        idle.add(run_one(&client).await?);
    }
    let watch = Stopwatch::start();
    let purging = client.clone();
    let purge = tokio::spawn(async move {
        let old = InstanceFilter::new().created_to(created(count));
        (purging.purge_by(old).await, watch.elapsed())
    });
    let mut during = Spread::default();
    while !purge.is_finished() {
        during.add(run_one(&client).await?);
    }
    let Ok((purged, took)) = purge.await else { unreachable!("a purge does not panic") };
    worker.shut_down().await?;
    let purged = purged?;
    super::check(&"the purge", &purged, &count)?;
    let times = |spread: &Spread| [50, 99].map(|percent| milliseconds(spread.percentile(percent)));
    let ([idle_p50, idle_p99], [p50, p99]) = (times(&idle), times(&during));
    line(out, &format!("{purged} purged in {:.1} s", took.as_secs_f64()))?;
    line(out, &format!("hello when idle: p50 {idle_p50:.2} ms, p99 {idle_p99:.2} ms"))?;
    line(out, &format!("hello during the purge: p50 {p50:.2} ms, p99 {p99:.2} ms ({} runs)", during.len()))?;
    let ratio = p99 / idle_p99;
    line(out, &format!("p99 {ratio:.1} times idle: {}", verdict(ratio <= PURGE_TARGET)))?;
    Ok(())
}

async fn run_one(client: &Client) -> Result<Duration, BenchError> {
    let watch = Stopwatch::start();
    hello::one(client).await?;
    Ok(watch.elapsed())
}

async fn pages(client: &Client, filter: InstanceFilter) -> Result<String, BenchError> {
    let first = InstanceQuery::of(filter);
    let (mut query, mut times, mut found) = (first.clone(), Spread::default(), 0);
    for _ in 0..PAGES {
        let watch = Stopwatch::start();
        let page = client.query(query.clone()).await?;
        times.add(watch.elapsed());
        found += page.instances.len();
        query = page.next.map_or_else(|| first.clone(), |next| query.after(next));
    }
    let [p50, p99, longest] = [50, 99, 100].map(|percent| milliseconds(times.percentile(percent)));
    let verdict = verdict(times.percentile(100) <= PAGE_TARGET);
    Ok(format!("{p50:>8.2}{p99:>8.2}{longest:>9.2}{:>7}  {verdict}", found / PAGES))
}

/// What is asked for: common, rare and absent things, alone and together.
fn filters(count: u64) -> [(&'static str, InstanceFilter); 14] {
    use RuntimeStatus::{Completed, Failed, Pending, Terminated};
    let all = InstanceFilter::new;
    let middle = all().created_from(created(count / 2)).created_to(created(count / 2 + count / 100));
    [
        ("everything", all()),
        ("completed", all().status(Completed)),
        ("failed or terminated (1.1 %)", all().statuses([Failed, Terminated])),
        ("pending (none)", all().status(Pending)),
        ("a name (10 %)", all().name("kind-7")),
        ("a name that nobody has", all().name("nobody")),
        ("created in the middle (1 %)", middle.clone()),
        ("middle, a name, failed", middle.name("kind-9").status(Failed)),
        ("a prefix (0.1 % or less)", all().id_prefix("order-00012")),
        ("a prefix that all have, failed", all().id_prefix("order-").status(Failed)),
        ("a tag (0.1 %)", all().tag("shop", "77")),
        ("a tag (50 %), terminated", all().tag("half", "0").status(Terminated)),
        ("two tags that nothing has together (50 %, 50 %)", all().tag("half", "0").tag("other", "1")),
        ("a tag (50 %) and a prefix of nothing of it", all().tag("half", "0").id_prefix("order-0000001")),
    ]
}

async fn timed<T>(request: impl Future<Output = Result<T, durable::Error>>) -> Result<Duration, BenchError> {
    let watch = Stopwatch::start();
    request.await?;
    Ok(watch.elapsed())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn verdict(is_reached: bool) -> &'static str {
    if is_reached { "reached" } else { "missed" }
}

fn line(out: &mut dyn Write, words: &str) -> Result<(), BenchError> {
    writeln!(out, "{words}").and_then(|()| out.flush()).map_err(BenchError::Print)
}
