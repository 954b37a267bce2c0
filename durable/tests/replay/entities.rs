//! Calling and signalling entities against written histories; what holds in a critical section stands in
//! `sections.rs`.

use std::time::Duration;

use durable::{
    call::Operation,
    context::OrchestrationContext,
    model::{EntityId, Failure, FailureKind},
};
use durable_testkit::{
    history::{
        complete, completed, fired, next_episode, operation_answered, operation_called, operation_failed,
        resumed, scheduled, signalled, started, suspended, terminated, terminates, timer,
    },
    replay,
};

fn counter(key: &str) -> EntityId {
    EntityId::new("counter", key).unwrap()
}

fn get(key: &str) -> Operation<i64> {
    counter(key).operation("get", ()).returning()
}

async fn asks(ctx: OrchestrationContext) -> Result<i64, Failure> {
    ctx.call(get("a")).await
}

// R2:ENT-26, R2:ENT-35
#[test]
fn a_call_is_asked_for_and_its_answer_is_what_the_task_gives() {
    replay(asks).then([started(())]).asks_for([operation_called(0, "@counter@a", "get").with(())]);
    replay(asks)
        .history([started(()), operation_called(0, "@counter@a", "get").with(())])
        .then([operation_answered(0, 7)])
        .asks_for([complete(7)]);
}

#[test]
fn a_failed_operation_is_the_failure_that_the_caller_gets() {
    replay(asks)
        .history([started(()), operation_called(0, "@counter@a", "get")])
        .then([operation_failed(0, "no such counter")])
        .fails_with(FailureKind::Application);
    let handles = async |ctx: OrchestrationContext, _: ()| {
        let failure = ctx.call(get("a")).await.unwrap_err();
        Ok::<_, Failure>(failure.message().to_owned())
    };
    replay(handles)
        .history([started(()), operation_called(0, "@counter@a", "get")])
        .then([operation_failed(0, "no such counter")])
        .asks_for([complete("no such counter")]);
}

// R1:QS-19; DECISIONS 21
#[test]
fn a_result_of_another_type_fails_the_await_naming_operation_entity_and_type() {
    replay(asks)
        .history([started(()), operation_called(0, "@counter@a", "get")])
        .then([operation_answered(0, "seven")])
        .fails_with(FailureKind::Payload);
    let told = async |ctx: OrchestrationContext, _: ()| {
        let failure = ctx.call(get("a")).await.unwrap_err();
        let told = ["`get`", "`@counter@a`", "i64"].map(|part| failure.message().contains(part));
        Ok::<_, Failure>(told)
    };
    replay(told)
        .history([started(()), operation_called(0, "@counter@a", "get")])
        .then([operation_answered(0, "seven")])
        .asks_for([complete([true, true, true])]);
}

async fn adds_and_gets(ctx: OrchestrationContext) -> Result<i64, Failure> {
    ctx.signal(counter("a").operation("add", 1));
    ctx.call(get("a")).await
}

// R3:ENT-20, R3:ENT-21
#[test]
fn a_signal_is_asked_for_before_the_call_that_is_to_see_it_and_holds_nothing_up() {
    replay(adds_and_gets)
        .then([started(())])
        .asks_for([signalled(0, "@counter@a", "add").with(1), operation_called(1, "@counter@a", "get")]);
    replay(adds_and_gets)
        .history([started(()), signalled(0, "@counter@a", "add"), operation_called(1, "@counter@a", "get")])
        .then([operation_answered(1, 1)])
        .asks_for([complete(1)]);
    let only_signals = async |ctx: OrchestrationContext, _: ()| {
        ctx.signal(counter("a").operation("add", 1));
        Ok::<_, Failure>(())
    };
    replay(only_signals).then([started(())]).asks_for([signalled(0, "@counter@a", "add"), complete(())]);
}

#[test]
fn an_answer_to_a_signal_or_to_another_kind_of_call_is_none() {
    replay(adds_and_gets)
        .history([started(()), signalled(0, "@counter@a", "add"), operation_called(1, "@counter@a", "get")])
        .then([operation_answered(0, 1), completed(1, 1)])
        .asks_for([]);
}

