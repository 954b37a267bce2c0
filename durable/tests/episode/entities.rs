//! What an episode sends to entities: in order, releases last, and at every end what is owed.

use durable::{
    call::{Call, Operation},
    context::OrchestrationContext,
    episode,
    history::{
        EventId, EventKind, History, LockOwner, LockRelease, LockRequest, OperationRequest, RequestBody,
        RequestId, TaskMessage,
    },
    model::{EntityId, ExecutionId, Failure, FailureKind, Payload, RuntimeStatus},
    provider::{Checkpoint, CheckpointTag},
    replay::{Handle, Session},
};

use crate::{at, completed, message as to_i, run, session, start, started, terminated};

fn entity(key: &str) -> EntityId {
    EntityId::new("account", key).unwrap()
}

fn operation(key: &str, name: &'static str) -> Operation<()> {
    entity(key).operation(name, ()).returning()
}

fn granted(section: i32) -> TaskMessage {
    to_i(EventKind::EntityLockGranted { task: EventId::from_i32(section) })
}

fn answered(call: i32) -> TaskMessage {
    let (task, result) = (EventId::from_i32(call), Payload::null());
    to_i(EventKind::EntityOperationCompleted { task, result })
}

/// A message in words: who gets it, and what it asks for.
fn in_words(message: &TaskMessage) -> String {
    let to = &message.instance;
    let EventKind::EntityRequested(request) = &message.event.kind else {
        return format!("{to}: {}", message.event.kind.name());
    };
    let by = |owner: &LockOwner| match &owner.section {
        RequestId::Task(id) => id.to_string(),
        RequestId::Foreign(id) => id.clone(),
    };
    let keys = |of: &[EntityId]| of.iter().map(EntityId::key).collect::<String>();
    match &request.body {
        RequestBody::Operation(OperationRequest { operation, call, section, .. }) => {
            let verb = if call.is_some() { "call" } else { "signal" };
            let within = if section.is_some() { " in its section" } else { "" };
            format!("{to}: {verb} {}{within}", operation.as_str())
        }
        RequestBody::Lock(LockRequest { owner, set, position }) => {
            format!("{to}: lock {} of {}, place {position}", by(owner), keys(set))
        }
        RequestBody::Release(LockRelease { owner, path }) if path.is_empty() => {
            format!("{to}: release {}", by(owner))
        }
        RequestBody::Release(LockRelease { owner, path }) => {
            format!("{to}: release {} along {}", by(owner), keys(path))
        }
        RequestBody::Break(_) => format!("{to}: break"),
        RequestBody::Continue => format!("{to}: continue"),
    }
}

fn sent(checkpoint: &Checkpoint) -> Vec<String> {
    checkpoint.messages.iter().map(in_words).collect()
}

/// Signals an account, locks two others, calls one of them, and waits for an activity within.
async fn works_in_a_section(handle: Handle) -> Result<Payload, Failure> {
    let mut ctx = OrchestrationContext::new(handle);
    ctx.signal(operation("c", "before"));
    let section = ctx.lock([entity("b"), entity("a")]).await?;
    section.signal(operation("c", "within")).map_err(Failure::from)?;
    section.call(operation("a", "add")).await?;
    section.call(Call::<()>::activity("work", ())).await?;
    drop(section);
    ctx.signal(operation("a", "after"));
    Ok(Payload::null())
}

/// Goes through these episodes; gives the last checkpoint and the history.
fn lived(session: &mut Session, episodes: &[&[TaskMessage]]) -> (Checkpoint, History) {
    let mut events = Vec::new();
    let mut last = None;
    for messages in episodes {
        let checkpoint = run(session, messages);
        events.extend(checkpoint.events.clone());
        last = Some(checkpoint);
    }
    (last.unwrap(), History::new(events))
}

fn waits_for_locks() -> (Checkpoint, History) {
    lived(&mut session(works_in_a_section), &[&[start()]])
}

fn is_within() -> (Checkpoint, History) {
    lived(&mut session(works_in_a_section), &[&[start()], &[granted(1)], &[answered(3)]])
}

// R2:ENT-53, R3:ENT-20
#[test]
fn requests_are_sent_in_the_order_of_the_actions_and_locks_to_the_first_entity_only() {
    assert_eq!(
        sent(&waits_for_locks().0),
        ["@account@c: signal before", "@account@a: lock 1 of ab, place 0"]
    );
    let mut live = session(works_in_a_section);
    run(&mut live, &[start()]);
    assert_eq!(
        sent(&run(&mut live, &[granted(1)])),
        ["@account@c: signal within", "@account@a: call add in its section"]
    );
    run(&mut live, &[answered(3)]);
    assert_eq!(
        sent(&run(&mut live, &[completed(4)])),
        ["@account@a: release 1", "@account@b: release 1", "@account@a: signal after"],
        "what is sent after the section comes after its release"
    );
}

