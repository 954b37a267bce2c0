//! The loop of an orchestrator thread: fetch, run the episode, save the checkpoint.
//!
//! Episodes run one after the other on this thread; their commits overlap. A session is kept
//! before its commit is known, under the new checkpoint's name, and forgotten when the commit fails:
//! until then no work item can name it.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    thread::{Builder, JoinHandle},
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
    stream::FuturesUnordered,
};

use tracing::Instrument;

use super::{Host, entities, next_tag, unhandled};
use crate::{
    context::OrchestrationContext,
    episode::{self, Unhandled},
    history::{EventKind, ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{EntityId, Failure, FailureKind, InstanceId, panic_message},
    provider::{Checkpoint, OrchestrationWorkItem, Past, ProviderError},
    registry::OrchestratorFn,
    replay::{Session, SessionOptions},
};

/// How many items one fetch takes. Small, so that threads share a burst.
const BATCH: usize = 64;
/// For how long an item rests that cannot be run now, at first and at most.
const SHORTEST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// Episodes whose commits are under way.
type Settling<'a> = FuturesUnordered<LocalBoxFuture<'a, ()>>;

pub(super) fn spawn(host: Arc<Host>, number: usize) -> std::io::Result<JoinHandle<()>> {
    let name = format!("durable-{number}");
    Builder::new().name(name).spawn(move || futures::executor::block_on(run(&host, number)))
}

async fn run(host: &Host, thread: usize) {
    let mut settling = Settling::new();
    let share = (host.options.max_orchestrations / host.options.orchestrator_threads.max(1)).max(1);
    loop {
        let room = share.saturating_sub(settling.len()).min(BATCH);
        if room == 0 {
            settling.next().await;
            continue;
        }
        match fetch(host, room, &mut settling).await {
            Ok(items) if items.is_empty() => break,
            Ok(items) => settling.extend(items.into_iter().map(|item| {
                host.locks.hold(item.lock);
                match EntityId::of_instance(&item.instance) {
                    Some(entity) => {
                        let span = tracing::info_span!("entity", %entity);
                        entities::process(host, entity, item).instrument(span).boxed_local()
                    }
                    None => process(host, thread, item).boxed_local(),
                }
            })),
            // A store that is out of reach keeps nobody from leaving.
            Err(_) if host.is_stopping() => break,
            Err(error) => {
                tracing::error!(%error, "cannot fetch orchestrations; trying again");
                std::thread::park_timeout(SHORTEST_REST);
            }
        }
    }
    while settling.next().await.is_some() {}
}

/// Fetches, and lets commits go on meanwhile.
async fn fetch<'a>(
    host: &'a Host,
    most: usize,
    settling: &mut Settling<'a>,
) -> Result<Vec<OrchestrationWorkItem>, ProviderError> {
    let mut fetching = pin!(host.provider.fetch_orchestrations(most));
    loop {
        if settling.is_empty() {
            return fetching.await;
        }
        // Commits first: an episode must be on its way before this thread rests.
        match select(settling.next(), fetching.as_mut()).await {
            Either::Left(_) => {}
            Either::Right((fetched, _)) => return fetched,
        }
    }
}

/// Why an item is not run now.
enum NotNow {
    /// This worker lacks the orchestrator. It rests until one comes that has it (DECISIONS 21).
    Unhandled(Box<ExecutionStarted>),
    /// What is to become of it needs no orchestrator to run: it is terminated, or tries again what failed.
    Settled(Box<Checkpoint>),
    /// Its history cannot be read.
    Unreadable(ProviderError),
    /// It has neither a past nor a start.
    Unstarted,
    /// A bug of this library.
    Broken(String),
}

async fn process(host: &Host, thread: usize, item: OrchestrationWorkItem) {
    let lock = item.lock;
    match prepare(host, &item).await {
        Ok(prepared) => match run_episode(host, thread, &item, prepared) {
            Ok((checkpoint, session)) => save(host, item, checkpoint, session).await,
            Err(reason) => set_aside(host, item, reason).await,
        },
        Err(reason) => set_aside(host, item, reason).await,
    }
    host.locks.release(lock);
}

/// A session, and what it must go through before it stands where the item's past ends.
struct Prepared {
    session: Session,
    past: History,
    /// The session that lived through that past, to be compared with in verify mode.
    lived: Option<Session>,
}