// DECISIONS 8
#[test]
fn a_dropped_call_goes_on_unheard_and_holds_the_end_back() {
    let drops = async |ctx: OrchestrationContext, _: ()| {
        drop(ctx.call(get("a")));
        Ok::<_, Failure>(1)
    };
    let history = || [started(()), operation_called(0, "@counter@a", "get")];
    replay(drops).history(history()).asks_for([]);
    replay(drops).history(history()).then([operation_answered(0, 7)]).asks_for([complete(1)]);
    replay(drops).history(history()).then([operation_failed(0, "no")]).asks_for([complete(1)]);
}

#[test]
fn a_call_may_be_raced_against_a_timer() {
    let waits_a_minute = async |ctx: OrchestrationContext, _: ()| {
        let minute = ctx.sleep(Duration::from_secs(60));
        match futures::future::select(ctx.call(get("a")), minute).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right(_) => Ok(-1),
        }
    };
    let minute = || timer(0, Duration::from_secs(60));
    let history = || [started(()), minute(), operation_called(1, "@counter@a", "get")];
    replay(waits_a_minute).history(history()).then([operation_answered(1, 3)]).asks_for([complete(3)]);
    // The call is still under way: its answer is waited for, and not heard.
    replay(waits_a_minute).history(history()).then([fired(0)]).asks_for([]);
    replay(waits_a_minute)
        .history(history())
        .then([fired(0), operation_answered(1, 3)])
        .asks_for([complete(-1)]);
}

fn unwritable() -> std::collections::BTreeMap<(u8, u8), u8> {
    std::collections::BTreeMap::from([((1, 2), 3)])
}

#[test]
fn an_input_that_cannot_be_stored_fails_the_call_and_for_a_signal_the_orchestration() {
    let calls = async |ctx: OrchestrationContext, _: ()| {
        let failure = ctx.call(counter("a").operation("add", unwritable())).await.unwrap_err();
        Ok::<_, Failure>(failure.kind() == FailureKind::Payload)
    };
    replay(calls).then([started(())]).asks_for([complete(true)]);
    let signals = async |ctx: OrchestrationContext, _: ()| {
        ctx.signal(counter("a").operation("add", unwritable()));
        ctx.call(get("a")).await
    };
    replay(signals).then([started(())]).fails_with(FailureKind::Payload);
}

// R2:ENT-38; R1:ORCH-18; DECISIONS 25
#[test]
fn another_entity_operation_order_or_kind_on_replay_is_refused() {
    replay(asks).history([started(()), operation_called(0, "@counter@b", "get")]).is_refused_at(0);
    replay(asks).history([started(()), operation_called(0, "@meter@a", "get")]).is_refused_at(0);
    replay(asks).history([started(()), operation_called(0, "@counter@a", "add")]).is_refused_at(0);
    replay(asks).history([started(()), signalled(0, "@counter@a", "get")]).is_refused_at(0);
    replay(asks).history([started(()), scheduled(0, "get")]).is_refused_at(0);
    replay(adds_and_gets)
        .history([started(()), operation_called(0, "@counter@a", "get"), signalled(1, "@counter@a", "add")])
        .is_refused_at(0);
    let in_a_section = operation_called(0, "@counter@a", "get").within(0);
    replay(asks).history([started(()), in_a_section]).is_refused_at(0);
}

#[test]
fn an_operation_is_one_whatever_the_case_of_its_name_and_its_input_is_compared_in_verify_mode() {
    replay(asks).history([started(()), operation_called(0, "@Counter@a", "GET")]).asks_for([]);
    replay(asks).history([started(()), operation_called(0, "@counter@a", "get").with(1)]).is_refused_at(0);
    replay(adds_and_gets)
        .history([
            started(()),
            signalled(0, "@counter@a", "add").with(2),
            operation_called(1, "@counter@a", "get").with(()),
        ])
        .is_refused_at(0);
}

// DECISIONS 10
#[test]
fn an_answer_that_comes_while_suspended_is_kept_for_the_resume() {
    let history = || [started(()), operation_called(0, "@counter@a", "get"), next_episode(), suspended()];
    replay(asks).history(history()).then([operation_answered(0, 7)]).asks_for([]);
    replay(asks).history(history()).then([operation_answered(0, 7), resumed()]).asks_for([complete(7)]);
    replay(asks)
        .history(history())
        .then([operation_answered(0, 7), terminated("enough")])
        .asks_for([terminates("enough")]);
}
