//! Timeouts, waits with a limit, and fan-out with a limit, as the engine sees them.

use std::time::Duration;

use durable::{
    context::{Elapsed, OrchestrationContext},
    history::{EventId, EventKind},
    model::{Failure, FailureKind},
    replay::{EpisodeEnd, Handle, Orchestrator},
};
use futures::future::{Either, select};

use crate::script::{
    call, completed, episode, failed, failure, fired, orchestrator, output, raised, replayed, run, session,
    start,
};

const MINUTE: Duration = Duration::from_secs(60);

fn context(handle: &Handle) -> OrchestrationContext {
    OrchestrationContext::new(handle.clone())
}

/// The inputs of the activities that an episode called.
fn called(end: &EpisodeEnd) -> Vec<u32> {
    let inputs = end.actions.iter().filter_map(|action| match &action.kind {
        EventKind::TaskScheduled { input, .. } => Some(input.read().unwrap()),
        _ => None,
    });
    inputs.collect()
}

// R1:TMR-9, R1:SMP-25
#[test]
fn a_future_that_is_in_time_cancels_the_timer_at_once() {
    let quoted = orchestrator(|handle| async move {
        let ctx = context(&handle);
        let quote = ctx.timeout(MINUTE, call::<u32>(&handle, "quote", 1)).await;
        Ok(quote.is_ok() && call::<u32>(&handle, "after", 2).await.is_ok())
    });
    let (mut live, mut history) = (session(&quoted), Vec::new());
    let first = episode(&mut live, &mut history, [start()]);
    let names: Vec<_> = first.actions.iter().map(|action| action.kind.name()).collect();
    assert_eq!(names, ["TaskScheduled", "TimerCreated"]);
    assert_eq!(episode(&mut live, &mut history, [completed(0, 7)]).cancelled_timers, [EventId::from_i32(1)]);
    episode(&mut live, &mut history, [completed(2, 1)]);
    assert_eq!(output(&live), "true");
    assert_eq!(replayed(&quoted, &history).fingerprint(), live.fingerprint());
}

// R2:MGT-30, R2:MGT-31, R4:MGMT-42, R4:MGMT-168
// R1:TMR-9, R1:TMR-10, R1:TMR-12, R1:SKIP-5, R1:SKIP-7, R1:SMP-25
#[test]
fn an_activity_that_is_too_late_is_left_alone_and_still_holds_the_end_back() {
    let quoted = orchestrator(|handle| async move {
        Ok(context(&handle).timeout(MINUTE, call::<u32>(&handle, "quote", 1)).await.is_ok())
    });
    let (live, _) = run(&quoted, [vec![start()], vec![fired(1)]]);
    assert_eq!(live.outcome(), None);
    let (live, _) = run(&quoted, [vec![start()], vec![fired(1)], vec![completed(0, 7)]]);
    assert_eq!(output(&live), "false");
}

// R2:ERR-21
#[test]
fn the_time_that_was_up_is_an_error_that_becomes_a_failure() {
    let strict = orchestrator(|handle| async move {
        context(&handle).timeout(MINUTE, handle.wait::<u32>("north".into())).await?
    });
    let (live, _) = run(&strict, [vec![start()], vec![fired(0)]]);
    assert_eq!(
        (failure(&live).kind(), failure(&live).message()),
        (FailureKind::TimedOut, "not done within 60s")
    );
}

// R1:SKIP-18
#[test]
fn the_future_wins_when_both_are_there_before_anybody_looks() {
    let late = orchestrator(|handle| async move {
        let limited = context(&handle).timeout(MINUTE, call::<u32>(&handle, "quote", 1));
        call::<u32>(&handle, "first", 2).await?;
        Ok(limited.await.is_ok())
    });
    let (live, _) = run(&late, [vec![start()], vec![fired(1), completed(0, 7)], vec![completed(2, 1)]]);
    assert_eq!(output(&live), "true");
}

