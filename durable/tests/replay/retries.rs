//! Retry policies and timeouts of calls: given this failure, that is asked for next.
//!
//! Every history is replayed after each episode and must lead to the same state (`script::run`).

use std::time::Duration;

use durable::{
    history::{EventId, EventKind, HistoryEvent},
    model::{Failure, FailureKind, Payload, RetryPolicy},
    replay::{Callee, EpisodeEnd, Handle, Orchestrator, Session, Task},
};
use futures::{
    FutureExt,
    future::{Either, FusedFuture, select},
};

use crate::script::{
    call, completed, episode, failed, failure, fired, orchestrator, output, replayed, run, session, start,
};

const SECOND: Duration = Duration::from_secs(1);

fn retried(ctx: &Handle, policy: RetryPolicy, timeout: Option<Duration>) -> Task<u32> {
    ctx.call_retried(Callee::activity("shaky", Payload::of(&7).unwrap()), policy, timeout)
}

/// An orchestrator that makes one call under the policy.
fn calls_once(policy: RetryPolicy, timeout: Option<Duration>) -> Orchestrator {
    orchestrator(move |ctx| retried(&ctx, policy.clone(), timeout))
}

/// What an episode asked for: `call`, or a timer by its milliseconds from now.
fn asked(session: &Session, end: &EpisodeEnd) -> Vec<String> {
    let actions = end.actions.iter().map(|action| match &action.kind {
        EventKind::TaskScheduled { name, input, .. } => format!("{name} {}", input.as_json()),
        EventKind::TimerCreated { fire_at } => {
            format!("timer {}", fire_at.duration_since(session.now()).as_millis())
        }
        kind => kind.name().to_owned(),
    });
    actions.collect()
}

/// Applies the messages one episode each, with a replay after each; what each episode asked for.
fn steps(
    orchestrator: &Orchestrator,
    messages: impl IntoIterator<Item = EventKind>,
) -> (Session, Vec<Vec<String>>) {
    let (mut live, mut history, mut all) = (session(orchestrator), Vec::new(), Vec::new());
    for message in messages {
        let end = episode(&mut live, &mut history, [message]);
        all.push(asked(&live, &end));
        agrees(orchestrator, &live, &history);
    }
    (live, all)
}

fn agrees(orchestrator: &Orchestrator, live: &Session, history: &[HistoryEvent]) {
    let replayed = replayed(orchestrator, history);
    assert_eq!(replayed.outcome(), live.outcome());
    assert_eq!(replayed.fingerprint(), live.fingerprint());
}

// R2:ERR-6, R2:ERR-8, R2:ERR-10, R2:ERR-15
#[test]
fn each_attempt_is_a_call_of_its_own_after_a_durable_timer() {
    let thrice = calls_once(RetryPolicy::new(3, 5 * SECOND), None);
    let (live, asked) =
        steps(&thrice, [start(), failed(0, "a"), fired(1), failed(2, "b"), fired(3), completed(4, 9)]);
    let (call, timer) = (vec!["shaky 7"], vec!["timer 5000"]);
    assert_eq!(asked, [call.clone(), timer.clone(), call.clone(), timer, call, vec!["ExecutionCompleted"]]);
    assert_eq!(output(&live), "9");
}

// R2:ERR-8, R2:ERR-9, R2:ERR-14
#[test]
fn the_last_failure_is_the_callers_when_no_attempt_is_left() {
    let twice = calls_once(RetryPolicy::new(2, SECOND), None);
    let (live, _) = steps(&twice, [start(), failed(0, "first"), fired(1), failed(2, "last")]);
    assert_eq!(failure(&live).message(), "last");
    let (live, asked) = steps(&calls_once(RetryPolicy::new(1, SECOND), None), [start(), failed(0, "only")]);
    assert_eq!(failure(&live).message(), "only");
    assert_eq!(asked[1], ["ExecutionCompleted"]);
}

// R2:ERR-11, R2:ERR-12, R2:ERR-14
#[test]
fn waits_grow_by_the_coefficient_up_to_the_longest_interval() {
    let policy = RetryPolicy::new(5, SECOND).backoff(3.0).max_interval(5 * SECOND);
    let failures = [
        start(),
        failed(0, "a"),
        fired(1),
        failed(2, "b"),
        fired(3),
        failed(4, "c"),
        fired(5),
        failed(6, "d"),
    ];
    let (_, asked) = steps(&calls_once(policy, None), failures);
    let timers: Vec<_> = asked.iter().flatten().filter(|ask| ask.starts_with("timer")).collect();
    assert_eq!(timers, ["timer 1000", "timer 3000", "timer 5000", "timer 5000"]);
}

