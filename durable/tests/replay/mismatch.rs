//! Code that changed, and results that do not fit: the message names both sides.

use durable::{
    history::HistoryEvent,
    model::{FailureKind, Payload},
    replay::{Orchestrator, Outcome, Session, SessionOptions, Task},
};

use crate::script::{call, completed, failure, orchestrator, output, replayed, run, start, started};

fn calls(name: &'static str, input: u32) -> Orchestrator {
    orchestrator(move |ctx| async move { call::<u32>(&ctx, name, input).await })
}

fn history() -> Vec<HistoryEvent> {
    run(&calls("greet", 1), [vec![start()]]).1
}

// R1:ORCH-18, R1:CC-19, R1:QS-20, R1:SKIP-32, R3:ZDD-1, R1:TYP-3; DECISIONS 25
#[test]
fn a_renamed_call_an_additional_call_and_a_missing_call_are_refused() {
    let two = orchestrator(|ctx| async move {
        let (first, _second) = (call::<u32>(&ctx, "greet", 1), call::<u32>(&ctx, "greet", 2));
        first.await
    });
    let timer = orchestrator(|ctx| async move { ctx.timer(crate::script::at(1)).await });
    let nothing = orchestrator(|_ctx| async move { Ok(1) });
    for (other, sign) in
        [(calls("salute", 1), "`salute`"), (two, "nothing more"), (timer, "timer"), (nothing, "end of")]
    {
        let failure = failure(&replayed(&other, &history()));
        assert_eq!(failure.kind(), FailureKind::Nondeterministic);
        assert!(failure.message().contains("DF1001") && failure.message().contains(sign), "{failure}");
    }
}

#[test]
fn another_input_is_an_error_in_verify_mode_and_else_only_noted() {
    let other = calls("greet", 2);
    assert!(failure(&replayed(&other, &history())).message().contains("DF1002"));
    let mut lenient = Session::new(started(), other, SessionOptions::default());
    lenient.replay(&history());
    assert_eq!(lenient.outcome(), None);
}

// R1:EVT-6, R1:QS-19; DECISIONS 21
#[test]
fn a_result_of_another_type_fails_the_await_naming_function_and_type() {
    let expects = orchestrator(|ctx| async move { call::<Vec<String>>(&ctx, "greet", 1).await });
    let (live, _) = run(&expects, [vec![start()], vec![completed(0, 7)]]);
    let failure = failure(&live);
    assert_eq!(failure.kind(), FailureKind::Payload);
    for part in ["`greet`", "Vec<", "String"] {
        assert!(failure.message().contains(part), "{failure}");
    }
}

// R2:ERR-5, R1:ORCH-29
#[test]
fn a_failed_activity_is_a_value_that_the_orchestrator_may_handle() {
    let handles = orchestrator(|ctx| async move {
        let failure = call::<u32>(&ctx, "greet", 1).await.unwrap_err();
        Ok(failure.message().to_owned())
    });
    let (live, _) = run(&handles, [vec![start()], vec![crate::script::failed(0, "no luck")]]);
    assert_eq!(output(&live), r#""no luck""#);
}

// R1:CC-4, R1:CC-5, R1:CC-7, R1:SKIP-30, R1:SMP-18
#[test]
fn uuids_are_version_5_distinct_and_the_same_on_every_replay() {
    let draws = orchestrator(|ctx| async move {
        let (first, second) = (ctx.new_uuid(), ctx.new_uuid());
        call::<u32>(&ctx, "a", 1).await?;
        Ok(([first, second, ctx.new_uuid()].map(|uuid| uuid.to_string()), ctx.random()))
    });
    let (live, history) = run(&draws, [vec![start()], vec![completed(0, 1)]]);
    let Some(Outcome::Completed(drawn)) = live.outcome() else { panic!("not completed") };
    let (texts, _): ([String; 3], u64) = drawn.read().unwrap();
    let [a, b, c]: [uuid::Uuid; 3] = texts.map(|text| text.parse().unwrap());
    assert!([a, b, c].iter().all(|uuid| uuid.get_version_num() == 5));
    assert!(a != b && b != c && a != c);
    assert_eq!(replayed(&draws, &history).outcome(), live.outcome());
}

#[test]
fn an_output_larger_than_the_limit_fails_naming_the_limit() {
    let large = orchestrator(|_ctx| async move { Ok("x".repeat(50)) });
    let options = SessionOptions { max_payload: 40, ..SessionOptions::default() };
    let mut live = Session::new(started(), large, options);
    crate::script::episode(&mut live, &mut Vec::new(), [start()]);
    assert_eq!(failure(&live).kind(), FailureKind::TooLarge);
}

// R2:ERR-21a, R1:SKIP-5; DECISIONS 8
#[test]
fn a_dropped_activity_holds_the_end_back_until_it_ends() {
    let drops = orchestrator(|ctx| async move {
        drop(ctx.call::<u32>(durable::replay::Callee::activity("fire", Payload::null())));
        Ok(1)
    });
    let (live, _) = run(&drops, [vec![start()]]);
    assert_eq!(live.outcome(), None);
    let (live, _) = run(&drops, [vec![start()], vec![completed(0, 1)]]);
    assert_eq!(output(&live), "1");
}

#[test]
fn a_taken_task_stays_pending_and_says_that_it_is_completed() {
    let takes = orchestrator(|ctx| async move {
        let mut task: Task<u32> = call(&ctx, "a", 1);
        let seen = (&mut task).await?;
        assert!(task.is_completed() && futures::FutureExt::now_or_never(&mut task).is_none());
        Ok(seen)
    });
    let (live, _) = run(&takes, [vec![start()], vec![completed(0, 4)]]);
    assert_eq!(output(&live), "4");
}

// Comparing each with each would take minutes here.
#[test]
fn a_wide_fan_out_in_another_order_is_refused_at_once_with_the_likely_cause() {
    let fans_out = |is_reversed: bool| {
        orchestrator(move |ctx| async move {
            let numbers = (0..20_000).map(|number| if is_reversed { 19_999 - number } else { number });
            let calls: Vec<Task<u32>> = numbers.map(|number| call(&ctx, "x", number)).collect();
            futures::future::try_join_all(calls).await
        })
    };
    let (_, history) = run(&fans_out(false), [vec![start()]]);
    let failure = failure(&replayed(&fans_out(true), &history));
    assert!(failure.message().contains("HashMap"), "{failure}");
}
