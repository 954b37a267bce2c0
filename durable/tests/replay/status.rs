//! Custom status: published with the episode that set it.

use durable::model::Payload;

use crate::script::{call, completed, episode, orchestrator, session, start};

// R3:DIAG-27, R1:CST-4, R1:CST-10
#[test]
fn a_custom_status_is_published_with_its_own_episode_and_not_again_after_a_replay() {
    let sets = orchestrator(|ctx| async move {
        ctx.set_custom_status(Payload::of("one")?);
        ctx.set_custom_status(Payload::of("two")?);
        call::<u32>(&ctx, "a", 1).await?;
        call::<u32>(&ctx, "b", 2).await
    });
    let (mut live, mut history) = (session(&sets), Vec::new());
    let first = episode(&mut live, &mut history, [start()]);
    assert_eq!(first.custom_status.unwrap().as_json(), r#""two""#);

    let mut replayed = session(&sets);
    replayed.replay(&history);
    assert!(episode(&mut live, &mut history.clone(), [completed(0, 1)]).custom_status.is_none());
    assert!(episode(&mut replayed, &mut history, [completed(0, 1)]).custom_status.is_none());
}
