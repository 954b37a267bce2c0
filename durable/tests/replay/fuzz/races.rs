//! Parts in which children race, in a fixed order of preference.

use std::panic::{AssertUnwindSafe, resume_unwind};

use futures::{
    FutureExt,
    future::{self, AbortHandle, Abortable, Either},
};

use super::program::{Part, value};

pub(super) async fn select(part: Part) -> u64 {
    let keeps_loser = part.random().chance(50);
    let (first, loser) = future::select(part.child(0, 2).run(), part.child(1, 2).run()).await.factor_first();
    if keeps_loser {
        return part.fold([first, loser.await]);
    }
    drop(loser);
    part.child(2, 2).with(first).run().await
}

pub(super) async fn select_all(part: Part) -> u64 {
    let mut random = part.random();
    let count = random.between(2, 6);
    let mut rest: Vec<_> = (0..count).map(|number| part.child(number, count).run()).collect();
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (seen, at, others) = future::select_all(rest).await;
        all.extend([part.note(seen), at as u64]);
        if random.chance(40) {
            break;
        }
        rest = others;
    }
    part.fold(all)
}

pub(super) async fn select_ok(part: Part) -> u64 {
    let count = part.random().between(2, 4);
    match future::select_ok((0..count).map(|number| part.try_child(number, count))).await {
        Ok((seen, rest)) => part.fold([seen, rest.len() as u64]),
        Err(failure) => part.fold([failure]),
    }
}

pub(super) async fn select_biased(part: Part) -> u64 {
    let mut left = part.child(0, 3).run().fuse();
    let mut right = part.child(1, 3).run().fuse();
    let mut task = part.call(part.given());
    let mut all = Vec::new();
    for _ in 0..part.random().between(1, 3) {
        all.push(futures::select_biased! {
            seen = left => seen,
            seen = task => value(seen) ^ 1,
            seen = right => seen ^ 2,
        });
    }
    part.fold(all)
}

pub(super) async fn tokio_select(part: Part) -> u64 {
    let mut random = part.random();
    let (mut left, mut right) = (part.child(0, 3).run(), part.child(1, 3).run());
    let (with_left, keeps_loser) = (random.chance(70), random.chance(50));
    let (from_left, seen) = tokio::select! {
        biased;
        seen = &mut left, if with_left => (true, seen),
        seen = &mut right => (false, seen),
    };
    if !keeps_loser {
        drop((left, right));
        return part.child(2, 3).with(seen).run().await;
    }
    let other = if from_left { right.await } else { left.await };
    part.fold([seen, other])
}

pub(super) async fn select_with_handlers(part: Part) -> u64 {
    let (mut left, mut right, mut timer) =
        (part.child(0, 4).run(), part.child(1, 4).run(), part.timer(part.given() % 9));
    tokio::select! {
        biased;
        _ = &mut timer => part.fold([part.child(2, 4).run().await, left.await, right.await]),
        seen = &mut left => {
            let handled = part.child(3, 4).with(seen).run().await;
            part.fold([handled, right.await])
        }
        seen = &mut right => part.fold([seen, part.child(2, 4).with(seen).run().await, left.await]),
    }
}

/// The everyday loop: an event, a deadline that stays, and work that is renewed.
pub(super) async fn select_in_a_loop(part: Part) -> u64 {
    let mut random = part.random();
    let mut deadline = part.timer(50);
    let mut event = part.event(random.below(4));
    let mut work = part.child(0, 5).run();
    for turn in 1..random.between(3, 6) {
        tokio::select! {
            biased;
            seen = &mut event => {
                part.note(value(seen));
                event = part.event(random.below(4));
            }
            _ = &mut deadline => {
                part.note(7);
                break;
            }
            seen = &mut work => work = part.child(turn, 5).with(seen).run(),
        }
    }
    part.given()
}

pub(super) async fn deadline(part: Part) -> u64 {
    let timer = part.timer(part.given() % 30);
    match future::select(part.child(0, 2).run(), timer).await {
        Either::Left((seen, _timer)) => part.fold([seen]),
        Either::Right(_) => part.child(1, 2).run().await,
    }
}

pub(super) async fn timeout(part: Part) -> u64 {
    match part.timeout(part.given() % 30, part.child(0, 2)).await {
        Ok(seen) => part.fold([seen]),
        Err(_) => part.child(1, 2).run().await,
    }
}

/// A time limit that stays, raced by reference with work that is renewed.
pub(super) async fn timeout_in_a_loop(part: Part) -> u64 {
    let mut limited = part.timeout(part.given() % 60, part.child(0, 4));
    let mut all = Vec::new();
    for turn in 1..4 {
        let mut work = part.child(turn, 4).run();
        let (is_over, seen) = tokio::select! {
            biased;
            seen = &mut limited => (true, seen.unwrap_or(11)),
            seen = &mut work => (false, seen),
        };
        all.push(part.note(seen));
        if is_over {
            break;
        }
    }
    part.fold(all)
}

pub(super) async fn aborted(part: Part) -> u64 {
    let (abort, registration) = AbortHandle::new_pair();
    let work = Abortable::new(part.child(0, 3).run(), registration);
    let other = async {
        let seen = part.child(1, 3).run().await;
        abort.abort();
        part.note(seen)
    };
    let (work, other) = futures::join!(work, other);
    part.fold([work.unwrap_or(13), other])
}

pub(super) async fn caught(part: Part) -> u64 {
    let child = part.child(0, 2);
    let held = part.call(1);
    let risky = async move {
        let seen = child.run().await;
        let _held = held;
        // Not `panic!`: the hook would print each of them.
        if seen & 1 == 0 { resume_unwind(Box::new("bad luck")) } else { seen }
    };
    let (risky, other) = futures::join!(AssertUnwindSafe(risky).catch_unwind(), part.child(1, 2).run());
    part.fold([risky.unwrap_or(3), other])
}
