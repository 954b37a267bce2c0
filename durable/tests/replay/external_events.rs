//! External events: kept until awaited, first in, first out, given back by waits that are dropped.

use durable::{
    model::{EventName, FailureKind},
    replay::Task,
};
use futures::{FutureExt, future};

use crate::script::{call, completed, failure, orchestrator, output, raised, run, start};

const NAME: EventName = EventName::literal("Approval");

// R1:EVT-10, SMS-11; DECISIONS 7
#[test]
fn events_are_kept_and_served_first_in_first_out_ignoring_case() {
    let takes = orchestrator(|ctx| async move {
        let (first, second): (Task<u32>, Task<u32>) = (ctx.wait(NAME), ctx.wait("APPROVAL".into()));
        let second = second.await?;
        Ok((first.await?, second, ctx.wait::<u32>(NAME).await?))
    });
    let early = vec![raised("approval", "1"), start()];
    let (live, _) = run(&takes, [early, vec![raised("Approval", "2"), raised("aPPROVAL", "3")]]);
    assert_eq!(output(&live), "[1,2,3]");
}

// replay.md, R13
#[test]
fn an_event_given_to_a_wait_that_is_dropped_unobserved_goes_to_the_next() {
    let drops = orchestrator(|ctx| async move {
        let (dropped, next): (Task<u32>, Task<u32>) = (ctx.wait(NAME), ctx.wait(NAME));
        call::<u32>(&ctx, "a", 1).await?;
        assert!(dropped.is_completed() && !next.is_completed());
        drop(dropped);
        next.await
    });
    let (live, _) = run(&drops, [vec![start()], vec![raised("Approval", "5")], vec![completed(0, 0)]]);
    assert_eq!(output(&live), "5");
}

// replay.md, R13
#[test]
fn an_event_given_back_goes_to_its_place_in_the_order_of_arrival() {
    let drops = orchestrator(|ctx| async move {
        let dropped: Task<u32> = ctx.wait(NAME);
        call::<u32>(&ctx, "a", 1).await?;
        drop(dropped);
        Ok((ctx.wait::<u32>(NAME).await?, ctx.wait::<u32>(NAME).await?))
    });
    let two = vec![raised("Approval", "1"), raised("Approval", "2"), completed(0, 0)];
    let (live, _) = run(&drops, [vec![start()], two]);
    assert_eq!(output(&live), "[1,2]");
}

// replay.md, R18
#[test]
fn an_event_nobody_observed_does_not_stop_the_orchestrator_from_returning() {
    let ignores = orchestrator(|ctx| async move {
        let _unobserved: Task<u32> = ctx.wait(NAME);
        call::<u32>(&ctx, "a", 1).await
    });
    let (live, _) = run(&ignores, [vec![start()], vec![raised("Approval", "1"), completed(0, 4)]]);
    assert_eq!(output(&live), "4");
}

// DECISIONS 8
#[test]
fn a_wait_never_holds_the_end_back() {
    let races = orchestrator(|ctx| async move {
        let never: Task<u32> = ctx.wait(NAME);
        future::select(call::<u32>(&ctx, "a", 1), never).await.factor_first().0
    });
    let (live, _) = run(&races, [vec![start()], vec![completed(0, 4)]]);
    assert_eq!(output(&live), "4");
}

// DECISIONS 6
#[test]
fn a_string_that_holds_a_number_or_bool_is_taken_where_one_is_expected() {
    let takes = orchestrator(|ctx| async move {
        let number: u32 = ctx.wait(NAME).await?;
        let flag: bool = ctx.wait(NAME).await?;
        let text: String = ctx.wait(NAME).await?;
        Ok((number, flag, text))
    });
    let events = vec![start(), raised("Approval", r#""12""#), raised("Approval", r#""true""#)];
    let (live, _) = run(&takes, [events, vec![raised("Approval", r#""13""#)]]);
    assert_eq!(output(&live), r#"[12,true,"13"]"#);
}

// R1:EVT-6; DECISIONS 6, 21
#[test]
fn data_that_does_not_fit_fails_the_waiter_naming_event_and_type() {
    let takes = orchestrator(|ctx| async move { ctx.wait::<u32>(NAME).await });
    for data in [r#""soon""#, r#""null""#, r#""[1]""#, "null", "[1]", "-1"] {
        let (live, _) = run(&takes, [vec![start()], vec![raised("Approval", data)]]);
        let failure = failure(&live);
        assert_eq!(failure.kind(), FailureKind::Payload, "{data}");
        for part in ["`Approval`", "`u32`"] {
            assert!(failure.message().contains(part), "{failure}");
        }
    }
}

#[test]
fn a_wait_that_is_polled_and_forgotten_takes_its_event_away() {
    let forgets = orchestrator(|ctx| async move {
        let mut forgotten: Task<u32> = ctx.wait(NAME);
        assert!((&mut forgotten).now_or_never().is_none());
        std::mem::forget(forgotten);
        ctx.wait::<u32>(NAME).await
    });
    let (live, _) =
        run(&forgets, [vec![start()], vec![raised("Approval", "1")], vec![raised("Approval", "2")]]);
    assert_eq!(output(&live), "2");
}
