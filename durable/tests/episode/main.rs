//! Episodes from outside: given a session, when these messages arrive, this is saved.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without may panic")]

mod entities;

use std::{future::Future, sync::Arc, time::Duration};

use durable::{
    episode,
    history::{
        BEHAVIOUR, EventId, EventKind, ExecutionStarted, History, HistoryEvent, ParentInstance, Rest,
        TaskMessage,
    },
    model::{Attempt, ExecutionId, Failure, FailureKind, InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{Checkpoint, CheckpointTag},
    replay::{Callee, Child, Handle, Session, SessionOptions, Task},
};

fn started() -> ExecutionStarted {
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

fn session<Fut>(function: fn(Handle) -> Fut) -> Session
where
    Fut: Future<Output = Result<Payload, Failure>> + Send + 'static,
{
    let orchestrator = Arc::new(move |handle, _| Box::pin(function(handle)) as _);
    Session::new(started(), orchestrator, SessionOptions::default())
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(seconds))
}

fn message(kind: EventKind) -> TaskMessage {
    TaskMessage {
        instance: started().instance,
        execution: Some(started().execution),
        event: HistoryEvent::new(at(0), kind),
        visible_at: None,
    }
}

fn start() -> TaskMessage {
    message(EventKind::ExecutionStarted(Box::new(started())))
}

fn completed(task: i32) -> TaskMessage {
    message(EventKind::TaskCompleted { task: EventId::from_i32(task), result: Payload::null() })
}

fn run(session: &mut Session, messages: &[TaskMessage]) -> Checkpoint {
    episode::run(session, messages, at(1), CheckpointTag(1), &|_| None).unwrap()
}

fn names(checkpoint: &Checkpoint) -> Vec<&'static str> {
    checkpoint.events.iter().map(|event| event.kind.name()).collect()
}

fn call(handle: &Handle) -> Task<()> {
    handle.call(Callee::activity("work", Payload::null()))
}

async fn one_call(handle: Handle) -> Result<Payload, Failure> {
    call(&handle).await?;
    call(&handle).await?;
    Ok(Payload::null())
}

// R2:HUB-15, R2:HUB-16; R3:DIAG-36
#[test]
fn the_first_episode_asks_for_the_activity_and_leaves_the_instance_running() {
    let checkpoint = run(&mut session(one_call), &[start()]);
    assert_eq!(
        names(&checkpoint),
        ["OrchestratorStarted", "ExecutionStarted", "TaskScheduled", "OrchestratorCompleted"]
    );
    assert_eq!(checkpoint.activities, [checkpoint.events[2].clone()]);
    assert_eq!(checkpoint.change.status, RuntimeStatus::Running);
}

// R1:ORCH-21, R1:SKIP-33: what comes late or twice is dropped, and nothing is recorded for it.
#[test]
fn late_double_and_unasked_messages_are_consumed_and_leave_no_event() {
    let mut session = session(one_call);
    run(&mut session, &[start()]);
    let checkpoint = run(&mut session, &[start(), completed(7)]);
    assert_eq!((names(&checkpoint).len(), checkpoint.change.status), (0, RuntimeStatus::Running));

    let twice = run(&mut session, &[completed(0), completed(0)]);
    assert_eq!(names(&twice).iter().filter(|name| **name == "TaskCompleted").count(), 1);
    assert!(run(&mut session, &[completed(0)]).events.is_empty());
}

// DECISIONS 9
#[test]
fn an_answer_to_another_execution_is_dropped() {
    let mut session = session(one_call);
    run(&mut session, &[start()]);
    let other = TaskMessage { execution: Some(ExecutionId::new("before")), ..completed(0) };
    assert!(run(&mut session, &[other]).events.is_empty());
}

// DECISIONS 8: a timer that was made and dropped in one episode is recorded and never sent.
#[test]
fn a_dropped_timer_is_recorded_and_not_set() {
    let mut session = session(|handle| async move {
        drop(handle.timer(at(60)));
        let kept = handle.timer(at(90));
        kept.await?;
        Ok(Payload::null())
    });
    let checkpoint = run(&mut session, &[start()]);
    assert_eq!(names(&checkpoint).iter().filter(|name| **name == "TimerCreated").count(), 2);
    assert_eq!(checkpoint.cancelled_timers, [EventId::from_i32(0)]);
    let due: Vec<_> = checkpoint.messages.iter().map(|message| message.visible_at).collect();
    assert_eq!(due, [Some(at(90))]);
}

