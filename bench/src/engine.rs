//! What the replay engine costs without a store: nanoseconds a resume and a history row.
//!
//! Knows nothing of hubs and workers. Begin with [`table`]; the targets are those of the design
//! (`replay.md`, section 7).

use std::{
    future::Future,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use durable::{
    history::{BEHAVIOUR, EventId, EventKind, ExecutionStarted, HistoryEvent, Rest},
    model::{ExecutionId, Failure, FunctionName, InstanceId, Payload, Timestamp},
    replay::{Handle, Orchestrator, Session, SessionOptions, Task},
};
use futures::{StreamExt, future, stream::FuturesUnordered};

const WORK: FunctionName = FunctionName::literal("work");
/// How often each row is measured; the median counts.
const ROUNDS: usize = 9;

/// One measured row.
#[derive(Debug)]
struct Row {
    /// What ran.
    name: &'static str,
    /// How many activity calls it made.
    calls: usize,
    /// Nanoseconds for one event applied to a live session.
    live_ns: f64,
    /// Nanoseconds for one event replayed.
    replay_ns: f64,
    /// Nanoseconds for one row of history replayed.
    row_ns: f64,
    /// Milliseconds for the whole replay.
    replay_ms: f64,
}

/// Measures every row, and sets them in a table.
pub(crate) fn table() -> String {
    let mut lines = vec![format!(
        "{:<24}{:>9}{:>10}{:>11}{:>9}{:>11}",
        "nanoseconds", "calls", "live", "replay", "a row", "all, ms"
    )];
    lines.extend(run().iter().map(|row| {
        format!(
            "{:<24}{:>9}{:>10.0}{:>11.0}{:>9.0}{:>11.3}",
            row.name, row.calls, row.live_ns, row.replay_ns, row.row_ns, row.replay_ms
        )
    }));
    let (created, unloaded) = create_and_unload();
    lines.push(format!("create and first resume {created:.0} ns, unload {unloaded:.0} ns"));
    lines.join("\n")
}

/// Measures every row.
fn run() -> Vec<Row> {
    let mut rows = Vec::new();
    for calls in [1_000, 10_000, 100_000] {
        rows.push(measure("sequence", calls, &sequence(calls)));
    }
    for calls in [1_000, 10_000] {
        rows.push(measure("try_join_all", calls, &fan_out(calls)));
        rows.push(measure("window of 50", calls, &window(calls)));
        rows.push(measure("loop of select", calls, &race(calls)));
        rows.push(measure("30 sequential branches", calls, &branches(calls)));
    }
    rows
}

/// Nanoseconds for creating a session and its first resume with one action, and for unloading it.
fn create_and_unload() -> (f64, f64) {
    const SESSIONS: usize = 1_000;
    let orchestrator = sequence(1);
    let (mut created, mut unloaded) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS * 3 {
        let prepared: Vec<_> = (0..SESSIONS)
            .map(|_| (session(&orchestrator), event(EventKind::ExecutionStarted(Box::new(started())))))
            .collect();
        let begin = clock();
        let sessions: Vec<_> =
            prepared.into_iter().map(|(session, start)| begin_with(session, &start)).collect();
        created.push(begin.elapsed());
        let begin = clock();
        drop(black_box(sessions));
        unloaded.push(begin.elapsed());
    }
    (per(median(created), SESSIONS), per(median(unloaded), SESSIONS))
}

fn begin_with(mut session: Session, start: &HistoryEvent) -> Session {
    session.begin_episode(Timestamp::UNIX_EPOCH);
    session.apply(start);
    black_box(session.end_episode());
    session
}

fn measure(name: &'static str, calls: usize, orchestrator: &Orchestrator) -> Row {
    let rounds = if calls > 10_000 { 3 } else { ROUNDS };
    let (mut live, mut replay, mut resumes, mut rows) = (Vec::new(), Vec::new(), 0, 0);
    for _ in 0..rounds {
        let (history, took, messages) = record(orchestrator);
        live.push(took);
        let mut session = session(orchestrator);
        let begin = clock();
        session.replay(&history);
        replay.push(begin.elapsed());
        assert!(session.outcome().is_some(), "`{name}` ends");
        (resumes, rows) = (messages, history.len());
    }
    let (live, replay) = (median(live), median(replay));
    Row {
        name,
        calls,
        live_ns: per(live, resumes),
        replay_ns: per(replay, resumes),
        row_ns: per(replay, rows),
        replay_ms: replay.as_secs_f64() * 1e3,
    }
}

/// Runs live, one answer an episode. Only the engine's own work is timed.
fn record(orchestrator: &Orchestrator) -> (Vec<HistoryEvent>, Duration, usize) {
    let mut session = session(orchestrator);
    let (mut history, mut messages) = (Vec::new(), 0);
    let mut answers =
        std::collections::VecDeque::from([event(EventKind::ExecutionStarted(Box::new(started())))]);
    let begin = clock();
    let mut outside = Duration::ZERO;
    while let Some(message) = answers.pop_front() {
        if !session.expects(&message) {
            continue;
        }
        session.begin_episode(message.timestamp);
        session.apply(&message);
        let end = session.end_episode();
        let pause = clock();
        messages += 1;
        history.push(event(EventKind::OrchestratorStarted));
        history.push(message);
        for action in end.actions {
            if let EventKind::TaskScheduled { input, .. } = &action.kind {
                let result = input.clone();
                answers.push_back(event(EventKind::TaskCompleted { task: action.id, result }));
            }
            history.push(action.into_event(Timestamp::UNIX_EPOCH));
        }
        history.push(event(EventKind::OrchestratorCompleted {
            digest: Some(end.digest),
            rest: Rest::default(),
        }));
        outside += pause.elapsed();
    }
    (history, begin.elapsed().saturating_sub(outside), messages)
}

fn sequence(calls: usize) -> Orchestrator {
    orchestrator(move |ctx| async move {
        for _ in 0..calls {
            call(&ctx).await?;
        }
        Ok(())
    })
}

fn fan_out(calls: usize) -> Orchestrator {
    orchestrator(
        move |ctx| async move { future::try_join_all((0..calls).map(|_| call(&ctx))).await.map(|_| ()) },
    )
}

fn window(calls: usize) -> Orchestrator {
    orchestrator(move |ctx| async move {
        let mut waiting = (0..calls).map(|_| call(&ctx));
        let mut open: FuturesUnordered<_> = waiting.by_ref().take(50).collect();
        while let Some(seen) = open.next().await {
            seen?;
            open.extend(waiting.next());
        }
        Ok(())
    })
}

fn race(calls: usize) -> Orchestrator {
    orchestrator(move |ctx| async move {
        let far = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(60));
        for _ in 0..calls {
            future::select(call(&ctx), ctx.timer(far)).await;
        }
        Ok(())
    })
}

