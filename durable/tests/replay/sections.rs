//! Critical sections against written histories: asking for locks, the rules while they are held, giving them
//! up. What an end sends that the orchestrator did not stands in `tests/episode/entities.rs`.

use std::time::Duration;

use durable::{
    call::{Call, Operation},
    context::OrchestrationContext,
    entity::LockRule,
    model::{EntityId, Failure, FailureKind},
    replay::{Callee, Child, OperationAsked, Outcome, Task},
};
use durable_testkit::{
    history::{
        complete, completed, continue_as_new, fail, fired, locks_granted, locks_requested, next_episode,
        operation_answered, operation_called, operation_failed, raised, resumed, scheduled, signalled,
        started, suspended, terminated, terminates, timer, unlocked, withdrawn,
    },
    replay,
};

use crate::script::{episode, orchestrator, replayed, session, start};

const BOTH: &[&str] = &["@account@a", "@account@b"];

fn account(key: &str) -> EntityId {
    EntityId::new("account", key).unwrap()
}

fn balance(key: &str) -> Operation<i64> {
    account(key).operation("balance", ()).returning()
}

async fn transfers(mut ctx: OrchestrationContext) -> Result<i64, Failure> {
    let section = ctx.lock([account("b"), account("a"), account("b")]).await?;
    let balance = section.call(balance("a")).await?;
    drop(section);
    Ok(balance)
}

// R2:ENT-48, R2:ENT-67: in the one order of the hub, each once.
#[test]
fn locks_are_asked_for_sorted_and_each_once() {
    replay(transfers).then([started(())]).asks_for([locks_requested(0, BOTH)]);
}

#[test]
fn a_section_begins_when_all_locks_are_granted_and_gives_them_up_when_it_is_dropped() {
    replay(transfers)
        .history([started(()), locks_requested(0, BOTH)])
        .then([locks_granted(0)])
        .asks_for([operation_called(1, "@account@a", "balance").within(0).with(())]);
    replay(transfers)
        .history([
            started(()),
            locks_requested(0, BOTH),
            locks_granted(0),
            operation_called(1, "@account@a", "balance").within(0),
        ])
        .then([operation_answered(1, 5)])
        .asks_for([unlocked(2, 0, BOTH), complete(5)]);
}

#[test]
fn an_answer_to_a_call_is_no_grant_and_a_grant_no_answer() {
    replay(transfers)
        .history([started(()), locks_requested(0, BOTH)])
        .then([operation_answered(0, 1), completed(0, 1)])
        .asks_for([]);
    replay(transfers)
        .history([
            started(()),
            locks_requested(0, BOTH),
            locks_granted(0),
            operation_called(1, "@account@a", "balance").within(0),
        ])
        .then([locks_granted(0), locks_granted(1)])
        .asks_for([]);
}

/// Enters a section, waits in it to be told how to end, and ends so.
async fn ends(mut ctx: OrchestrationContext) -> Result<(), Failure> {
    let then: String = {
        let section = ctx.lock(account("a")).await?;
        let then: String = section.wait_for("end").await?;
        match then.as_str() {
            "fail" => return Err("told so".into()),
            "panic" => panic!("told so"),
            _ => then,
        }
    };
    if then == "again" {
        return ctx.continue_as_new(Call::orchestration("ends", ()));
    }
    Ok(())
}

// R2:ENT-51, R2:ENT-69; DECISIONS 13
#[test]
fn however_the_orchestrator_leaves_its_section_the_locks_are_given_up() {
    let history = || [started(()), locks_requested(0, &["@account@a"]), locks_granted(0)];
    let given_up = || unlocked(1, 0, &["@account@a"]);
    let end = |how: &str| replay(ends).history(history()).then([raised("end", how)]);
    end("leave").asks_for([given_up(), complete(())]);
    end("fail").asks_for([given_up(), fail("told so")]);
    end("panic").fails_with(FailureKind::Panicked);
    end("again").asks_for([given_up(), continue_as_new(())]);
    // The engine itself releases then: user code has no more say.
    replay(ends).history(history()).then([terminated("enough")]).asks_for([terminates("enough")]);
    let waits = || [started(()), locks_requested(0, &["@account@a"])];
    replay(ends).history(waits()).then([terminated("enough")]).asks_for([terminates("enough")]);
}