// R3:ENT-23: a signal may be for later.
#[test]
fn a_scheduled_signal_is_hidden_until_then() {
    let mut live = session(|handle| async move {
        OrchestrationContext::new(handle).signal(operation("a", "add").at(at(60)));
        Ok(Payload::null())
    });
    let checkpoint = run(&mut live, &[start()]);
    assert_eq!(checkpoint.messages[0].visible_at, Some(at(60)));
}

// R2:ENT-69; DECISIONS 13
#[test]
fn who_is_terminated_releases_what_is_held_and_takes_back_what_is_asked_for() {
    let mut live = session(works_in_a_section);
    run(&mut live, &[start()]);
    assert_eq!(sent(&run(&mut live, &[terminated("enough")])), ["@account@a: release 1 along b"]);

    let mut live = session(works_in_a_section);
    run(&mut live, &[start()]);
    run(&mut live, &[granted(1)]);
    assert_eq!(
        sent(&run(&mut live, &[terminated("enough")])),
        ["@account@a: release 1", "@account@b: release 1"]
    );
}

// The request, and the end that takes it back, in one checkpoint: in this order.
#[test]
fn releases_come_after_all_else_that_an_end_sends() {
    let mut live = session(works_in_a_section);
    assert_eq!(
        sent(&run(&mut live, &[start(), terminated("enough")])),
        ["@account@c: signal before", "@account@a: lock 1 of ab, place 0", "@account@a: release 1 along b"]
    );
    let mut parent = started();
    parent.parent = Some(Box::new(durable::history::ParentInstance {
        name: "parent".into(),
        instance: durable::model::InstanceId::new("parent").unwrap(),
        execution: ExecutionId::new("p"),
        task: EventId::FIRST,
    }));
    let orchestrator = std::sync::Arc::new(|handle, _| Box::pin(works_in_a_section(handle)) as _);
    let mut live = Session::new(parent.clone(), orchestrator, Default::default());
    run(&mut live, &[to_i(EventKind::ExecutionStarted(Box::new(parent)))]);
    run(&mut live, &[granted(1)]);
    let failed = to_i(EventKind::EntityOperationFailed { task: EventId::from_i32(3), failure: "no".into() });
    assert_eq!(
        sent(&run(&mut live, &[failed])),
        ["@account@a: release 1", "@account@b: release 1", "parent: SubOrchestrationInstanceFailed",],
        "dropped by its own hand, and so told before the end"
    );
}

#[test]
fn a_section_that_is_never_dropped_is_released_at_the_end() {
    let mut live = session(|handle| async move {
        let mut ctx = OrchestrationContext::new(handle);
        std::mem::forget(ctx.lock(entity("a")).await?);
        Ok(Payload::null())
    });
    run(&mut live, &[start()]);
    let end = run(&mut live, &[granted(0)]);
    assert_eq!(end.change.status, RuntimeStatus::Completed);
    assert_eq!(sent(&end), ["@account@a: release 0"]);
}

// What the next execution asks for comes after what the one before gave up.
#[test]
fn who_continues_as_new_releases_before_the_next_execution_asks() {
    async fn again(handle: Handle) -> Result<Payload, Failure> {
        let mut ctx = OrchestrationContext::new(handle);
        let round: u32 = ctx.wait_for("go").await?;
        std::mem::forget(ctx.lock(entity("a")));
        if round == 0 { Ok(Payload::null()) } else { ctx.continue_as_new(Call::orchestration("script", ())) }
    }
    let go = |round: &str| {
        let input = Payload::from_json(round).unwrap();
        let mut message = to_i(EventKind::EventRaised { name: "go".into(), input });
        message.execution = None;
        message
    };
    let orchestrator: durable::replay::Orchestrator =
        std::sync::Arc::new(|handle, _| Box::pin(again(handle)) as _);
    let begin = |started: &durable::history::ExecutionStarted| {
        Some(Session::new(started.clone(), orchestrator.clone(), Default::default()))
    };
    let mut live = Session::new(started(), orchestrator.clone(), Default::default());
    let messages = [start(), go("1"), go("1")];
    let end = episode::run(&mut live, &messages, at(1), CheckpointTag(1), &begin).unwrap();
    let once = ["@account@a: lock 0 of a, place 0", "@account@a: release 0"];
    assert_eq!(sent(&end), [once, once].concat());
    let owners: Vec<_> = end.messages.iter().filter_map(owner).collect();
    assert!(owners[0] == owners[1] && owners[2] == owners[3] && owners[1] != owners[2], "{owners:?}");
}

