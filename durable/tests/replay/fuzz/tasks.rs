//! Parts made of durable calls alone, and of ordinary control flow.

use std::{future::poll_fn, mem, task::Poll};

use futures::{
    FutureExt,
    future::{BoxFuture, FusedFuture},
};

use super::{
    program::{Part, Waiting, value},
    random::mix,
};

pub(super) async fn one_call(part: Part) -> u64 {
    part.call(part.given()).value().await
}

pub(super) async fn one_attempt(part: Part) -> u64 {
    part.attempt(part.given()).value().await
}

pub(super) async fn one_retried(part: Part) -> u64 {
    part.retried(part.given()).value().await
}

pub(super) async fn one_http(part: Part) -> u64 {
    value(part.http(part.given()).await)
}

pub(super) async fn one_event_within(part: Part) -> u64 {
    let mut random = part.random();
    let default = random.chance(50).then_some(part.given());
    part.event_within(random.below(4), part.given() % 60, default).await
}

pub(super) async fn one_timer(part: Part) -> u64 {
    part.timer(part.given() % 60).value().await
}

pub(super) async fn one_event(part: Part) -> u64 {
    part.event(part.random().below(4)).value().await
}

pub(super) async fn one_uuid(part: Part) -> u64 {
    part.call(part.uuid()).value().await
}

pub(super) async fn one_now(part: Part) -> u64 {
    part.status(part.given());
    part.call(part.now()).value().await
}

pub(super) async fn one_send(part: Part) -> u64 {
    part.send(part.given());
    part.call(part.given()).value().await
}

pub(super) async fn sequence(part: Part) -> u64 {
    let steps = part.random().between(2, 4);
    let mut given = part.given();
    for step in 0..steps {
        given = part.child(step, steps).with(given).run().await;
    }
    given
}

pub(super) async fn if_else(part: Part) -> u64 {
    let seen = part.child(0, 2).run().await;
    part.child(1 + (seen & 1) as usize, 2).with(seen).run().await
}

pub(super) async fn repeat(part: Part) -> u64 {
    let mut seen = part.given();
    for turn in 0..part.random().between(2, 4) {
        seen = part.child(turn, 4).with(seen).run().await;
        if part.note(seen).is_multiple_of(5) {
            break;
        }
    }
    seen
}

pub(super) async fn retry(part: Part) -> u64 {
    let mut input = part.given();
    for attempt in 0..3 {
        match part.attempt(input).await {
            Ok(seen) => return part.child(0, 1).with(seen).run().await,
            Err(failure) => input = mix(input, failure),
        }
        part.timer(1 << attempt).value().await;
    }
    part.note(input)
}

fn some_tasks(part: &Part) -> Vec<Waiting> {
    let mut random = part.random();
    let count = part.size().min(6);
    (0..count).map(|number| part.any_task(random.next(), part.given() + number as u64)).collect()
}

pub(super) async fn awaited_in_another_order(part: Part) -> u64 {
    let mut tasks = some_tasks(&part);
    part.random().shuffle(&mut tasks);
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.value().await);
    }
    part.fold(all)
}

pub(super) async fn asked_before_awaited(part: Part) -> u64 {
    let (mut random, mut all) = (part.random(), Vec::new());
    let mut tasks = some_tasks(&part);
    random.shuffle(&mut tasks);
    for mut task in tasks {
        part.note(u64::from(task.is_completed()));
        let now = if random.chance(50) { (&mut task).now_or_never() } else { None };
        match now {
            Some(result) => all.push(value(result)),
            None => all.push(task.value().await),
        }
    }
    part.fold(all)
}

pub(super) async fn dropped(part: Part) -> u64 {
    let mut tasks = some_tasks(&part);
    let mut random = part.random();
    random.shuffle(&mut tasks);
    if random.chance(50) {
        for task in &mut tasks {
            part.note(u64::from(task.now_or_never().is_some()));
        }
    }
    let kept = tasks.pop();
    let late = if random.chance(50) { tasks } else { Vec::new() };
    let seen = part.child(0, 2).run().await;
    drop(late);
    match kept {
        // A task whose result was taken stays pending for ever.
        Some(kept) if !kept.is_terminated() => part.fold([seen, kept.value().await]),
        Some(_) | None => seen,
    }
}

pub(super) async fn forgotten(part: Part) -> u64 {
    let mut tasks = some_tasks(&part);
    if part.random().chance(50) {
        for task in &mut tasks {
            part.note(u64::from(task.now_or_never().is_some()));
        }
    }
    mem::forget(tasks);
    part.child(0, 2).run().await
}

/// Sends an event when it is dropped, as a user's own guard may.
struct Guard(Part);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.send(self.0.given());
    }
}

pub(super) async fn guarded(part: Part) -> u64 {
    let _guard = Guard(part.clone());
    let inner: BoxFuture<'_, u64> = {
        let (guard, child) = (Guard(part.clone()), part.child(0, 2));
        Box::pin(async move {
            let _guard = guard;
            child.run().await
        })
    };
    let task = part.call(part.given());
    match futures::future::select(inner, task).await {
        futures::future::Either::Left((seen, _task)) => part.fold([seen]),
        futures::future::Either::Right((seen, _inner)) => part.fold([value(seen), 1]),
    }
}

/// The three kinds of yielding: each wakes the orchestrator within its own poll.
pub(super) struct Yield;

impl Yield {
    pub(super) async fn tokio(part: Part) -> u64 {
        Self::around(&part, || Box::pin(tokio::task::yield_now())).await
    }

    pub(super) async fn futures_lite(part: Part) -> u64 {
        Self::around(&part, || Box::pin(futures_lite::future::yield_now())).await
    }

    pub(super) async fn by_hand(part: Part) -> u64 {
        Self::around(&part, || Box::pin(yield_by_hand())).await
    }

    async fn around(part: &Part, pause: impl Fn() -> BoxFuture<'static, ()>) -> u64 {
        let left = async {
            pause().await;
            part.note(1);
            part.child(0, 2).run().await
        };
        let right = async {
            let seen = part.child(1, 2).run().await;
            pause().await;
            pause().await;
            part.note(seen)
        };
        let (left, right) = futures::join!(left, right);
        part.fold([left, right])
    }
}

async fn yield_by_hand() {
    let mut yielded = false;
    poll_fn(|cx| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
