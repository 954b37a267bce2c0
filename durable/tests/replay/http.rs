//! HTTP calls: given this answer, that is asked for next.
//!
//! Every history is replayed after each episode and must lead to the same state.

use std::time::Duration;

use durable::{
    context::{HttpTask, OrchestrationContext},
    history::{EventId, EventKind, HistoryEvent},
    http::{HTTP_ACTIVITY, HttpCall, HttpRequest, HttpResponse},
    model::{FailureKind, Payload, RetryPolicy},
    replay::{EpisodeEnd, Orchestrator, Outcome, Session, SessionOptions},
};
use futures::{
    FutureExt,
    future::{Either, FusedFuture, select},
};

use crate::script::{
    call, completed, episode, failed, failure, fired, orchestrator, output, replayed, run, session, start,
    started,
};

const SECOND: Duration = Duration::from_secs(1);

/// An orchestrator that makes one HTTP call, and returns the status and the body.
fn calls(make: impl Fn() -> HttpCall + Send + Sync + 'static) -> Orchestrator {
    orchestrator(move |handle| {
        let ctx = OrchestrationContext::new(handle);
        let task = ctx.call_http(make());
        async move {
            let answer = task.await?;
            Ok((answer.status(), answer.text().to_owned()))
        }
    })
}

fn get() -> HttpRequest {
    HttpRequest::get("http://site/start")
}

fn answered(task: i32, answer: &HttpResponse) -> EventKind {
    EventKind::TaskCompleted { task: EventId::from_i32(task), result: Payload::of(answer).unwrap() }
}

fn status(task: i32, status: u16) -> EventKind {
    answered(task, &HttpResponse::new(status))
}

fn accepted(task: i32, location: &str) -> EventKind {
    answered(task, &HttpResponse::new(202).header("Location", location))
}

/// What an episode asked for: a request, or a timer by its seconds from now.
fn asked(session: &Session, end: &EpisodeEnd) -> Vec<String> {
    let actions = end.actions.iter().map(|action| match &action.kind {
        EventKind::TaskScheduled { name, input, .. } if *name == HTTP_ACTIVITY => {
            input.read::<HttpRequest>().unwrap().to_string()
        }
        EventKind::TimerCreated { fire_at, .. } => {
            format!("timer {}", fire_at.duration_since(session.now()).as_secs())
        }
        kind => kind.name().to_owned(),
    });
    actions.collect()
}

/// Applies the messages one episode each, with a replay after each; what each episode asked for.
fn steps<const STEPS: usize>(
    orchestrator: &Orchestrator,
    messages: [EventKind; STEPS],
) -> (Session, Vec<Vec<String>>, Vec<HistoryEvent>) {
    let (mut live, mut history, mut all) = (session(orchestrator), Vec::new(), Vec::new());
    for message in messages {
        let end = episode(&mut live, &mut history, [message]);
        all.push(asked(&live, &end));
        let replayed = replayed(orchestrator, &history);
        assert_eq!(replayed.outcome(), live.outcome());
        assert_eq!(replayed.fingerprint(), live.fingerprint());
    }
    (live, all, history)
}