async fn prepare(host: &Host, item: &OrchestrationWorkItem) -> Result<Prepared, NotNow> {
    let tag = match item.past {
        Past::At(tag) => Some(tag),
        Past::Empty | Past::Stored => None,
    };
    let lived = host.sessions.take(&item.instance, tag);
    let lived = match lived {
        Some(session) if !host.options.always_replay => {
            return Ok(Prepared { session, past: History::default(), lived: None });
        }
        lived => lived,
    };
    let past = match item.past {
        Past::Empty => History::default(),
        Past::At(_) | Past::Stored => match host.provider.load_history(item).await {
            Ok(past) => past,
            // What was damaged stays so: who gives up on it need not wait for the last attempt.
            Err(error) if !error.is_transient() => {
                let start = host.provider.load_start(item).await.ok();
                let end = terminated(host, item, &History::default(), start.as_ref());
                return Err(match end {
                    Some(NotNow::Settled(mut end)) => {
                        end.messages.extend(entities::breaks(host, item).await);
                        NotNow::Settled(end)
                    }
                    _ => NotNow::Unreadable(error),
                });
            }
            Err(error) => return Err(NotNow::Unreadable(error)),
        },
    };
    // What has not begun never does: no user code runs for it.
    if past.events().is_empty()
        && let Some(terminated) = terminated(host, item, &past, None)
    {
        return Err(terminated);
    }
    let started = past.started().or_else(|| item.messages.iter().find_map(start_in));
    let started = started.ok_or(NotNow::Unstarted)?;
    match new_session(host, started) {
        Some(session) => match rewound(host, item, &past) {
            Some(rewound) => Err(rewound),
            None => Ok(Prepared { session, past, lived }),
        },
        None => {
            let started = started.clone();
            Err(terminated(host, item, &past, None).unwrap_or_else(|| NotNow::Unhandled(started.into())))
        }
    }
}

/// The end of an item that is terminated, without its orchestrator. `start` is how it began, when its past
/// cannot be read.
fn terminated(
    host: &Host,
    item: &OrchestrationWorkItem,
    past: &History,
    start: Option<&ExecutionStarted>,
) -> Option<NotNow> {
    let now = host.provider.clock().now();
    let end = episode::terminate(&item.execution, past, start, &item.messages, now, next_tag())?;
    Some(NotNow::Settled(Box::new(end)))
}

/// The end of an item that is terminated, though its episode does not come so far: what arrived before the
/// order leads to an execution that nobody here can begin.
async fn end_instead(host: &Host, item: &OrchestrationWorkItem) -> Option<NotNow> {
    let is_order =
        |message: &TaskMessage| matches!(message.event.kind, EventKind::ExecutionTerminated { .. });
    if !item.messages.iter().any(is_order) {
        return None;
    }
    let past = match item.past {
        Past::Empty => History::default(),
        Past::At(_) | Past::Stored => host.provider.load_history(item).await.ok()?,
    };
    terminated(host, item, &past, None)
}

/// How an item goes on that has failed and is to try again.
fn rewound(host: &Host, item: &OrchestrationWorkItem, past: &History) -> Option<NotNow> {
    past.outcome()?;
    let started = past.started()?;
    let goes_on = |events: &[HistoryEvent]| {
        new_session(host, started).is_some_and(|mut session| {
            session.replay(events);
            session.outcome().is_none()
        })
    };
    let now = host.provider.clock().now();
    let checkpoint = episode::rewind(past, &item.messages, now, next_tag(), &goes_on)?;
    Some(NotNow::Settled(Box::new(checkpoint)))
}

fn start_in(message: &TaskMessage) -> Option<&ExecutionStarted> {
    match &message.event.kind {
        EventKind::ExecutionStarted(started) => Some(started),
        _ => None,
    }
}

/// A session of the execution, if this worker has its orchestrator.
fn new_session(host: &Host, started: &ExecutionStarted) -> Option<Session> {
    let function = host.orchestrator(&started.name, started.version.as_ref())?.clone();
    Some(session(started.clone(), function, host.session_options.clone()))
}

pub(super) fn session(
    started: ExecutionStarted,
    function: OrchestratorFn,
    options: SessionOptions,
) -> Session {
    let orchestrator = Arc::new(move |handle, input| function(OrchestrationContext::new(handle), input));
    Session::new(started, orchestrator, options)
}

fn run_episode(
    host: &Host,
    thread: usize,
    item: &OrchestrationWorkItem,
    Prepared { mut session, past, lived }: Prepared,
) -> Result<(Checkpoint, Session), NotNow> {
    let now = host.provider.clock().now();
    host.watchdog.begin(thread, &item.instance, now);
    let name = session.started().name.clone();
    if host.options.log_replays {
        host.tracker.replayed(&name, &item.instance, past.events());
    }
    let _entered = tracing::info_span!("orchestration", instance = %item.instance, %name).entered();
    let run = catch_unwind(AssertUnwindSafe(|| {
        session.replay(past.events());
        if let Some(lived) = lived {
            session.verify_against(&lived);
        }
        let begin = |started: &ExecutionStarted| new_session(host, started);
        let checkpoint = episode::run(&mut session, &item.messages, now, next_tag(), &begin);
        (checkpoint, session)
    }));
    host.watchdog.end(thread);
    let (checkpoint, session) = run.map_err(|panic| NotNow::Broken(panic_message(&*panic)))?;
    let checkpoint = checkpoint.map_err(|Unhandled(next)| NotNow::Unhandled(next))?;
    Ok((checkpoint, session))
}