#[test]
fn an_event_to_another_instance_is_recorded_and_sent() {
    let mut session = session(|handle| async move {
        handle.send_event(InstanceId::new("other").unwrap(), "Go".into(), Payload::of(&1)?);
        Ok(Payload::null())
    });
    let checkpoint = run(&mut session, &[start()]);
    assert_eq!(checkpoint.messages.len(), 1);
    assert_eq!(checkpoint.messages[0].instance.as_str(), "other");
    assert_eq!(checkpoint.messages[0].event.kind.name(), "EventRaised");
}

// R2:HUB-19, R1:ORCH-31
#[test]
fn an_orchestrator_that_fails_ends_its_instance_with_the_reason() {
    let mut session = session(|_| async { Err("no stock".into()) });
    let checkpoint = run(&mut session, &[start()]);
    assert_eq!(checkpoint.change.status, RuntimeStatus::Failed);
    assert_eq!(checkpoint.change.failure.unwrap().message(), "no stock");
    let end = &checkpoint.events[2];
    assert_eq!((end.id, end.kind.name()), (EventId::FIRST, "ExecutionCompleted"));
}

#[test]
fn an_execution_that_cannot_go_on_ends_with_an_episode_of_its_own() {
    let failure = Failure::of_kind(FailureKind::Poisoned, "Poisoned", "ten attempts");
    let checkpoint =
        episode::fail(started().execution, &History::default(), None, &[], failure, at(5), CheckpointTag(9));
    assert_eq!(names(&checkpoint), ["OrchestratorStarted", "ExecutionCompleted", "OrchestratorCompleted"]);
    assert_eq!(checkpoint.change.status, RuntimeStatus::Failed);
}

fn terminated(reason: &str) -> TaskMessage {
    message(EventKind::ExecutionTerminated { reason: reason.into(), recursive: false })
}

// R2:MGT-42: in line with the other messages; the first end stands.
#[test]
fn what_comes_after_the_end_in_one_episode_is_dropped() {
    let mut session = session(one_call);
    run(&mut session, &[start()]);
    let checkpoint = run(&mut session, &[terminated("first"), terminated("second"), completed(0)]);
    assert_eq!(
        names(&checkpoint),
        ["OrchestratorStarted", "ExecutionTerminated", "ExecutionCompleted", "OrchestratorCompleted"]
    );
    assert_eq!(checkpoint.change.output.unwrap().as_json(), "\"first\"");
}

// R2:MGT-19, R2:ERR-22
#[test]
fn why_it_was_suspended_is_seen_until_it_goes_on_or_fails() {
    let suspend = || message(EventKind::ExecutionSuspended { reason: "lunch".into() });
    let resume = || message(EventKind::ExecutionResumed { reason: "back".into() });
    let output = |checkpoint: Checkpoint| checkpoint.change.output.map(|output| output.as_json().to_owned());
    let mut live = session(one_call);
    assert_eq!(output(run(&mut live, &[start()])), None);
    assert_eq!(output(run(&mut live, &[suspend()])).as_deref(), Some("\"lunch\""));
    assert_eq!(output(run(&mut live, &[completed(0)])), None, "it is left as it is");
    assert_eq!(output(run(&mut live, &[resume(), suspend(), resume()])).as_deref(), Some("null"));

    let mut fails = session(|_| async { Err("no luck".into()) });
    let failed = run(&mut fails, &[start(), suspend()]);
    assert_eq!(failed.change.status, RuntimeStatus::Failed);
    assert_eq!(output(failed).as_deref(), Some("null"));
}

// R2:MGT-41: for one that has not begun, or that nobody here knows.
#[test]
fn an_execution_is_terminated_without_its_orchestrator_if_a_message_says_so() {
    let mut session = session(one_call);
    let past = run(&mut session, &[start()]).events.into();
    let (execution, nothing) = (started().execution, Default::default());
    let terminate = |past, messages: &[TaskMessage]| {
        episode::terminate(&execution, past, None, messages, at(2), CheckpointTag(2))
    };
    assert!(terminate(&past, &[completed(0)]).is_none());
    let other = TaskMessage { execution: Some(ExecutionId::new("before")), ..terminated("a") };
    assert!(terminate(&past, &[other]).is_none());

    let end = terminate(&past, &[completed(0), terminated("a")]).unwrap();
    assert_eq!(
        names(&end),
        ["OrchestratorStarted", "ExecutionTerminated", "ExecutionCompleted", "OrchestratorCompleted"]
    );
    assert_eq!(end.events[2].id, EventId::from_i32(1), "the action after the last one");
    let end = terminate(&nothing, &[start(), terminated("a")]).unwrap();
    assert_eq!((names(&end)[1], end.events[3].id), ("ExecutionStarted", EventId::FIRST));
    assert_eq!(end.change.status, RuntimeStatus::Terminated);
}

