//! Runs an orchestrator against hand-made events, without a store: the base of these tests.

use std::{sync::Arc, time::Duration};

use durable::{
    history::{BEHAVIOUR, EventId, EventKind, ExecutionStarted, HistoryEvent, Rest},
    model::{ExecutionId, Failure, InstanceId, Payload, Storable, Timestamp},
    replay::{Callee, EpisodeEnd, Handle, Orchestrator, Outcome, Session, SessionOptions, Task},
};

/// Erases an orchestrator written against the engine's verbs.
pub(crate) fn orchestrator<F, Fut, T>(function: F) -> Orchestrator
where
    F: Fn(Handle) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Storable,
{
    Arc::new(move |handle, _input| {
        let future = function(handle);
        Box::pin(async move { Ok(future.await?.encode()?) })
    })
}

pub(crate) fn call<T>(handle: &Handle, name: &'static str, input: u32) -> Task<T> {
    handle.call(Callee::activity(name, Payload::of(&input).unwrap()))
}

pub(crate) fn started() -> ExecutionStarted {
    ExecutionStarted {
        name: "script".into(),
        version: None,
        input: Payload::null(),
        instance: InstanceId::new("i").unwrap(),
        execution: ExecutionId::new("e"),
        generation: 0,
        tags: Default::default(),
        scheduled_start: None,
        retention: None,
        parent: None,
        behaviour: BEHAVIOUR,
    }
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds))
}

pub(crate) fn start() -> EventKind {
    EventKind::ExecutionStarted(Box::new(started()))
}

pub(crate) fn completed(task: i32, result: u32) -> EventKind {
    EventKind::TaskCompleted { task: EventId::from_i32(task), result: Payload::of(&result).unwrap() }
}

/// One episode of a live session: appends what it did to `history`.
pub(crate) fn episode(
    session: &mut Session,
    history: &mut Vec<HistoryEvent>,
    messages: impl IntoIterator<Item = EventKind>,
) -> EpisodeEnd {
    let now = at(history.len() as u64);
    session.begin_episode(now);
    history.push(HistoryEvent::new(session.now(), EventKind::OrchestratorStarted));
    for kind in messages {
        let event = HistoryEvent::new(now, kind);
        if session.expects(&event) {
            session.apply(&event);
            history.push(event);
        }
    }
    let end = session.end_episode();
    history.extend(end.actions.iter().cloned().map(|action| action.into_event(now)));
    history.push(HistoryEvent::new(
        now,
        EventKind::OrchestratorCompleted { digest: Some(end.digest), rest: Rest::default() },
    ));
    end
}

pub(crate) fn session(orchestrator: &Orchestrator) -> Session {
    Session::new(started(), orchestrator.clone(), SessionOptions { verify: true, ..Default::default() })
}

pub(crate) fn failed(task: i32, message: &str) -> EventKind {
    EventKind::TaskFailed { task: EventId::from_i32(task), failure: Failure::new(message) }
}

pub(crate) fn fired(timer: i32) -> EventKind {
    EventKind::TimerFired { timer: EventId::from_i32(timer), fire_at: at(0) }
}

pub(crate) fn raised(name: &str, data: &str) -> EventKind {
    EventKind::EventRaised { name: name.into(), input: Payload::from_json(data).unwrap() }
}

pub(crate) fn suspended() -> EventKind {
    EventKind::ExecutionSuspended { reason: "hold".into() }
}

pub(crate) fn resumed() -> EventKind {
    EventKind::ExecutionResumed { reason: "go on".into() }
}

/// The JSON that the execution completed with; panics with its failure otherwise.
pub(crate) fn output(session: &Session) -> String {
    match session.outcome() {
        Some(Outcome::Completed(output)) => output.as_json().to_owned(),
        other => panic!("not completed: {other:?}"),
    }
}

/// Why the execution failed.
pub(crate) fn failure(session: &Session) -> Failure {
    match session.outcome() {
        Some(Outcome::Failed(failure)) => failure.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

/// A live session after its episodes, and its history; a replay has been found to agree with it.
pub(crate) fn run<const EPISODES: usize>(
    orchestrator: &Orchestrator,
    episodes: [Vec<EventKind>; EPISODES],
) -> (Session, Vec<HistoryEvent>) {
    let (mut live, mut history) = (session(orchestrator), Vec::new());
    for messages in episodes {
        episode(&mut live, &mut history, messages);
        let replayed = replayed(orchestrator, &history);
        assert_eq!(replayed.outcome(), live.outcome());
        assert_eq!(replayed.fingerprint(), live.fingerprint());
    }
    (live, history)
}

pub(crate) fn replayed(orchestrator: &Orchestrator, history: &[HistoryEvent]) -> Session {
    let mut replayed = session(orchestrator);
    replayed.replay(history);
    replayed
}