fn owner(message: &TaskMessage) -> Option<LockOwner> {
    let EventKind::EntityRequested(request) = &message.event.kind else { return None };
    match &request.body {
        RequestBody::Lock(request) => Some(request.owner.clone()),
        RequestBody::Release(release) => Some(release.owner.clone()),
        RequestBody::Operation(_) | RequestBody::Break(_) | RequestBody::Continue => None,
    }
}

fn end_of(past: &History, messages: &[TaskMessage]) -> [Vec<String>; 2] {
    let (execution, tag) = (started().execution, CheckpointTag(9));
    let ordered: Vec<_> = messages.iter().cloned().chain([terminated("enough")]).collect();
    let terminated = episode::terminate(&execution, past, None, &ordered, at(5), tag).unwrap();
    let failure = Failure::of_kind(FailureKind::Poisoned, "Poisoned", "ten attempts");
    let failed = episode::fail(execution, past, Some(&started()), messages, failure, at(5), tag);
    [sent(&terminated), sent(&failed)]
}

// R2:ENT-69: nobody here can run the orchestrator.
#[test]
fn an_end_without_the_orchestrator_releases_what_the_history_says() {
    assert_eq!(end_of(&History::default(), &[start()]), [Vec::<String>::new(), Vec::new()]);
    let (_, waiting) = waits_for_locks();
    let withdrawn = vec!["@account@a: release 1 along b".to_owned()];
    assert_eq!(end_of(&waiting, &[]), [withdrawn.clone(), withdrawn.clone()]);
    // The grant that nobody took: the release along the path finds each lock as well.
    assert_eq!(end_of(&waiting, &[granted(1)]), [withdrawn.clone(), withdrawn]);
    let (_, held) = is_within();
    let released = vec!["@account@a: release 1".to_owned(), "@account@b: release 1".to_owned()];
    assert_eq!(end_of(&held, &[]), [released.clone(), released]);
    let mut live = session(works_in_a_section);
    let (_, over) = lived(&mut live, &[&[start()], &[granted(1)], &[answered(3)], &[completed(4)]]);
    assert_eq!(end_of(&over, &[]), [Vec::<String>::new(), Vec::new()]);
}

// Code that changed fails where it took another path; what it owes is what it did before.
#[test]
fn an_execution_that_does_not_replay_releases_what_its_history_says() {
    async fn locks_another(handle: Handle) -> Result<Payload, Failure> {
        let mut ctx = OrchestrationContext::new(handle);
        ctx.signal(operation("c", "before"));
        let section = ctx.lock(entity("z")).await?;
        section.call(operation("z", "add")).await?;
        Ok(Payload::null())
    }
    let (waiting, held) = (waits_for_locks().1, is_within().1);
    for (past, expected) in [
        (waiting, vec!["@account@a: release 1 along b"]),
        (held, vec!["@account@a: release 1", "@account@b: release 1"]),
    ] {
        let mut changed = session(locks_another);
        changed.replay(past.events());
        let end = run(&mut changed, &[completed(4)]);
        assert_eq!(end.change.failure.as_ref().unwrap().kind(), FailureKind::Nondeterministic);
        assert_eq!(sent(&end), expected);
    }
}

type Code = fn(Handle) -> futures::future::BoxFuture<'static, Result<Payload, Failure>>;

/// The rewind of what was lived, with the code that lived it.
fn rewound(past: &History, code: Code) -> Checkpoint {
    let order = to_i(EventKind::ExecutionRewound { reason: "again".into() });
    let goes_on = |events: &[durable::history::HistoryEvent]| {
        let mut again = session(code);
        again.replay(events);
        again.outcome().is_none()
    };
    episode::rewind(past, &[order], at(9), CheckpointTag(2), &goes_on).unwrap()
}

fn failed_answer(call: i32) -> TaskMessage {
    to_i(EventKind::EntityOperationFailed { task: EventId::from_i32(call), failure: "overdrawn".into() })
}

