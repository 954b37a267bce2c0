//! Suspending, resuming and terminating from outside.

use durable::replay::Outcome;

use crate::script::{
    call, completed, episode, orchestrator, output, raised, replayed, resumed, run, session, start, suspended,
};

fn sums() -> durable::replay::Orchestrator {
    orchestrator(|ctx| async move {
        let first: u32 = ctx.wait("go".into()).await?;
        let second: u32 = ctx.wait("go".into()).await?;
        Ok(first * 100 + second * 10 + call::<u32>(&ctx, "a", first).await?)
    })
}

// DECISIONS 10
#[test]
fn while_suspended_messages_are_held_and_then_delivered_in_order() {
    let held = vec![raised("go", "1"), raised("go", "2")];
    let (live, _) = run(&sums(), [vec![start()], vec![suspended()], held.clone()]);
    let (polls_before, _) = run(&sums(), [vec![start()]]);
    assert_eq!(live.fingerprint().1, polls_before.fingerprint().1, "nothing is polled while suspended");
    let (live, _) =
        run(&sums(), [vec![start()], vec![suspended()], held, vec![resumed()], vec![completed(0, 7)]]);
    assert_eq!(output(&live), "127");
}

#[test]
fn the_time_seen_after_a_suspension_is_that_of_the_resuming_episode() {
    let asks = orchestrator(|ctx| async move {
        ctx.wait::<u32>("go".into()).await?;
        Ok(ctx.now().as_microseconds())
    });
    let (live, history) = run(&asks, [vec![start()], vec![suspended(), raised("go", "1")], vec![resumed()]]);
    let resumed_at = history.iter().rfind(|event| event.kind.name() == "OrchestratorStarted").unwrap();
    assert_eq!(output(&live), resumed_at.timestamp.as_microseconds().to_string());
}

#[test]
fn an_answer_held_while_suspended_is_not_expected_again() {
    let calls = orchestrator(|ctx| async move { call::<u32>(&ctx, "a", 1).await });
    let (mut live, mut history) = (session(&calls), Vec::new());
    episode(&mut live, &mut history, [start(), suspended(), completed(0, 1), completed(0, 2)]);
    let end = episode(&mut live, &mut history, [completed(0, 3), resumed()]);
    assert!(!end.is_suspended);
    assert_eq!(output(&live), "1");
    assert_eq!(replayed(&calls, &history).fingerprint(), live.fingerprint());
}

#[test]
fn an_instance_suspended_before_it_starts_starts_when_resumed() {
    let calls = orchestrator(|ctx| async move { call::<u32>(&ctx, "a", 1).await });
    let (live, _) = run(&calls, [vec![suspended(), start()], vec![resumed()], vec![completed(0, 1)]]);
    assert_eq!(output(&live), "1");
}

// DECISIONS 10
#[test]
fn a_suspended_instance_can_be_terminated() {
    let (mut live, mut history) = (session(&sums()), Vec::new());
    episode(&mut live, &mut history, [start(), suspended(), raised("go", "1")]);
    let reason =
        durable::history::EventKind::ExecutionTerminated { reason: "enough".into(), recursive: false };
    episode(&mut live, &mut history, [reason]);
    assert_eq!(live.outcome(), Some(&Outcome::Terminated("enough".into())));
    assert_eq!(replayed(&sums(), &history).outcome(), live.outcome());
}
