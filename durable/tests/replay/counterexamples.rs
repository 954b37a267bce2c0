//! The counterexamples of the design (`replay.md`, section 4) that depend on chance: what the engine
//! cannot prevent it must notice. The others stand with the behaviour they concern.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use durable::{
    history::{EventKind, HistoryEvent},
    model::FailureKind,
    replay::{Orchestrator, Session, Task},
};
use futures::{StreamExt, future, stream::FuturesUnordered};

use crate::script::{call, completed, episode, failure, orchestrator, raised, replayed, session, start};

/// Replays often enough that chance decides both ways: 64 coins are not all the same.
const REPLAYS: usize = 64;

fn live(orchestrator: &Orchestrator, episodes: Vec<Vec<EventKind>>) -> (Session, Vec<HistoryEvent>) {
    let (mut live, mut history) = (session(orchestrator), Vec::new());
    for messages in episodes {
        episode(&mut live, &mut history, messages);
    }
    (live, history)
}

/// Every replay is the same or refused; both happen.
#[track_caller]
fn is_never_silent(orchestrator: &Orchestrator, episodes: Vec<Vec<EventKind>>, codes: &[&str]) {
    let (live, history) = live(orchestrator, episodes);
    let mut refused = 0;
    for _ in 0..REPLAYS {
        let replay = replayed(orchestrator, &history);
        if replay.outcome() != live.outcome() {
            let failure = failure(&replay);
            assert_eq!(failure.kind(), FailureKind::Nondeterministic);
            assert!(codes.iter().any(|code| failure.message().contains(code)), "{failure}");
            refused += 1;
        }
    }
    assert!(refused > 0, "chance never decided otherwise: the example shows nothing");
}

#[test]
fn r1_readiness_that_accumulated_before_an_unbiased_select_is_noticed_by_the_digest() {
    let races = orchestrator(|ctx| async move {
        let (mut a, mut b): (Task<u32>, Task<u32>) = (call(&ctx, "a", 1), call(&ctx, "b", 2));
        call::<u32>(&ctx, "c", 3).await?;
        Ok(tokio::select! { _ = &mut a => 1, _ = &mut b => 2 })
    });
    let answers = vec![completed(0, 1), completed(1, 2), completed(2, 3)];
    is_never_silent(&races, vec![vec![start()], answers.clone()], &["DF1003"]);
    let with_futures = orchestrator(|ctx| async move {
        let (mut a, mut b): (Task<u32>, Task<u32>) = (call(&ctx, "a", 1), call(&ctx, "b", 2));
        call::<u32>(&ctx, "c", 3).await?;
        Ok(futures::select! { _ = a => 1, _ = b => 2 })
    });
    is_never_silent(&with_futures, vec![vec![start()], answers], &["DF1003"]);
}

#[test]
fn r1b_two_events_that_are_both_there_are_noticed_by_the_digest() {
    let races = orchestrator(|ctx| async move {
        Ok(tokio::select! {
            _ = ctx.wait::<u32>("e".into()) => 1,
            _ = ctx.wait::<u32>("f".into()) => 2,
        })
    });
    is_never_silent(&races, vec![vec![raised("e", "1"), raised("f", "2"), start()]], &["DF1003"]);
}

#[test]
fn r2_calls_of_one_activity_made_in_lazy_branches_are_refused_for_their_inputs() {
    let races = orchestrator(|ctx| async move {
        tokio::select! {
            seen = async { call::<u32>(&ctx, "x", 1).await } => seen,
            seen = async { call::<u32>(&ctx, "x", 2).await } => seen,
        }
    });
    is_never_silent(&races, vec![vec![start()]], &["DF1002"]);
}