/// The episode in which it takes what the rewind sent to itself.
fn goes_on(rewound: &Checkpoint, code: Code) -> Checkpoint {
    let mut again = session(code);
    again.replay(&rewound.events);
    assert_eq!(again.outcome(), None);
    let to_itself: Vec<_> =
        rewound.messages.iter().filter(|message| message.instance == started().instance).cloned().collect();
    run(&mut again, &to_itself)
}

// DECISIONS 19: the failure took back the request.
#[test]
fn after_a_rewind_locks_that_were_waited_for_are_asked_for_again() {
    let code = |handle| {
        Box::pin(async move {
            let mut ctx = OrchestrationContext::new(handle);
            let work = ctx.call(Call::<()>::activity("work", ()));
            let locking = ctx.lock([entity("a"), entity("b")]);
            work.await?;
            drop(locking.await?);
            Ok(Payload::null())
        }) as _
    };
    let failed = to_i(EventKind::TaskFailed { task: EventId::FIRST, failure: "no power".into() });
    let (end, past) = lived(&mut session(code), &[&[start()], &[failed]]);
    assert_eq!(sent(&end), ["@account@a: release 1 along b"]);
    let rewound = rewound(&past, code);
    assert_eq!(rewound.activities.len(), 1);
    assert_eq!(sent(&rewound), ["@account@a: lock 1 of ab, place 0"]);
    let mut again = session(code);
    again.replay(&rewound.events);
    let end = run(&mut again, &[completed(0), granted(1)]);
    assert_eq!(end.change.status, RuntimeStatus::Completed);
    assert_eq!(sent(&end), ["@account@a: release 1", "@account@b: release 1"]);
}

#[test]
fn after_a_rewind_a_held_section_is_lost_and_its_calls_name_the_rule() {
    let code = |handle| {
        Box::pin(async move {
            let mut ctx = OrchestrationContext::new(handle);
            let section = ctx.lock(entity("a")).await?;
            section.call(Call::<()>::activity("work", ())).await?;
            section.call(operation("a", "add")).await?;
            Ok(Payload::null())
        }) as _
    };
    let failed = to_i(EventKind::TaskFailed { task: EventId::from_i32(1), failure: "no power".into() });
    let (end, past) = lived(&mut session(code), &[&[start()], &[granted(0)], &[failed]]);
    assert_eq!(sent(&end), ["@account@a: release 0"]);
    let rewound = rewound(&past, code);
    assert!(rewound.messages.is_empty(), "{:?}", sent(&rewound));
    let mut again = session(code);
    again.replay(&rewound.events);
    let end = run(&mut again, &[completed(1)]);
    let failure = end.change.failure.unwrap();
    assert_eq!(failure.kind(), FailureKind::LockingRules);
    assert!(failure.message().contains("no longer held"), "{failure}");
}

#[test]
fn after_a_rewind_a_failed_operation_is_asked_for_again() {
    let code = |handle| {
        Box::pin(async move {
            OrchestrationContext::new(handle).call(operation("a", "add")).await?;
            Ok(Payload::null())
        }) as _
    };
    let (_, past) = lived(&mut session(code), &[&[start()], &[failed_answer(0)]]);
    let rewound = rewound(&past, code);
    assert_eq!(sent(&rewound), ["@account@a: call add"]);
    assert_eq!(goes_on(&rewound, code).events.len(), 0, "it waits for the answer");
}

// Its execution ended with the call under way. Whether the operation ran cannot be known, and to run it twice could do harm.
#[test]
fn after_a_rewind_a_call_that_had_no_answer_fails_as_lost() {
    let code = |handle| {
        Box::pin(async move {
            let ctx = OrchestrationContext::new(handle);
            let slow = ctx.call(operation("a", "add"));
            ctx.call(Call::<()>::activity("work", ())).await?;
            slow.await?;
            Ok(Payload::null())
        }) as _
    };
    let failure = Failure::of_kind(FailureKind::Poisoned, "Poisoned", "ten attempts");
    let (tag, execution) = (CheckpointTag(9), started().execution);
    let (_, open) = lived(&mut session(code), &[&[start()]]);
    let end = episode::fail(execution, &open, Some(&started()), &[], failure, at(5), tag);
    let past = History::new(open.into_events().into_iter().chain(end.events).collect());
    let rewound = rewound(&past, code);
    assert_eq!(sent(&rewound), ["i: EntityOperationFailed"]);
    let mut again = session(code);
    again.replay(&rewound.events);
    let end = run(&mut again, &[completed(1), rewound.messages[0].clone()]);
    assert_eq!(end.change.failure.unwrap().kind(), FailureKind::LockLost);
}
