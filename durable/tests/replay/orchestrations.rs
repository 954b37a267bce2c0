//! Calling, starting and messaging other orchestrations, and going on as another execution, against
//! written histories.

use std::time::Duration;

use durable::{
    call::Call,
    context::OrchestrationContext,
    model::{Failure, FailureKind, InstanceId, RetryPolicy},
};
use durable_testkit::{
    history::{
        begun, called, complete, continue_as_new, fired, next_episode, raised, started, sub_completed,
        sub_failed, timer,
    },
    replay,
};

async fn calls_one(ctx: OrchestrationContext, device: u32) -> Result<String, Failure> {
    ctx.call(Call::<String>::orchestration("provision", device)).await
}

// R1:SUB-1, R1:SUB-2
#[test]
fn a_call_is_asked_for_and_its_answer_is_what_the_task_gives() {
    replay(calls_one).then([started(7)]).asks_for([called(0, "provision").with(7)]);
    replay(calls_one)
        .history([started(7), called(0, "provision").with(7)])
        .then([sub_completed(0, "ready")])
        .asks_for([complete("ready")]);
    replay(calls_one)
        .history([started(7), called(0, "provision")])
        .then([sub_failed(0, "broken")])
        .fails_with(FailureKind::Application);
}

// R1:SUB-8, R1:SKIP-38; DECISIONS 25
#[test]
fn another_orchestrator_id_or_kind_on_replay_is_refused() {
    replay(calls_one).history([started(7), called(0, "deliver")]).is_refused_at(0);
    replay(calls_one).history([started(7), called(0, "provision").under("other")]).is_refused_at(0);
    replay(calls_one).history([started(7), begun(0, "provision")]).is_refused_at(0);
}

#[test]
fn an_answer_for_an_activity_is_none_for_a_sub_orchestration() {
    replay(calls_one)
        .history([started(7), called(0, "provision")])
        .then([durable_testkit::history::completed(0, "ready")])
        .asks_for([]);
}

// R1:SUB-3
#[test]
fn each_attempt_is_an_instance_of_its_own() {
    let calls = async |ctx: OrchestrationContext, _: ()| {
        let policy = RetryPolicy::new(2, Duration::from_secs(60));
        ctx.call(Call::<u32>::orchestration("shaky", ()).retry(policy)).await
    };
    replay(calls)
        .history([
            started(()),
            called(0, "shaky"),
            sub_failed(0, "no"),
            timer(1, Duration::from_secs(60)),
            fired(1),
            called(2, "shaky"),
        ])
        .then([sub_completed(2, 5)])
        .asks_for([complete(5)]);
}

#[test]
fn what_is_only_started_answers_to_nobody() {
    let starts = async |ctx: OrchestrationContext, _: ()| -> Result<InstanceId, Failure> {
        Ok(ctx.start(Call::<u32>::orchestration("report", 3).instance_id("report-3")))
    };
    replay(starts)
        .then([started(())])
        .asks_for([begun(0, "report").under("report-3").with(3), complete("report-3")]);
}

#[test]
fn a_start_or_an_event_that_cannot_be_stored_fails_the_orchestration() {
    let starts = async |ctx: OrchestrationContext, _: ()| -> Result<(), Failure> {
        ctx.start(Call::<u32>::orchestration("report", 3).instance_id("a/b"));
        ctx.wait_for("never").await
    };
    replay(starts).then([started(())]).fails_with(FailureKind::Application);
}

async fn adds(ctx: OrchestrationContext, total: u32) -> Result<u32, Failure> {
    let number: u32 = ctx.wait_for("number").await?;
    if number == 0 { Ok(total) } else { ctx.continue_as_new(Call::orchestration("adds", total + number)) }
}

// R2:ETE-3
#[test]
fn an_execution_ends_to_be_continued_as_new() {
    replay(adds).history([started(1)]).then([raised("number", 2)]).asks_for([continue_as_new(3)]);
    replay(adds).history([started(1)]).then([raised("number", 0)]).asks_for([complete(1)]);
}

// A history that went on shows that it did not continue as new then.
#[test]
fn code_that_continues_as_new_where_history_went_on_is_refused() {
    replay(adds).history([started(1), raised("number", 2), next_episode(), raised("number", 3)]).is_refused();
}

#[test]
fn calls_that_have_not_answered_are_not_waited_for() {
    let leaves = async |ctx: OrchestrationContext, _: ()| -> Result<u32, Failure> {
        drop(ctx.call(Call::<u32>::orchestration("slow", ())));
        ctx.continue_as_new(Call::orchestration("leaves", ()))
    };
    replay(leaves).then([started(())]).asks_for([called(0, "slow"), continue_as_new(())]);
}