// R1:SMS-3, R1:SMS-5, R1:SKIP-42
#[test]
fn a_limit_can_be_raced_by_reference_again_and_again() {
    let raced = orchestrator(|handle| async move {
        let mut patience = context(&handle).timeout(MINUTE, handle.wait::<u32>("never".into()));
        let mut seen = 0;
        loop {
            match select(handle.wait::<u32>("north".into()), &mut patience).await {
                Either::Left((event, _)) => seen += event?,
                Either::Right((elapsed, _)) => {
                    let elapsed: Elapsed = elapsed.unwrap_err();
                    return Ok((seen, elapsed.duration()));
                }
            }
        }
    });
    let (live, _) =
        run(&raced, [vec![start()], vec![raised("north", "1")], vec![raised("north", "2")], vec![fired(0)]]);
    assert_eq!(output(&live), r#"[3,{"secs":60,"nanos":0}]"#);
}

fn waits(default: Option<u32>) -> Orchestrator {
    orchestrator(move |handle| async move {
        let ctx = context(&handle);
        let first = match default {
            Some(default) => ctx.wait_for_or("north", MINUTE, default).await,
            None => ctx.wait_for_within::<u32>("north", MINUTE).await,
        };
        // An event that came too late is the next wait's.
        Ok((first?, ctx.wait_for::<u32>("north").await?))
    })
}

// R1:EVT-6, R1:EVT-10, R1:SKIP-12
#[test]
fn an_event_in_time_is_given_and_the_timer_cancelled() {
    let (mut live, mut history) = (session(&waits(None)), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let second = episode(&mut live, &mut history, [raised("north", "1")]);
    assert_eq!(second.cancelled_timers, [EventId::from_i32(0)]);
    episode(&mut live, &mut history, [raised("north", "2")]);
    assert_eq!(output(&live), "[1,2]");
    let (live, _) = run(&waits(None), [vec![start()], vec![raised("north", r#""one""#)]]);
    assert_eq!(failure(&live).kind(), FailureKind::Payload, "it fails the wait, not the sender");
}

// R1:OVR-21, R1:EVT-10
#[test]
fn an_absent_event_fails_the_wait_by_name_or_gives_the_default() {
    let (live, _) = run(&waits(None), [vec![start()], vec![fired(0)]]);
    assert_eq!(failure(&live).kind(), FailureKind::TimedOut);
    assert_eq!(failure(&live).message(), "event `north` did not come within 60s");
    let (live, _) = run(&waits(Some(9)), [vec![start()], vec![fired(0)], vec![raised("north", "2")]]);
    assert_eq!(output(&live), "[9,2]");
}

fn mapped(limit: usize, count: u32) -> Orchestrator {
    orchestrator(move |handle| async move {
        let ctx = context(&handle);
        ctx.map_concurrent(limit, 0..count, |input| call::<u32>(&handle, "work", input)).await
    })
}

// R1:FAN-3, R1:OVR-7
#[test]
fn at_most_the_limit_is_open_and_each_end_begins_the_next_in_whatever_order() {
    let (mut live, mut history) = (session(&mapped(2, 4)), Vec::new());
    assert_eq!(called(&episode(&mut live, &mut history, [start()])), [0, 1]);
    assert_eq!(called(&episode(&mut live, &mut history, [completed(1, 11)])), [2]);
    assert_eq!(called(&episode(&mut live, &mut history, [completed(2, 12)])), [3], "0 holds nobody back");
    assert_eq!(called(&episode(&mut live, &mut history, [completed(3, 13)])), [0; 0]);
    episode(&mut live, &mut history, [completed(0, 10)]);
    assert_eq!(output(&live), "[10,11,12,13]");
    assert_eq!(replayed(&mapped(2, 4), &history).fingerprint(), live.fingerprint());
}

#[test]
fn a_limit_of_none_is_one_and_no_items_are_no_wait() {
    let (mut live, mut history) = (session(&mapped(0, 2)), Vec::new());
    assert_eq!(called(&episode(&mut live, &mut history, [start()])), [0]);
    assert_eq!(called(&episode(&mut live, &mut history, [completed(0, 1)])), [1]);
    let (live, _) = run(&mapped(3, 0), [vec![start()]]);
    assert_eq!(output(&live), "[]");
}

#[test]
fn the_first_failure_is_the_answer_and_no_further_item_is_begun() {
    let (live, history) = run(&mapped(2, 9), [vec![start()], vec![failed(1, "no")], vec![completed(0, 1)]]);
    assert_eq!(failure(&live).message(), "no");
    assert_eq!(history.iter().filter(|event| event.kind.name() == "TaskScheduled").count(), 2);
}

#[test]
fn it_begins_when_it_is_called_not_when_it_is_awaited() {
    let late = orchestrator(|handle| async move {
        let ctx = context(&handle);
        let all = ctx.map_concurrent(2, [1, 2, 3], |input| call::<u32>(&handle, "work", input));
        let other = call::<u32>(&handle, "other", 9).await?;
        let all: Vec<u32> = all.await?;
        Ok::<_, Failure>((all, other))
    });
    let (mut live, mut history) = (session(&late), Vec::new());
    assert_eq!(called(&episode(&mut live, &mut history, [start()])), [1, 2, 9]);
    episode(&mut live, &mut history, [completed(0, 1), completed(1, 2)]);
    assert_eq!(called(&episode(&mut live, &mut history, [completed(2, 0)])), [3]);
    episode(&mut live, &mut history, [completed(3, 3)]);
    assert_eq!(output(&live), "[[1,2,3],0]");
}