// R2:ERR-13, R2:ERR-14
#[test]
fn no_attempt_follows_a_failure_that_is_seen_after_the_total_timeout() {
    // `script::episode` begins these episodes at 0 s, 4 s, 8 s and 12 s.
    let within = |total: u32| {
        let total = calls_once(RetryPolicy::new(9, SECOND).total_timeout(total * SECOND), None);
        steps(&total, [start(), failed(0, "a"), fired(1), failed(2, "late")]).0
    };
    assert_eq!(within(12).outcome(), None);
    assert_eq!(failure(&within(11)).message(), "late");
}

// R2:ERR-15
#[test]
fn no_wait_between_attempts_needs_no_timer() {
    let (live, asked) = steps(
        &calls_once(RetryPolicy::new(2, Duration::ZERO), None),
        [start(), failed(0, "a"), completed(1, 3)],
    );
    assert_eq!(asked[1], ["shaky 7"]);
    assert_eq!(output(&live), "3");
}

#[test]
fn jitter_is_the_same_on_every_replay_and_is_drawn_for_waits_only() {
    let jittered = |fraction: f64, attempts: u32| {
        orchestrator(move |ctx| async move {
            let policy = RetryPolicy::new(attempts, 100 * SECOND).jitter(fraction);
            retried(&ctx, policy, None).await.ok();
            Ok(ctx.random())
        })
    };
    // `steps` replays in verify mode, which compares the times of timers.
    let (_, asked) = steps(&jittered(0.5, 2), [start(), failed(0, "a")]);
    let wait: u64 = asked[1][0].strip_prefix("timer ").unwrap().parse().unwrap();
    assert!((50_000..100_000).contains(&wait), "{wait}");
    let unshaken = output(&steps(&jittered(0.0, 1), [start(), failed(0, "a")]).0);
    assert_eq!(output(&steps(&jittered(0.5, 1), [start(), failed(0, "a")]).0), unshaken);
    let drawn = steps(&jittered(0.5, 2), [start(), failed(0, "a"), fired(1), failed(2, "b")]).0;
    assert_ne!(output(&drawn), unshaken);
}

// R2:ERR-16, R2:ERR-17, R2:ERR-18, R2:ERR-19, R2:ERR-20
#[test]
fn a_predicate_decides_by_failure_and_attempt_and_its_no_is_final() {
    let policy =
        RetryPolicy::new(9, SECOND).retry_if(|failure, attempt| failure.message() == "busy" && attempt < 3);
    let asks = calls_once(policy, None);
    let (live, _) = steps(&asks, [start(), failed(0, "busy"), fired(1), failed(2, "gone")]);
    assert_eq!(failure(&live).message(), "gone");
    let busy = || failed(2, "busy");
    let (live, _) = steps(&asks, [start(), failed(0, "busy"), fired(1), busy(), fired(3), failed(4, "busy")]);
    assert_eq!(failure(&live).message(), "busy", "the third attempt is the last");
    let (live, _) = steps(&asks, [start(), failed(0, "busy"), fired(1), busy(), fired(3)]);
    assert_eq!(live.outcome(), None);
}

#[test]
fn a_predicate_that_panics_fails_the_orchestrator() {
    let policy = RetryPolicy::new(9, SECOND).retry_if(|_, _| panic!("no idea"));
    let (live, _) = steps(&calls_once(policy, None), [start(), failed(0, "a")]);
    assert_eq!(failure(&live).kind(), FailureKind::Panicked);
}

#[test]
fn what_cannot_be_cured_is_not_tried_again() {
    let patient = calls_once(RetryPolicy::new(9, SECOND), None);
    let marked = Failure::new("gone for good").non_retriable();
    for incurable in [marked, Failure::of_kind(FailureKind::TooLarge, "", "large")] {
        let answer = EventKind::TaskFailed { task: EventId::from_i32(0), failure: incurable.clone() };
        let (live, _) = steps(&patient, [start(), answer]);
        assert_eq!(failure(&live), incurable);
    }
}

// R2:ERR-21, R2:ERR-21a; DECISIONS 15
#[test]
fn a_call_that_takes_longer_than_its_timeout_fails_and_its_late_result_is_ignored() {
    let hasty = calls_once(RetryPolicy::new(1, SECOND), Some(30 * SECOND));
    let (live, asked) = steps(&hasty, [start(), fired(1)]);
    assert_eq!(asked, [vec!["shaky 7", "timer 30000"], vec![]]);
    assert_eq!(live.outcome(), None, "the activity still runs, and holds the end back");
    let (live, _) = steps(&hasty, [start(), fired(1), completed(0, 9)]);
    assert_eq!(failure(&live).kind(), FailureKind::TimedOut);
    assert_eq!(failure(&live).function().unwrap().as_str(), "shaky");
}

// DECISIONS 15
#[test]
fn a_timeout_is_retried_and_each_attempt_has_the_whole_time() {
    let hasty = calls_once(RetryPolicy::new(2, SECOND), Some(30 * SECOND));
    let (live, asked) = steps(&hasty, [start(), fired(1), fired(2), completed(0, 1), completed(3, 2)]);
    assert_eq!(asked[1..4], [vec!["timer 1000"], vec!["shaky 7", "timer 30000"], vec![]]);
    assert_eq!(output(&live), "2", "the first attempt's late result is nobody's");
}