async fn gives_up_after_a_minute(mut ctx: OrchestrationContext) -> Result<bool, Failure> {
    let minute = ctx.sleep(Duration::from_secs(60));
    let is_locked = {
        let locking = ctx.lock(account("a"));
        futures::pin_mut!(locking);
        matches!(futures::future::select(locking, minute).await, futures::future::Either::Left(_))
    };
    ctx.wait_for::<()>("go").await?;
    Ok(is_locked)
}

#[test]
fn a_request_that_is_dropped_before_the_grant_is_withdrawn_and_a_late_grant_is_ignored() {
    let asked = || [started(()), timer(0, Duration::from_secs(60)), locks_requested(1, &["@account@a"])];
    replay(gives_up_after_a_minute).history(asked()).then([fired(0)]).asks_for([withdrawn(
        2,
        1,
        &["@account@a"],
    )]);
    let withdrew = asked().into_iter().chain([fired(0), withdrawn(2, 1, &["@account@a"])]);
    replay(gives_up_after_a_minute).history(withdrew.clone()).then([locks_granted(1)]).asks_for([]);
    replay(gives_up_after_a_minute)
        .history(withdrew)
        .then([locks_granted(1), raised("go", ())])
        .asks_for([complete(false)]);
}

// The grant that nobody looked at is one all the same.
#[test]
fn a_request_that_is_dropped_after_the_grant_releases_what_it_holds() {
    let never_looks = async |mut ctx: OrchestrationContext, _: ()| {
        let go = ctx.wait_for::<()>("go");
        let locking = ctx.lock(account("a"));
        go.await?;
        drop(locking);
        Ok::<_, Failure>(())
    };
    let history = || [started(()), locks_requested(0, &["@account@a"])];
    replay(never_looks)
        .history(history())
        .then([locks_granted(0), raised("go", ())])
        .asks_for([unlocked(1, 0, &["@account@a"]), complete(())]);
    replay(never_looks)
        .history(history())
        .then([raised("go", ())])
        .asks_for([withdrawn(1, 0, &["@account@a"]), complete(())]);
}

#[test]
fn one_section_may_follow_another() {
    let twice = async |mut ctx: OrchestrationContext, _: ()| {
        drop(ctx.lock(account("a")).await?);
        drop(ctx.lock(account("a")).await?);
        Ok::<_, Failure>(())
    };
    replay(twice)
        .history([
            started(()),
            locks_requested(0, &["@account@a"]),
            locks_granted(0),
            unlocked(1, 0, &["@account@a"]),
            locks_requested(2, &["@account@a"]),
        ])
        .then([locks_granted(0), locks_granted(2)])
        .asks_for([unlocked(3, 2, &["@account@a"]), complete(())]);
}

/// Breaks each rule that the compiler does not see, and says which it broke.
async fn breaks_rules(mut ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut broken = Vec::new();
    broken.extend(ctx.lock(Vec::<EntityId>::new()).await.err());
    let section = ctx.lock(account("a")).await?;
    broken.extend(section.call(balance("b")).await.err());
    let first = section.call(balance("a"));
    broken.extend(section.call(balance("a")).await.err());
    first.await?;
    broken.extend(section.signal(account("a").operation("add", 1)).err().map(Failure::from));
    section.signal(account("b").operation("add", 1)).map_err(Failure::from)?;
    assert!(broken.iter().all(|failure| failure.kind() == FailureKind::LockingRules), "{broken:?}");
    Ok(broken.iter().map(|failure| failure.message().to_owned()).collect())
}

fn broken_rules() -> Vec<String> {
    let rules = [
        LockRule::Empty,
        LockRule::NotLocked(account("b")),
        LockRule::Parallel(account("a")),
        LockRule::SignalToLocked(account("a")),
    ];
    rules.iter().map(ToString::to_string).collect()
}

