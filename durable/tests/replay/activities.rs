//! Calls of activities: scheduled when constructed, completed by history.

use durable::replay::Outcome;

use crate::script::{call, completed, episode, orchestrator, session, start};

// R1:OVR-7, R1:SKIP-2: eager scheduling in call order; R2:HUB-21: a batch is one episode.
// R1:ORCH-16, R1:ORCH-17, R3:DIAG-23, R1:QS-18
#[test]
fn calls_are_scheduled_when_made_and_a_replay_reaches_the_same_state() {
    let both = orchestrator(|ctx| async move {
        let (a, b) = (call::<u32>(&ctx, "a", 1), call::<u32>(&ctx, "b", 2));
        let second = b.await?;
        Ok(a.await? * 10 + second)
    });
    let (mut live, mut history) = (session(&both), Vec::new());
    let first = episode(&mut live, &mut history, [start()]);
    assert_eq!(first.actions.len(), 2);
    let last = episode(&mut live, &mut history, [completed(0, 3), completed(1, 4)]);
    assert!(
        matches!(&last.outcome, Some(Outcome::Completed(output)) if output.as_json() == "34"),
        "{last:?}"
    );

    let names: Vec<_> = history.iter().map(|event| event.kind.name()).collect();
    assert_eq!(
        names,
        [
            "OrchestratorStarted",
            "ExecutionStarted",
            "TaskScheduled",
            "TaskScheduled",
            "OrchestratorCompleted",
            "OrchestratorStarted",
            "TaskCompleted",
            "TaskCompleted",
            "ExecutionCompleted",
            "OrchestratorCompleted",
        ]
    );
    let mut replayed = session(&both);
    replayed.replay(&history);
    assert_eq!(replayed.outcome(), live.outcome());
    assert_eq!(replayed.fingerprint(), live.fingerprint());
}