fn branches(calls: usize) -> Orchestrator {
    orchestrator(move |ctx| async move {
        let ctx = &ctx;
        let branch = || async move {
            for _ in 0..calls / 30 {
                call(ctx).await?;
            }
            Ok::<_, Failure>(())
        };
        future::try_join_all((0..30).map(|_| branch())).await.map(|_| ())
    })
}

fn orchestrator<F, Fut>(function: F) -> Orchestrator
where
    F: Fn(Handle) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    Arc::new(move |handle, _input| {
        let future = function(handle);
        Box::pin(async move { future.await.map(|()| Payload::null()) })
    })
}

fn call(ctx: &Handle) -> Task<()> {
    ctx.call(durable::replay::Callee::activity(WORK, Payload::null()))
}

fn session(orchestrator: &Orchestrator) -> Session {
    Session::new(started(), orchestrator.clone(), SessionOptions::default())
}

fn started() -> ExecutionStarted {
    ExecutionStarted {
        name: FunctionName::literal("engine"),
        version: None,
        input: Payload::null(),
        instance: InstanceId::new("engine").expect("a plain word is an instance id"),
        execution: ExecutionId::new("e"),
        generation: 0,
        tags: Default::default(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    }
}

fn event(kind: EventKind) -> HistoryEvent {
    HistoryEvent { id: EventId::NONE, timestamp: Timestamp::UNIX_EPOCH, kind }
}

fn per(took: Duration, count: usize) -> f64 {
    took.as_secs_f64() * 1e9 / count as f64
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn clock() -> Instant {
    Instant::now()
}
