//! Parts whose children share locks and signals.

use std::sync::Arc;

use futures::future::join_all;

use super::{program::Part, random::mix};

/// Runs three branches that differ by their number and share `common`.
async fn three<S, F: Future<Output = u64>>(
    part: Part,
    common: S,
    branch: impl Fn(Part, Arc<S>, usize) -> F,
) -> u64 {
    let common = Arc::new(common);
    let branch = |number| branch(part.clone(), common.clone(), number);
    let (a, b, c) = futures::join!(branch(0), branch(1), branch(2));
    part.fold([a, b, c])
}

pub(super) async fn tokio_mutex(part: Part) -> u64 {
    let lock = tokio::sync::Mutex::new(part.given());
    three(part, lock, |part, lock, number| async move {
        let seen = part.child(number, 6).run().await;
        let mut held = lock.lock().await;
        *held = mix(*held, part.child(number + 3, 6).with(seen).run().await) >> 32;
        part.note(*held)
    })
    .await
}

pub(super) async fn futures_mutex(part: Part) -> u64 {
    let lock = futures::lock::Mutex::new(part.given());
    three(part, lock, |part, lock, number| async move {
        let seen = part.child(number, 6).run().await;
        let mut held = lock.lock().await;
        *held = mix(*held, part.child(number + 3, 6).with(seen).run().await) >> 32;
        part.note(*held)
    })
    .await
}

pub(super) async fn semaphore(part: Part) -> u64 {
    let lock = tokio::sync::Semaphore::new(1 + part.random().below(2));
    three(part, lock, |part, lock, number| async move {
        let seen = part.child(number, 6).run().await;
        let _held = lock.acquire().await;
        part.note(part.child(number + 3, 6).with(seen).run().await)
    })
    .await
}

pub(super) async fn async_lock_semaphore(part: Part) -> u64 {
    let lock = async_lock::Semaphore::new(1 + part.random().below(2));
    three(part, lock, |part, lock, number| async move {
        let seen = part.child(number, 6).run().await;
        let _held = lock.acquire().await;
        part.note(part.child(number + 3, 6).with(seen).run().await)
    })
    .await
}

pub(super) async fn rw_lock(part: Part) -> u64 {
    let lock = tokio::sync::RwLock::new(part.given());
    three(part, lock, |part, lock, number| async move {
        let seen = part.child(number, 6).run().await;
        if number == 1 {
            let mut held = lock.write().await;
            *held = part.child(3, 6).with(seen).run().await;
            return part.note(*held);
        }
        let held = lock.read().await;
        part.note(mix(*held, part.child(number + 3, 6).run().await))
    })
    .await
}

pub(super) async fn once_cell(part: Part) -> u64 {
    three(part, tokio::sync::OnceCell::new(), |part, cell, number| async move {
        let seen = part.child(number, 6).run().await;
        let made = cell.get_or_init(|| part.child(number + 3, 6).with(seen).run()).await;
        part.note(*made)
    })
    .await
}

pub(super) async fn notify(part: Part) -> u64 {
    three(part, tokio::sync::Notify::new(), |part, bell, number| async move {
        let seen = part.child(number, 6).run().await;
        if number == 1 {
            // Leaves a permit where nobody waits yet, so that both others get theirs.
            bell.notify_one();
            let last = part.child(3, 6).with(seen).run().await;
            return part.note(last);
        }
        bell.notified().await;
        bell.notify_one();
        part.note(part.child(number + 3, 6).run().await)
    })
    .await
}

/// Built on a watch channel, and yet in order: `join_all` of a few polls all of them.
pub(super) async fn barrier(part: Part) -> u64 {
    let count = part.random().between(2, 5);
    let barrier = tokio::sync::Barrier::new(count);
    let all = join_all((0..count).map(|number| {
        let (part, barrier) = (&part, &barrier);
        async move {
            part.note(part.child(number, count).run().await);
            let leads = barrier.wait().await.is_leader();
            part.note(u64::from(leads))
        }
    }))
    .await;
    part.fold(all)
}