// R2:ERR-21
#[test]
fn a_result_in_time_cancels_the_time_limit() {
    let hasty = calls_once(RetryPolicy::new(2, SECOND), Some(30 * SECOND));
    for (answer, asks) in [(completed(0, 9), "ExecutionCompleted"), (failed(0, "a"), "timer 1000")] {
        let (mut live, mut history) = (session(&hasty), Vec::new());
        episode(&mut live, &mut history, [start()]);
        let end = episode(&mut live, &mut history, [answer]);
        assert_eq!(end.cancelled_timers, [EventId::from_i32(1)]);
        assert_eq!(asked(&live, &end), [asks]);
        agrees(&hasty, &live, &history);
    }
}

#[test]
fn what_came_first_decides_however_late_the_task_is_awaited() {
    let looks_late = orchestrator(|ctx| async move {
        let task = retried(&ctx, RetryPolicy::new(1, SECOND), Some(30 * SECOND));
        call::<u32>(&ctx, "long", 1).await?;
        assert!(task.is_completed());
        Ok(task.await.map_err(|failure| failure.kind() == FailureKind::TimedOut))
    });
    let (live, _) = run(&looks_late, [vec![start()], vec![completed(0, 9), fired(1)], vec![completed(2, 0)]]);
    assert_eq!(output(&live), r#"{"Ok":9}"#);
    let (live, _) = run(&looks_late, [vec![start()], vec![fired(1), completed(0, 9)], vec![completed(2, 0)]]);
    assert_eq!(output(&live), r#"{"Err":true}"#);
}

#[test]
fn a_task_is_completed_when_its_last_attempt_is_and_stays_fused() {
    let watches = orchestrator(|ctx| async move {
        let mut task = retried(&ctx, RetryPolicy::new(2, SECOND), None);
        let mut seen = Vec::new();
        for number in 0..3 {
            call::<u32>(&ctx, "step", number).await?;
            seen.push(task.is_completed());
            if number < 2 {
                assert!((&mut task).now_or_never().is_none());
            }
        }
        assert!((&mut task).await.is_err() && task.is_terminated() && task.is_completed());
        assert!((&mut task).now_or_never().is_none(), "taken once, pending for ever");
        Ok(seen)
    });
    let (live, _) = run(
        &watches,
        [
            vec![start()],
            vec![failed(0, "a"), completed(1, 0)],
            vec![fired(2), completed(3, 0)],
            vec![failed(4, "b"), completed(5, 0)],
        ],
    );
    assert_eq!(output(&live), "[false,false,true]");
}

// DECISIONS 8
#[test]
fn a_dropped_task_cancels_its_wait_and_lets_a_running_attempt_go_on_unheard() {
    let races = orchestrator(|ctx| async move {
        let task = retried(&ctx, RetryPolicy::new(5, 60 * SECOND), None);
        let other = call::<u32>(&ctx, "other", 1);
        match select(other, task).await {
            Either::Left((seen, _dropped)) => seen,
            Either::Right(_) => Err("the other one is first".into()),
        }
    });
    let (mut live, mut history) = (session(&races), Vec::new());
    episode(&mut live, &mut history, [start()]);
    episode(&mut live, &mut history, [failed(0, "a")]);
    let end = episode(&mut live, &mut history, [completed(1, 4)]);
    assert_eq!(end.cancelled_timers, [EventId::from_i32(2)]);
    assert_eq!(output(&live), "4");
    agrees(&races, &live, &history);

    let (live, _) = run(&races, [vec![start()], vec![completed(1, 4)]]);
    assert_eq!(live.outcome(), None, "the attempt is open");
    let (live, history) = run(&races, [vec![start()], vec![completed(1, 4)], vec![failed(0, "unheard")]]);
    assert_eq!(output(&live), "4");
    assert!(!history.iter().any(|event| event.kind.name() == "TimerCreated"));
}

#[test]
fn a_task_raced_by_reference_goes_on_with_its_attempts() {
    let races = orchestrator(|ctx| async move {
        let mut task = retried(&ctx, RetryPolicy::new(3, SECOND), Some(60 * SECOND));
        let mut ticks = 0;
        loop {
            let tick = call::<u32>(&ctx, "tick", ticks);
            match select(tick, &mut task).await {
                Either::Left(_) => ticks += 1,
                Either::Right((seen, _tick)) => return Ok((ticks, seen?)),
            }
        }
    });
    let (live, _) = run(
        &races,
        [
            vec![start()],
            vec![completed(2, 0), failed(0, "a")],
            vec![fired(4), completed(3, 0)],
            vec![completed(5, 8)],
            vec![completed(7, 0)],
        ],
    );
    assert_eq!(output(&live), "[2,8]");
}