// Its parent would wait for ever.
#[test]
fn whoever_asks_for_another_orchestration_under_the_id_is_refused_however_this_one_ends() {
    let parent = ParentInstance {
        name: "parent".into(),
        instance: InstanceId::new("parent").unwrap(),
        execution: ExecutionId::new("asks"),
        task: EventId::FIRST,
    };
    let other = ExecutionStarted {
        execution: ExecutionId::new("other"),
        parent: Some(Box::new(parent)),
        ..started()
    };
    let asked = TaskMessage {
        execution: Some(other.execution.clone()),
        ..message(EventKind::ExecutionStarted(Box::new(other)))
    };
    let (past, own) = (History::new(run(&mut session(one_call), &[start()]).events), started());
    let refused = |checkpoint: Checkpoint| match checkpoint.messages.as_slice() {
        [TaskMessage { event, .. }] => {
            matches!(&event.kind, EventKind::SubOrchestrationInstanceFailed { failure, .. } if failure.kind() == FailureKind::IdTaken)
        }
        _ => false,
    };
    let together = [asked, terminated("a")];
    let mut session = session(one_call);
    run(&mut session, &[start()]);
    assert!(refused(run(&mut session, &together)));
    let ended = episode::terminate(&own.execution, &past, None, &together, at(2), CheckpointTag(2));
    assert!(refused(ended.unwrap()));
    let failure = Failure::new("poisoned");
    let failed = episode::fail(
        own.execution.clone(),
        &History::default(),
        Some(&own),
        &together,
        failure,
        at(2),
        CheckpointTag(2),
    );
    assert!(refused(failed));
}

/// An execution that called an activity, which failed, and it with it.
fn failed() -> History {
    let failure = || Failure::new("no power");
    let end = EventKind::ExecutionCompleted {
        status: RuntimeStatus::Failed,
        result: Payload::null(),
        failure: Some(failure()),
    };
    let asked = EventKind::TaskScheduled {
        name: "work".into(),
        version: None,
        input: Payload::null(),
        attempt: Attempt::ONLY,
    };
    let closing = || EventKind::OrchestratorCompleted { digest: None, rest: Rest::default() };
    let event = |kind| HistoryEvent::new(at(0), kind);
    let action = |id, kind| HistoryEvent::action(EventId::from_i32(id), at(0), kind);
    History::new(vec![
        event(EventKind::OrchestratorStarted),
        start().event,
        action(0, asked),
        event(closing()),
        event(EventKind::OrchestratorStarted),
        event(EventKind::TaskFailed { task: EventId::FIRST, failure: failure() }),
        action(1, end),
        event(closing()),
    ])
}

// The execution before this one may have been continued as new without waiting for what it called; the numbers
// of its calls mean others here. DECISIONS 19
#[test]
fn an_answer_to_an_execution_before_is_none_to_one_that_is_rewound() {
    let rewound = message(EventKind::ExecutionRewound { reason: "again".into() });
    let late = TaskMessage { execution: Some(ExecutionId::new("before")), ..completed(0) };
    let checkpoint =
        episode::rewind(&failed(), &[rewound, late.clone()], at(1), CheckpointTag(1), &|_| true).unwrap();
    let asked: Vec<_> = checkpoint.activities.iter().map(|asked| asked.id.as_i32()).collect();
    assert_eq!(asked, [0], "what failed is asked for again");
    assert_eq!(checkpoint.messages, [late], "and the answer stays whose it is");
}

// Perhaps the execution continues as new before the event's turn comes. DECISIONS 9
#[test]
fn an_event_that_came_after_the_failure_is_still_for_whichever_execution_is_current() {
    let raised = |name: &str| EventKind::EventRaised { name: name.into(), input: Payload::null() };
    let mut events = failed().into_events();
    events.insert(6, HistoryEvent::new(at(0), raised("recorded")));
    let rewound = message(EventKind::ExecutionRewound { reason: "again".into() });
    let new = TaskMessage { execution: None, ..message(raised("new")) };
    let history = History::new(events);
    let checkpoint =
        episode::rewind(&history, &[rewound, new.clone()], at(1), CheckpointTag(1), &|_| true).unwrap();
    let recorded = TaskMessage { execution: None, ..message(raised("recorded")) };
    assert_eq!(checkpoint.messages, [recorded, new]);
}