// R1:ORCH-39, R2:HTTP-15, R2:HTTP-16, R2:HTTP-18, R1:SMP-16
#[test]
fn a_status_of_400_is_a_value() {
    let (live, asked, _) = steps(&calls(|| get().into()), [start(), status(0, 400)]);
    assert_eq!(asked, [["GET http://site/start"], ["ExecutionCompleted"]]);
    assert_eq!(output(&live), r#"[400,""]"#);
}

// R2:HTTP-15
#[test]
fn the_first_request_is_scheduled_when_called_not_when_awaited() {
    let late = orchestrator(|handle| {
        let ctx = OrchestrationContext::new(handle.clone());
        let task = ctx.call_http(get());
        async move {
            call::<u32>(&handle, "first", 1).await?;
            Ok(task.await?.status())
        }
    });
    let (live, asked, _) = steps(&late, [start(), status(0, 204), completed(1, 1)]);
    assert_eq!(asked[0], ["GET http://site/start", "TaskScheduled"]);
    assert_eq!(output(&live), "204");
}

// R2:HTTP-19, R2:HTTP-20, R2:HTTP-21, R1:ORCH-40; DECISIONS 14
#[test]
fn a_202_with_a_location_is_polled_with_durable_timers_until_another_answer() {
    let accepted_for = |task, seconds: &str| {
        answered(task, &HttpResponse::new(202).header("location", "/s/2").header("retry-after", seconds))
    };
    let done = answered(4, &HttpResponse::new(200).content("done"));
    let (live, asked, _) = steps(
        &calls(|| HttpRequest::post("http://site/start").into()),
        [start(), accepted(0, "status?x=1"), fired(1), accepted_for(2, "7"), fired(3), done],
    );
    let expected = [
        "POST http://site/start",
        "timer 30",
        "GET http://site/status",
        "timer 7",
        "GET http://site/s/2",
        "ExecutionCompleted",
    ];
    assert_eq!(asked.concat(), expected);
    assert_eq!(output(&live), r#"[200,"done"]"#);
}

// R2:HTTP-20
#[test]
fn a_202_without_a_location_and_one_that_nobody_wants_followed_are_values() {
    let (live, ..) = steps(&calls(|| get().into()), [start(), status(0, 202)]);
    assert_eq!(output(&live), r#"[202,""]"#);
    let (live, ..) = steps(&calls(|| get().without_polling()), [start(), accepted(0, "status")]);
    assert_eq!(output(&live), r#"[202,""]"#);
}

// R2:ERR-6, DECISIONS 15
#[test]
fn a_retry_policy_covers_lost_and_busy_answers_and_gives_the_last_one() {
    let retried = calls(|| get().retry(RetryPolicy::new(3, 5 * SECOND)));
    let busy = |task| answered(task, &HttpResponse::new(503).header("retry-after", "60"));
    let (live, asked, _) =
        steps(&retried, [start(), failed(0, "no route"), fired(1), busy(2), fired(3), busy(4)]);
    let request = "GET http://site/start";
    assert_eq!(asked.concat(), [request, "timer 5", request, "timer 60", request, "ExecutionCompleted"]);
    assert_eq!(output(&live), r#"[503,""]"#, "the last answer is a value");
    let (live, ..) =
        steps(&retried, [start(), status(0, 500), fired(1), status(2, 500), fired(3), failed(4, "no route")]);
    assert_eq!(failure(&live).message(), "no route");
}

#[test]
fn a_poll_is_retried_like_the_first_request() {
    let retried = calls(|| get().retry(RetryPolicy::new(2, SECOND)));
    let (live, asked, _) =
        steps(&retried, [start(), accepted(0, "/s"), fired(1), status(2, 502), fired(3), status(4, 200)]);
    assert_eq!(asked[3..5], [["timer 1"], ["GET http://site/s"]]);
    assert_eq!(output(&live), r#"[200,""]"#);
}

// R2:ERR-21
#[test]
fn the_timeout_covers_the_polls_and_cancels_their_timer() {
    let limited = calls(|| get().timeout(60 * SECOND));
    let (mut live, mut history) = (session(&limited), Vec::new());
    let first = episode(&mut live, &mut history, [start()]);
    assert_eq!(asked(&live, &first), ["GET http://site/start", "timer 60"]);
    episode(&mut live, &mut history, [accepted(0, "/s")]);
    let last = episode(&mut live, &mut history, [fired(1)]);
    assert_eq!(last.cancelled_timers, [EventId::from_i32(2)]);
    assert_eq!(failure(&live).kind(), FailureKind::TimedOut);
    assert!(failure(&live).message().contains("GET http://site/start"), "{}", failure(&live));
    assert_eq!(replayed(&limited, &history).fingerprint(), live.fingerprint());
}

#[test]
fn an_answer_in_time_cancels_the_time_limit() {
    let limited = calls(|| get().timeout(60 * SECOND));
    let (live, _) = run(&limited, [vec![start()], vec![status(0, 200)]]);
    assert_eq!(output(&live), r#"[200,""]"#);
}

#[test]
fn a_call_can_be_raced_by_reference_and_its_polling_ends_when_it_is_dropped() {
    let raced = orchestrator(|handle| {
        let ctx = OrchestrationContext::new(handle.clone());
        let mut task: HttpTask = ctx.call_http(get());
        async move {
            let first = call::<u32>(&handle, "first", 1);
            let Either::Left((_, _)) = select(first, &mut task).await else { panic!("too early") };
            assert!(!task.is_terminated());
            assert!((&mut task).now_or_never().is_none(), "it goes on to wait for the poll");
            drop(task);
            call::<u32>(&handle, "last", 1).await
        }
    });
    let (mut live, mut history) = (session(&raced), Vec::new());
    episode(&mut live, &mut history, [start()]);
    let second = episode(&mut live, &mut history, [accepted(0, "/s"), completed(1, 1)]);
    assert_eq!(second.cancelled_timers, [EventId::from_i32(2)]);
    episode(&mut live, &mut history, [completed(3, 5)]);
    assert_eq!(output(&live), "5");
    assert_eq!(replayed(&raced, &history).fingerprint(), live.fingerprint());
}

#[test]
fn a_request_that_cannot_be_sent_or_stored_schedules_nothing() {
    let (live, asked, _) = steps(&calls(|| HttpRequest::get("status").into()), [start()]);
    assert_eq!(asked, [["ExecutionCompleted"]]);
    assert!(failure(&live).message().contains("https://host/path"), "{}", failure(&live));

    let large = calls(|| HttpRequest::post("http://site/").content("x".repeat(999)).into());
    let options = SessionOptions { max_payload: 500, ..Default::default() };
    let mut live = Session::new(started(), large, options);
    episode(&mut live, &mut Vec::new(), [start()]);
    let Some(Outcome::Failed(failure)) = live.outcome() else { panic!("not refused") };
    assert_eq!(failure.kind(), FailureKind::TooLarge);
    assert!(failure.message().contains("POST http://site/"), "{failure}");
}

// DECISIONS 25
#[test]
fn another_path_is_refused_naming_the_request_and_the_line_of_the_call() {
    let (_, history) =
        run(&orchestrator(|handle| async move { call::<u32>(&handle, "a", 1).await }), [vec![start()]]);
    let refused = failure(&replayed(&calls(|| get().into()), &history));
    assert_eq!(refused.kind(), FailureKind::Nondeterministic);
    for part in ["`BuiltIn::HttpActivity`", "tests/replay/http.rs:"] {
        assert!(refused.message().contains(part), "{part}: {refused}");
    }

    let (_, _, history) = steps(&calls(|| get().into()), [start(), accepted(0, "/s")]);
    let refused = failure(&replayed(&calls(|| get().without_polling()), &history));
    assert!(refused.message().contains("timer"), "{refused}");
}
