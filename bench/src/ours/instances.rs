//! `instances`: a hub with many ended instances is asked for pages, then purged while new ones run.
//!
//! The instances are made through the store's own contract, without a worker, since they are not what is
//! measured. Begin with [`table`].

use std::{fmt::Write, path::Path, sync::Arc, time::Duration};

use durable::{
    TaskHub,
    client::Client,
    embedded::{EmbeddedProvider, Options},
    history::{BEHAVIOUR, EventKind, ExecutionStarted, HistoryEvent},
    model::{ExecutionId, InstanceId, Payload, RuntimeStatus, Timestamp},
    prelude::{InstanceFilter, InstanceQuery},
    provider::{
        Checkpoint, CheckpointTag, InstanceChange, InstanceStore, NewInstance, OrchestrationWorkItem,
        ProviderError, Reuse, WorkStore,
    },
};
use durable_bench_gauge::{Spread, Stopwatch};
use futures::future::try_join_all;

use super::hello;
use crate::error::BenchError;

/// How many instances are made at once.
const AT_ONCE: u64 = 2_000;
/// How many pages are read of each filter, from the first on, again and again.
const PAGES: usize = 40;
/// How many orchestrations run, one at a time, for the time they take when nothing else happens.
const IDLE: usize = 500;
/// What is to be reached: a page, and how much longer orchestrations may take during a purge.
const PAGE_TARGET: Duration = Duration::from_millis(20);
const PURGE_TARGET: f64 = 5.0;

/// Measures a hub of `count` ended instances in a new file beside `folder`, and sets the result in a table.
pub(crate) fn table(count: u64, folder: &Path) -> Result<String, BenchError> {
    let file = folder.join(format!("durable-instances-{}.db", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(BenchError::system("starting", "tokio"))?;
    let measured = runtime.block_on(measure(count, &file));
    for suffix in ["", "-wal", "-shm", ".lock"] {
        // What was never made need not be removed.
        let _ = std::fs::remove_file(format!("{}{suffix}", file.display()));
    }
    measured
}

async fn measure(count: u64, file: &Path) -> Result<String, BenchError> {
    let provider = EmbeddedProvider::open(file, Options::default()).map_err(durable::Error::from)?;
    let provider = Arc::new(provider);
    let mut text = String::new();
    let watch = Stopwatch::start();
    make(&provider, count).await.map_err(durable::Error::from)?;
    line(&mut text, &format!("{count} ended instances made in {:.1} s", watch.elapsed().as_secs_f64()));

    let hub = TaskHub::with_provider(provider);
    let client = hub.client();
    line(
        &mut text,
        &format!("{:<46}{:>8}{:>8}{:>9}{:>7}", "pages of 100, ms", "p50", "p99", "longest", "found"),
    );
    for (name, filter) in filters(count) {
        let row = pages(&client, filter).await?;
        line(&mut text, &format!("{name:<46}{row}"));
    }
    let counted = timed(client.counts()).await?;
    line(&mut text, &format!("counts: {:.3} ms", milliseconds(counted)));
    purge(&hub, count, &mut text).await?;
    Ok(text)
}

/// Purges everything while orchestrations run one at a time.
async fn purge(hub: &TaskHub, count: u64, text: &mut String) -> Result<(), BenchError> {
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
    line(text, &format!("{purged} purged in {:.1} s", took.as_secs_f64()));
    line(text, &format!("hello when idle: p50 {idle_p50:.2} ms, p99 {idle_p99:.2} ms"));
    line(text, &format!("hello during the purge: p50 {p50:.2} ms, p99 {p99:.2} ms ({} runs)", during.len()));
    let ratio = p99 / idle_p99;
    line(text, &format!("p99 {ratio:.1} times idle: {}", verdict(ratio <= PURGE_TARGET)));
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

fn created(number: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(number))
}

/// Makes instances, ten names in turn, of which one in a hundred has failed.
async fn make(hub: &EmbeddedProvider, count: u64) -> Result<(), ProviderError> {
    hub.begin_work().await?;
    for first in (0..count).step_by(AT_ONCE as usize) {
        let numbers = first..count.min(first + AT_ONCE);
        let made = numbers.end - first;
        try_join_all(numbers.map(|number| hub.create_instance(start_of(number)))).await?;
        let mut ended = 0;
        while ended < made {
            let items = hub.fetch_orchestrations(AT_ONCE as usize).await?;
            ended += items.len() as u64;
            try_join_all(items.into_iter().map(|item| end(hub, item))).await?;
        }
    }
    hub.end_work().await;
    Ok(())
}

fn start_of(number: u64) -> NewInstance {
    let tags = [("shop", number % 1000), ("half", number % 2), ("other", number % 2)];
    let started = ExecutionStarted {
        name: format!("kind-{}", number % 10).into(),
        version: None,
        input: Payload::of(&number).expect("a number is JSON"),
        instance: InstanceId::new(format!("order-{number:07}")).expect("a plain word is an instance id"),
        execution: ExecutionId::new(format!("{number:032x}")),
        generation: 0,
        tags: tags.into_iter().map(|(tag, value)| (tag.to_owned(), value.to_string())).collect(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    };
    NewInstance { started, at: created(number), reuse: Reuse::Never }
}

async fn end(hub: &EmbeddedProvider, item: OrchestrationWorkItem) -> Result<(), ProviderError> {
    let number: u64 = item.instance.as_str().trim_start_matches("order-").parse().unwrap_or(0);
    let at = created(number);
    let status = match number % 1000 {
        999 => RuntimeStatus::Terminated,
        rest if rest % 100 == 9 => RuntimeStatus::Failed,
        _ => RuntimeStatus::Completed,
    };
    let output = Payload::of("done").expect("a text is JSON");
    let mut events = vec![HistoryEvent::new(at, EventKind::OrchestratorStarted)];
    events.extend(item.messages.iter().map(|message| message.event.clone()));
    let end = EventKind::ExecutionCompleted { status, result: output.clone(), failure: None };
    let kinds = [end, EventKind::OrchestratorCompleted { digest: None, rest: Default::default() }];
    events.extend(kinds.into_iter().map(|kind| HistoryEvent::new(at, kind)));
    let change =
        InstanceChange { status, custom_status: None, output: Some(output), failure: None, updated_at: at };
    let checkpoint = Checkpoint {
        execution: item.execution.clone(),
        tag: CheckpointTag(number),
        events,
        activities: Vec::new(),
        messages: Vec::new(),
        cancelled_timers: Vec::new(),
        replaces: false,
        orphans: Vec::new(),
        change,
    };
    hub.checkpoint(item, checkpoint).await
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

fn line(text: &mut String, words: &str) {
    // A text takes all that is written to it.
    let _ = writeln!(text, "{words}");
}
