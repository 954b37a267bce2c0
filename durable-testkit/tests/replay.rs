//! What a test of an orchestrator says, and what it refuses.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use durable::{
    call::Call,
    context::OrchestrationContext,
    model::{Failure, FailureKind},
    orchestrator,
};
use durable_testkit::{
    history::{
        complete, completed, fail, failed, fired, next_episode, raised, resumed, scheduled, started,
        suspended, terminated, terminates, timer, written,
    },
    replay, replay_check, replay_of,
};

async fn greet_once(ctx: OrchestrationContext, name: String) -> Result<String, Failure> {
    ctx.call(Call::<String>::activity("greet", name)).await
}

#[orchestrator]
async fn greet_both(ctx: OrchestrationContext, first: String, second: String) -> Result<String, Failure> {
    let first = ctx.call(Call::<String>::activity("greet", first)).await?;
    let second = ctx.call(Call::<String>::activity("greet", second)).await?;
    Ok(format!("{first}, {second}"))
}

#[test]
fn a_completed_activity_lets_the_orchestrator_finish() {
    replay(greet_once)
        .history([started("Ada"), scheduled(0, "greet")])
        .then([completed(0, "hello Ada")])
        .asks_for([complete("hello Ada")]);
}

#[test]
fn a_renamed_activity_is_refused() {
    replay(greet_once).history([started("Ada"), scheduled(0, "salute")]).is_refused_at(0);
}

#[test]
fn an_input_that_is_said_is_compared() {
    let right = [started("Ada"), scheduled(0, "greet").with("Ada")];
    replay(greet_once).history(right).asks_for([]);
    replay(greet_once).history([started("Ada"), scheduled(0, "greet").with("Bob")]).is_refused_at(0);
}

#[test]
fn a_failed_activity_fails_the_orchestrator() {
    replay(greet_once)
        .then([started("Ada")])
        .asks_for([scheduled(0, "greet").with("Ada")])
        .then([failed(0, "no luck")])
        .asks_for([fail("no luck")])
        .fails_with(FailureKind::Application);
}

#[test]
fn an_annotated_orchestrator_takes_several_inputs() {
    replay_of::<greet_both>()
        .then([started(("Ada", "Bob"))])
        .asks_for([scheduled(0, "greet").with("Ada")])
        .then([completed(0, "hello Ada")])
        .asks_for([scheduled(1, "greet").with("Bob")])
        .then([completed(1, "hello Bob")])
        .asks_for([complete("hello Ada, hello Bob")]);
}

#[test]
fn timers_events_and_suspension_come_in_their_order() {
    let wait = |ctx: OrchestrationContext| async move {
        let patience = ctx.sleep(Duration::from_secs(60));
        let approved: bool = ctx.wait_for("approval").await?;
        patience.await?;
        Ok::<_, Failure>(approved)
    };
    replay(wait)
        .history([started(()), timer(0, Duration::from_secs(60)), suspended(), next_episode(), fired(0)])
        .then([raised("Approval", true)])
        .asks_for([])
        .then([resumed()])
        .asks_for([complete(true)]);
    replay(wait).then([started(())]).then([terminated("enough")]).asks_for([terminates("enough")]);
}

#[test]
fn a_late_and_a_double_answer_change_nothing() {
    replay(greet_once)
        .history([started("Ada"), scheduled(0, "greet")])
        .then([completed(7, "nobody asked")])
        .asks_for([])
        .then([completed(0, "hello Ada"), completed(0, "hello again")])
        .asks_for([complete("hello Ada")]);
}

// R1:QS-18, R1:SKIP-44, R3:TEST-2
#[test]
fn a_recorded_history_replays_with_its_own_orchestrator_only() {
    let recorded = replay_of::<greet_both>()
        .then([started(("Ada", "Bob"))])
        .then([completed(0, "hello Ada")])
        .asks_for([scheduled(1, "greet").with("Bob")])
        .recorded();
    assert_eq!(recorded.episodes(), 2);
    replay_check::<greet_both>(&recorded).unwrap();

    let other = written([started(("Ada", "Bob")), scheduled(0, "greet").with("Eve")]);
    let failure = replay_check::<greet_both>(&other).unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Nondeterministic);
    assert!(failure.message().contains("event 0"), "{failure}");
}

#[test]
#[should_panic(expected = "- 0 call of `greet` with \"Bob\"\n  + 0 call of `greet` with \"Ada\", at ")]
fn what_was_expected_and_what_was_asked_for_stand_side_by_side() {
    replay(greet_once).then([started("Ada")]).asks_for([scheduled(0, "greet").with("Bob")]);
}

#[test]
#[should_panic(expected = "- nothing more\n  + 0 call of `greet`")]
fn an_action_too_much_is_shown() {
    replay(greet_once).then([started("Ada")]).asks_for([]);
}

#[test]
#[should_panic(expected = "- returns \"hello\"\n  + nothing more")]
fn an_action_too_few_is_shown() {
    replay(greet_once).history([started("Ada"), scheduled(0, "greet")]).asks_for([complete("hello")]);
}

#[test]
#[should_panic(expected = "the orchestrator is not deterministic")]
fn an_orchestrator_that_looks_outside_is_noticed() {
    static IS_SECOND_TIME: AtomicBool = AtomicBool::new(false);
    let flaky = |ctx: OrchestrationContext| async move {
        let name = if IS_SECOND_TIME.swap(true, Ordering::Relaxed) { "salute" } else { "greet" };
        ctx.call(Call::<String>::activity(name, ())).await
    };
    replay(flaky).then([started(())]).asks_for([scheduled(0, "greet")]);
}

#[test]
#[should_panic(expected = "nothing that has number 3 waits for an answer")]
fn an_answer_without_a_question_is_no_history() {
    replay(greet_once).history([started("Ada"), scheduled(0, "greet"), completed(3, "hello")]).asks_for([]);
}

#[test]
#[should_panic(expected = "the next number is 0")]
fn a_number_left_out_is_no_history() {
    replay(greet_once).history([started("Ada"), scheduled(1, "greet")]).asks_for([]);
}

#[test]
#[should_panic(expected = "it was refused, but not at event 1")]
fn a_refusal_elsewhere_is_another_refusal() {
    replay(greet_once).history([started("Ada"), scheduled(0, "salute")]).is_refused_at(1);
}

#[test]
#[should_panic(expected = "its replay was not refused")]
fn a_replay_that_succeeds_is_no_refusal() {
    replay(greet_once).history([started("Ada"), scheduled(0, "greet")]).is_refused();
}