// R2:ENT-62 to ENT-65, R2:ENT-68: what is refused is not recorded, and refused again on replay.
#[test]
fn what_a_section_forbids_fails_naming_the_rule_and_the_same_way_on_replay() {
    replay(breaks_rules)
        .history([
            started(()),
            locks_requested(0, &["@account@a"]),
            locks_granted(0),
            operation_called(1, "@account@a", "balance").within(0),
        ])
        .then([operation_answered(1, 1)])
        .asks_for([
            signalled(2, "@account@b", "add"),
            unlocked(3, 0, &["@account@a"]),
            complete(broken_rules()),
        ]);
}

fn asked(key: &str, section: Option<durable::history::EventId>) -> OperationAsked {
    let (entity, input) = (account(key), durable::model::Payload::null());
    OperationAsked { entity, operation: "balance".into(), input, due: None, section }
}

// R2:ENT-60, R2:ENT-61: the compiler forbids these two; the engine does as well, for verbs of another make.
#[test]
fn sections_are_not_nested_and_call_no_orchestration_and_begin_when_they_are_held() {
    let nests = orchestrator(|ctx| async move {
        let mut broken = Vec::new();
        let (section, locking) = ctx.lock(vec![account("a")]);
        let (_, nested) = ctx.lock(vec![account("b")]);
        broken.push(nested.await.unwrap_err().message().to_owned());
        let early: Task<()> = ctx.call_entity(asked("a", Some(section)));
        broken.push(early.await.unwrap_err().message().to_owned());
        let signal = OperationAsked { due: None, ..asked("b", Some(section)) };
        broken.push(ctx.signal_entity(signal).unwrap_err().to_string());
        locking.await?;
        let child = Child {
            name: "child".into(),
            version: None,
            input: durable::model::Payload::null(),
            instance: None,
            tags: Default::default(),
            scheduled_start: None,
        };
        let called: Task<()> = ctx.call(Callee::Orchestration(Box::new(child)));
        broken.push(called.await.unwrap_err().message().to_owned());
        ctx.unlock(section, std::panic::Location::caller());
        ctx.unlock(section, std::panic::Location::caller());
        Ok(broken)
    });
    let (mut live, mut history) = (session(&nests), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let granted = durable::history::EventKind::EntityLockGranted { task: durable::history::EventId::FIRST };
    let end = episode(&mut live, &mut history, [granted]);
    let names: Vec<_> = end.actions.iter().map(|action| action.kind.name()).collect();
    assert_eq!(names, ["EntityUnlockSent", "ExecutionCompleted"], "once, and nothing that was refused");
    let Some(Outcome::Completed(broken)) = live.outcome() else { panic!("{:?}", live.outcome()) };
    let rules =
        [LockRule::Nested, LockRule::Lost, LockRule::Lost, LockRule::SubOrchestration("child".to_owned())];
    assert_eq!(broken.read::<Vec<String>>().unwrap(), rules.map(|rule| rule.to_string()));
    assert_eq!(replayed(&nests, &history).outcome(), live.outcome());
}

// R2:ENT-66
#[test]
fn activities_timers_and_events_are_allowed_in_a_section() {
    let works = async |mut ctx: OrchestrationContext, _: ()| {
        let section = ctx.lock(account("a")).await?;
        section.call(Call::<u32>::activity("work", 1)).await?;
        section.sleep(Duration::from_secs(1)).await?;
        section.wait_for::<()>("go").await
    };
    replay(works)
        .history([
            started(()),
            locks_requested(0, &["@account@a"]),
            locks_granted(0),
            scheduled(1, "work"),
            completed(1, 1),
            timer(2, Duration::from_secs(1)),
            fired(2),
        ])
        .then([raised("go", ())])
        .asks_for([unlocked(3, 0, &["@account@a"]), complete(())]);
}

#[test]
fn a_call_is_answered_after_its_section_as_well_and_frees_the_entity_for_the_next_call() {
    let drops_early = async |mut ctx: OrchestrationContext, _: ()| {
        let section = ctx.lock(account("a")).await?;
        let failed = section.call(balance("a")).await;
        let late = section.call(balance("a"));
        drop(section);
        Ok::<_, Failure>((failed.is_err(), late.await?))
    };
    replay(drops_early)
        .history([
            started(()),
            locks_requested(0, &["@account@a"]),
            locks_granted(0),
            operation_called(1, "@account@a", "balance").within(0),
            operation_failed(1, "overdrawn"),
            operation_called(2, "@account@a", "balance").within(0),
            unlocked(3, 0, &["@account@a"]),
        ])
        .then([operation_answered(2, 9)])
        .asks_for([complete((true, 9))]);
}

// R1:ORCH-18; DECISIONS 25
#[test]
fn another_set_of_locks_or_another_order_on_replay_is_refused() {
    let is_refused = |facts: Vec<_>, at| replay(transfers).history(facts).is_refused_at(at);
    is_refused(vec![started(()), locks_requested(0, &["@account@a"])], 0);
    is_refused(vec![started(()), locks_requested(0, &["@account@a", "@account@c"])], 0);
    is_refused(vec![started(()), operation_called(0, "@account@a", "balance")], 0);
    let granted = || vec![started(()), locks_requested(0, BOTH), locks_granted(0)];
    let with = |facts: Vec<_>| granted().into_iter().chain(facts).collect::<Vec<_>>();
    is_refused(with(vec![operation_called(1, "@account@a", "balance")]), 1);
    is_refused(with(vec![unlocked(1, 0, BOTH)]), 1);
    let called = || vec![operation_called(1, "@account@a", "balance").within(0), operation_answered(1, 1)];
    let end = |facts: Vec<_>| with(called().into_iter().chain(facts).collect());
    is_refused(end(vec![withdrawn(2, 0, BOTH)]), 2);
    is_refused(end(vec![unlocked(2, 0, &["@account@a"])]), 2);
    is_refused(end(vec![locks_requested(2, BOTH), unlocked(3, 0, BOTH)]), 2);
    is_refused(end(vec![complete(1)]), 2);
}

// DECISIONS 10
#[test]
fn a_grant_that_comes_while_suspended_begins_the_section_at_the_resume() {
    let history = || [started(()), locks_requested(0, BOTH), next_episode(), suspended()];
    replay(transfers).history(history()).then([locks_granted(0)]).asks_for([]);
    replay(transfers).history(history()).then([locks_granted(0), resumed()]).asks_for([operation_called(
        1,
        "@account@a",
        "balance",
    )
    .within(0)]);
    replay(transfers)
        .history(history())
        .then([locks_granted(0), terminated("enough")])
        .asks_for([terminates("enough")]);
}

// Rule 9 of replay: user code that runs because a session goes has no effect.
#[test]
fn an_unload_gives_up_no_lock_held_or_asked_for() {
    let holds = orchestrator(|ctx| async move {
        let mut ctx = OrchestrationContext::new(ctx);
        let section = ctx.lock(account("a")).await?;
        section.wait_for::<u32>("go").await
    });
    let (mut live, mut history) = (session(&holds), Vec::new());
    let end = episode(&mut live, &mut history, [start()]);
    assert_eq!(end.actions.len(), 1);
    drop(live);
    let mut live = replayed(&holds, &history);
    let granted = durable::history::EventKind::EntityLockGranted { task: durable::history::EventId::FIRST };
    assert!(episode(&mut live, &mut history, [granted]).actions.is_empty());
    let before = live.fingerprint();
    drop(live);
    let mut again = replayed(&holds, &history);
    assert_eq!(again.fingerprint(), before);
    let end = episode(&mut again, &mut history, [crate::script::raised("go", "4")]);
    let names: Vec<_> = end.actions.iter().map(|action| action.kind.name()).collect();
    assert_eq!(names, ["EntityUnlockSent", "ExecutionCompleted"]);
}