/// Replays beside a live session, as verify mode does: a replay that took another order must fail.
#[track_caller]
fn is_found_by_comparing_states(make: impl Fn(Arc<Mutex<Vec<u32>>>) -> Orchestrator) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let orchestrator = make(order.clone());
    let (live, history) = live(&orchestrator, vec![vec![start()]]);
    let lived = std::mem::take(&mut *order.lock().unwrap());
    let mut found = 0;
    for _ in 0..REPLAYS {
        let mut replay = replayed(&orchestrator, &history);
        replay.verify_against(&live);
        let is_other = std::mem::take(&mut *order.lock().unwrap()) != lived;
        assert_eq!(replay.outcome().is_some(), is_other);
        if is_other {
            assert!(failure(&replay).message().contains("DF1004"));
            found += 1;
        }
    }
    assert!(found > 0, "chance never decided otherwise: the example shows nothing");
}

#[test]
fn r3_twins_in_lazy_branches_are_found_in_verify_mode_by_their_lines() {
    is_found_by_comparing_states(|order| {
        orchestrator(move |ctx| {
            let order = order.clone();
            async move {
                let note = |branch| order.lock().unwrap().push(branch);
                tokio::select! {
                    seen = async { note(1); ctx.call::<u32>(durable::replay::Callee::activity("x", Default::default())).await } => seen,
                    seen = async { note(2); ctx.call::<u32>(durable::replay::Callee::activity("x", Default::default())).await } => seen,
                }
            }
        })
    });
}

#[test]
fn r4_uuids_drawn_in_lazy_branches_are_refused_where_they_go_different_ways() {
    let races = orchestrator(|ctx| async move {
        let ask = |name: &'static str| {
            let id = ctx.new_uuid().as_u64_pair().0 as u32;
            call::<u32>(&ctx, name, id)
        };
        tokio::select! {
            seen = async { ask("x").await } => seen,
            seen = async { ask("y").await } => seen,
        }
    });
    is_never_silent(&races, vec![vec![start()]], &["DF1001"]);
}

#[test]
fn r5_two_lazy_waits_for_one_event_are_found_in_verify_mode_by_their_lines() {
    is_found_by_comparing_states(|order| {
        orchestrator(move |ctx| {
            let order = order.clone();
            async move {
                let note = |branch| order.lock().unwrap().push(branch);
                tokio::select! {
                    seen = async { note(1); ctx.wait::<u32>("e".into()).await } => seen,
                    seen = async { note(2); ctx.wait::<u32>("e".into()).await } => seen,
                }
            }
        })
    });
}

// R1:CC-1
#[test]
fn r6_calls_in_the_order_of_a_hash_map_are_refused_with_the_likely_cause() {
    let fans_out = orchestrator(|ctx| async move {
        let map: HashMap<u32, u32> = (0..6).map(|number| (number, number)).collect();
        let calls: Vec<Task<u32>> = map.values().map(|&number| call(&ctx, "x", number)).collect();
        future::try_join_all(calls).await
    });
    is_never_silent(&fans_out, vec![vec![start()]], &["HashMap"]);
}

#[test]
fn r16_several_receivers_of_a_watch_channel_wake_in_random_order_and_are_refused() {
    let watches = orchestrator(|ctx| async move {
        let (sender, receiver) = tokio::sync::watch::channel(0);
        let ctx = &ctx;
        let mut listeners: FuturesUnordered<_> = (0..8)
            .map(|number| {
                let mut receiver = receiver.clone();
                async move {
                    receiver.changed().await.ok();
                    call::<u32>(ctx, "x", number).await
                }
            })
            .collect();
        let speaks = async {
            call::<u32>(ctx, "first", 0).await.ok();
            sender.send(1).ok();
            future::pending::<Option<_>>().await
        };
        future::select(listeners.next(), std::pin::pin!(speaks)).await.factor_first().0.unwrap_or(Ok(0))
    });
    is_never_silent(&watches, vec![vec![start()], vec![completed(0, 1)]], &["DF1001", "DF1002"]);
}

// R17 (`async_lock::Mutex` reads the wall clock) cannot be shown without waiting by the clock: it is refused by
// `#[orchestrator]`, see `tests/ui/fail/poll_order.rs`.
// R14 (polls are observable) is shown by the mutant `OneSpuriousPoll` of the fuzzer.