// R2:ETE-3: what has waited while nobody worked comes in one episode.
#[test]
fn an_execution_that_takes_an_event_has_not_followed_in_vain() {
    const EVENTS: usize = 100_010;
    const HELD: usize = 10_000;
    async fn takes_one(handle: Handle) -> Result<Payload, Failure> {
        handle.wait::<Payload>("Number".into()).await?;
        let child = Child {
            name: "script".into(),
            version: None,
            input: Payload::null(),
            instance: None,
            tags: Default::default(),
            scheduled_start: None,
        };
        handle.continue_as_new(child);
        Ok(Payload::null())
    }
    let begin = |next: &ExecutionStarted| {
        let orchestrator = Arc::new(|handle, _| Box::pin(takes_one(handle)) as _);
        Some(Session::new(next.clone(), orchestrator, SessionOptions::default()))
    };
    let kind = EventKind::EventRaised { name: "Number".into(), input: Payload::null() };
    let raised = TaskMessage { execution: None, ..message(kind) };
    let (suspended, resumed) = (
        message(EventKind::ExecutionSuspended { reason: String::new() }),
        message(EventKind::ExecutionResumed { reason: String::new() }),
    );
    let at_once = [vec![start()], vec![raised.clone(); EVENTS]].concat();
    let held = [vec![start(), suspended], vec![raised; HELD], vec![resumed]].concat();
    for messages in [at_once, held] {
        let end = episode::run(&mut session(takes_one), &messages, at(1), CheckpointTag(1), &begin).unwrap();
        assert_eq!(end.change.status, RuntimeStatus::Running, "{:?}", end.change.failure);
        assert_eq!(names(&end), ["OrchestratorStarted", "ExecutionStarted", "OrchestratorCompleted"]);
    }
}

// DECISIONS 10: it fails for a reason that is not its own, and is let try again while nobody has resumed it.
#[test]
fn one_that_was_suspended_when_it_failed_is_suspended_when_it_is_rewound() {
    let mut session = session(one_call);
    let suspended = message(EventKind::ExecutionSuspended { reason: "lunch".into() });
    let mut events = run(&mut session, &[start(), suspended]).events;
    let (execution, failure) = (started().execution, Failure::new("poisoned"));
    events.extend(
        episode::fail(
            execution,
            &History::default(),
            None,
            &[completed(0)],
            failure,
            at(2),
            CheckpointTag(2),
        )
        .events,
    );
    let rewound = message(EventKind::ExecutionRewound { reason: "again".into() });
    let checkpoint =
        episode::rewind(&History::new(events), &[rewound], at(3), CheckpointTag(3), &|_| true).unwrap();
    assert_eq!(checkpoint.change.status, RuntimeStatus::Suspended);
    assert_eq!(checkpoint.change.output.unwrap().as_json(), "\"lunch\"");
    assert_eq!(checkpoint.messages, [completed(0)], "what nobody took comes again");
}

// The id is another's by then: one that had it before, or that was begun under it since.
#[test]
fn a_child_that_has_answered_is_not_ended_with_its_parent_though_the_answer_is_held() {
    async fn calls_one(handle: Handle) -> Result<Payload, Failure> {
        let child = Child {
            name: "child".into(),
            version: None,
            input: Payload::null(),
            instance: Some(InstanceId::new("taken").unwrap()),
            tags: Default::default(),
            scheduled_start: None,
        };
        handle.call::<Payload>(Callee::Orchestration(Box::new(child))).await
    }
    let answer = EventKind::SubOrchestrationInstanceFailed {
        task: EventId::FIRST,
        failure: Failure::of_kind(FailureKind::IdTaken, "InstanceIdTaken", "it is live"),
    };
    let suspended = message(EventKind::ExecutionSuspended { reason: "lunch".into() });
    let order = message(EventKind::ExecutionTerminated { reason: "enough".into(), recursive: true });
    let mut session = session(calls_one);
    let past = History::new(run(&mut session, &[start()]).events);
    let together = [suspended, message(answer), order];
    assert_eq!(run(&mut session, &together).messages, []);
    let execution = started().execution;
    let end = episode::terminate(&execution, &past, None, &together, at(2), CheckpointTag(2)).unwrap();
    assert_eq!(end.messages, []);
}
