//! Durable timers: fire once, and are cancelled by dropping them.

use std::collections::HashMap;

use durable::history::EventId;
use futures::future::{Either, select};

use crate::script::{
    at, call, completed, episode, fired, orchestrator, output, replayed, run, session, start,
};

// R2:ERR-21, R1:TMR-11, R1:TMR-15, R1:SKIP-6; DECISIONS 8
#[test]
fn a_dropped_timer_is_cancelled_and_its_late_fire_changes_nothing() {
    let races = orchestrator(|ctx| async move {
        let (work, deadline) = (call::<u32>(&ctx, "work", 1), ctx.timer(at(60)));
        let seen = match select(work, deadline).await {
            Either::Left((seen, _deadline)) => seen?,
            Either::Right(_) => 0,
        };
        Ok(seen + call::<u32>(&ctx, "after", 2).await?)
    });
    let (mut live, mut history) = (session(&races), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let second = episode(&mut live, &mut history, [completed(0, 7)]);
    assert_eq!(second.cancelled_timers, [EventId::from_i32(1)]);
    let before = live.fingerprint();
    assert!(episode(&mut live, &mut history, [fired(1)]).actions.is_empty());
    assert_eq!(live.fingerprint(), before, "a late fire polls nothing");
    assert!(!history.iter().any(|event| event.kind.name() == "TimerFired"));
    episode(&mut live, &mut history, [completed(2, 1)]);
    assert_eq!(output(&live), "8");
    assert_eq!(replayed(&races, &history).fingerprint(), live.fingerprint());
}

#[test]
fn a_timer_that_fires_first_wins_and_the_activity_still_holds_the_end_back() {
    let races = orchestrator(|ctx| async move {
        let (work, deadline) = (call::<u32>(&ctx, "work", 1), ctx.timer(at(60)));
        Ok(matches!(select(work, deadline).await, Either::Right(_)))
    });
    let (live, _) = run(&races, [vec![start()], vec![fired(1)]]);
    assert_eq!(live.outcome(), None, "the activity is open");
    let (live, _) = run(&races, [vec![start()], vec![fired(1)], vec![completed(0, 7)]]);
    assert_eq!(output(&live), "true");
}

// replay.md, R19
#[test]
fn timers_dropped_in_the_order_of_a_hash_map_are_one_sorted_set() {
    let drops = orchestrator(|ctx| async move {
        let timers: HashMap<_, _> = (0..9).map(|number| (number, ctx.timer(at(number)))).collect();
        drop(timers);
        call::<u32>(&ctx, "a", 1).await
    });
    for _ in 0..20 {
        let (mut live, mut history) = (session(&drops), Vec::new());
        let first = episode(&mut live, &mut history, [start()]);
        assert_eq!(first.cancelled_timers, (0..9).map(EventId::from_i32).collect::<Vec<_>>());
        assert_eq!(replayed(&drops, &history).fingerprint(), live.fingerprint());
    }
}

// R1:CC-2, R3:DIAG-36
#[test]
fn time_never_goes_back_although_the_clock_does() {
    let asks = orchestrator(|ctx| async move {
        let first = ctx.now();
        call::<u32>(&ctx, "a", 1).await?;
        Ok(first <= ctx.now())
    });
    let (mut live, mut history) = (session(&asks), Vec::new());
    live.begin_episode(at(1_000));
    let begun = live.now();
    live.end_episode();
    episode(&mut live, &mut history, [start()]);
    assert_eq!(live.now(), begun);
    assert_eq!(history[0].timestamp, begun, "what is recorded is what user code saw");
}