async fn save(host: &Host, item: OrchestrationWorkItem, checkpoint: Checkpoint, mut session: Session) {
    let (instance, tag) = (item.instance.clone(), checkpoint.tag);
    let name = session.started().name.clone();
    host.tracker.episode(Some(&name), &instance, &checkpoint, || session.take_new_waits());
    log_orders(&instance, &checkpoint);
    if !checkpoint.change.status.is_terminal() {
        let bytes = session.weight();
        host.sessions.put(instance.clone(), tag, session, bytes);
    }
    if let Err(error) = host.provider.checkpoint(item, checkpoint).await {
        // Whether it was made or not is unknown: the session must not be used again.
        host.sessions.forget(&instance, tag);
        tracing::error!(%instance, %error, "a checkpoint could not be made; the episode runs again");
    }
}

/// Says which instances are steered from outside, and why (R2:MGT-41, MGT-45).
fn log_orders(instance: &InstanceId, checkpoint: &Checkpoint) {
    for event in &checkpoint.events {
        match &event.kind {
            EventKind::ExecutionTerminated { reason, .. } => tracing::info!(%instance, reason, "terminated"),
            EventKind::ExecutionRewound { reason } => tracing::info!(%instance, reason, "rewound"),
            EventKind::ExecutionSuspended { reason } => tracing::info!(%instance, reason, "suspended"),
            EventKind::ExecutionResumed { reason } => tracing::info!(%instance, reason, "resumed"),
            _ => {}
        }
    }
}

/// Gives an item back that cannot be run now, or fails its instance when that was done too often.
async fn set_aside(host: &Host, item: OrchestrationWorkItem, reason: NotNow) {
    let (instance, attempt) = (item.instance.clone(), item.attempt);
    let is_poison = attempt >= host.options.max_attempts;
    let reason = match reason {
        NotNow::Unhandled(next) => end_instead(host, &item).await.unwrap_or(NotNow::Unhandled(next)),
        reason => reason,
    };
    let settled = match reason {
        NotNow::Settled(end) => {
            tell(host, &item, None, &end).await;
            log_orders(&instance, &end);
            host.provider.checkpoint(item, *end).await
        }
        NotNow::Unhandled(started) => unhandled::settle(host, item, &started).await,
        // What will pass is the store's trouble, however often it was met, and no poison.
        NotNow::Unreadable(error) if is_poison && !error.is_transient() => {
            poison(host, item, &error.to_string()).await
        }
        NotNow::Broken(panic) if is_poison => poison(host, item, &panic).await,
        NotNow::Unreadable(error) => {
            tracing::error!(%instance, %error, attempt, "an orchestration cannot be continued; trying again");
            host.provider.abandon_orchestration(item, rest_after(attempt)).await
        }
        NotNow::Broken(panic) => {
            tracing::error!(%instance, panic, attempt, "an episode broke, which is a bug of `durable`; trying again");
            host.provider.abandon_orchestration(item, rest_after(attempt)).await
        }
        NotNow::Unstarted => {
            tracing::warn!(%instance, attempt, "a work item brought neither a past nor a start; it waits for one");
            host.provider.abandon_orchestration(item, rest_after(attempt)).await
        }
    };
    if let Err(error) = settled {
        tracing::error!(%instance, %error, "a work item could not be settled; it comes again by itself");
    }
}

/// Fails an instance without its orchestrator.
pub(super) async fn fail(
    host: &Host,
    item: OrchestrationWorkItem,
    failure: Failure,
) -> Result<(), ProviderError> {
    let now = host.provider.clock().now();
    // Somebody may wait for it, or for a lock that it holds.
    let started = host.provider.load_start(&item).await.ok();
    let past = host.provider.load_history(&item).await.ok();
    let execution = item.execution.clone();
    let known = past.clone().unwrap_or_default();
    let mut checkpoint =
        episode::fail(execution, &known, started.as_ref(), &item.messages, failure, now, next_tag());
    if past.is_none() {
        checkpoint.messages.extend(entities::breaks(host, &item).await);
    }
    tell(host, &item, started, &checkpoint).await;
    host.provider.checkpoint(item, checkpoint).await
}

/// Tracks an end that came without the orchestrator.
async fn tell(
    host: &Host,
    item: &OrchestrationWorkItem,
    started: Option<ExecutionStarted>,
    checkpoint: &Checkpoint,
) {
    if host.tracker.is_heard() {
        let started = match started {
            Some(started) => Some(started),
            None => host.provider.load_start(item).await.ok(),
        };
        let name = started.map(|started| started.name);
        host.tracker.episode(name.as_ref(), &item.instance, checkpoint, Vec::new);
    }
}

async fn poison(host: &Host, item: OrchestrationWorkItem, why: &str) -> Result<(), ProviderError> {
    let message = format!("the orchestration could not be continued in {} attempts: {why}", item.attempt);
    tracing::error!(instance = %item.instance, message);
    let failure = Failure::of_kind(FailureKind::Poisoned, "Poisoned", message);
    fail(host, item, failure).await
}

pub(super) fn rest_after(attempt: u32) -> Duration {
    SHORTEST_REST.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1))).min(LONGEST_REST)
}
