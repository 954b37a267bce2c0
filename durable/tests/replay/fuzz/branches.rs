//! Parts whose children talk to each other through channels.

use futures::{SinkExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::program::Part;

pub(super) async fn tokio_oneshot(part: Part) -> u64 {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let left = async {
        let seen = part.child(0, 3).run().await;
        let _ = sender.send(seen);
        part.child(1, 3).run().await
    };
    let right = async { part.child(2, 3).with(receiver.await.unwrap_or(0)).run().await };
    let (left, right) = futures::join!(left, right);
    part.fold([left, right])
}

pub(super) async fn futures_oneshot(part: Part) -> u64 {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let left = async {
        let seen = part.child(0, 3).run().await;
        let _ = sender.send(seen);
        part.child(1, 3).run().await
    };
    let right = async { part.child(2, 3).with(receiver.await.unwrap_or(0)).run().await };
    let (right, left) = tokio::join!(right, left);
    part.fold([left, right])
}

/// Two producers that send `value` after each child, and a consumer.
macro_rules! producers_and_consumer {
    ($part:ident, $sender:ident, |$tx:ident, $value:ident| $send:expr, $receive:expr) => {{
        macro_rules! producer {
            ($first:literal, $clone:expr) => {{
                let (part, mut $tx) = ($part.clone(), $clone);
                async move {
                    // Some of these channels send by `&mut self`, the others do not care.
                    let _ = &mut $tx;
                    for number in $first..$first + 2 {
                        let $value = part.child(number, 4).run().await;
                        let _ = $send;
                    }
                }
            }};
        }
        let (one, two) = (producer!(0, $sender.clone()), producer!(2, $sender));
        let consumer = async {
            let mut all = Vec::new();
            while let Some(value) = $receive {
                all.push($part.note(value));
            }
            all
        };
        let ((), (), all) = futures::join!(one, two, consumer);
        $part.fold(all)
    }};
}

pub(super) async fn tokio_mpsc(part: Part) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    producers_and_consumer!(part, sender, |tx, value| tx.send(value).await, receiver.recv().await)
}

pub(super) async fn tokio_mpsc_unbounded(part: Part) -> u64 {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    producers_and_consumer!(part, sender, |tx, value| tx.send(value), receiver.recv().await)
}

pub(super) async fn futures_mpsc(part: Part) -> u64 {
    let (sender, mut receiver) = futures::channel::mpsc::channel(0);
    producers_and_consumer!(part, sender, |tx, value| tx.send(value).await, receiver.next().await)
}

pub(super) async fn async_channel(part: Part) -> u64 {
    let (sender, receiver) = async_channel::bounded(1);
    producers_and_consumer!(part, sender, |tx, value| tx.send(value).await, receiver.recv().await.ok())
}

pub(super) async fn flume(part: Part) -> u64 {
    let (sender, receiver) = flume::bounded(1);
    producers_and_consumer!(
        part,
        sender,
        |tx, value| tx.send_async(value).await,
        receiver.recv_async().await.ok()
    )
}

pub(super) async fn broadcast(part: Part) -> u64 {
    let (sender, receiver) = tokio::sync::broadcast::channel(16);
    let listener = |mut receiver: tokio::sync::broadcast::Receiver<u64>, until: usize| {
        let part = part.clone();
        async move {
            let mut all = Vec::new();
            while let Ok(seen) = receiver.recv().await {
                all.push(part.note(seen));
                if all.len() == until {
                    break;
                }
            }
            part.fold(all)
        }
    };
    let (one, two) = (listener(sender.subscribe(), 1), listener(receiver, 9));
    let speaker = async {
        for number in 0..3 {
            let _ = sender.send(part.child(number, 3).run().await);
        }
        drop(sender);
    };
    let (one, (), two) = futures::join!(one, speaker, two);
    part.fold([one, two])
}

/// With one receiver only: several are woken in random order (replay.md, R16).
pub(super) async fn watch(part: Part) -> u64 {
    let (sender, mut receiver) = tokio::sync::watch::channel(0);
    let speaker = async {
        for number in 0..3 {
            let _ = sender.send(part.child(number, 3).run().await);
        }
        drop(sender);
    };
    let listener = async {
        let mut all = Vec::new();
        while receiver.changed().await.is_ok() {
            let seen = *receiver.borrow_and_update();
            all.push(part.note(seen));
        }
        all
    };
    let (all, ()) = futures::join!(listener, speaker);
    part.fold(all)
}

pub(super) async fn cancellation(part: Part) -> u64 {
    let token = CancellationToken::new();
    let worker = |number: usize, token: CancellationToken| {
        let part = part.clone();
        async move {
            tokio::select! {
                biased;
                () = token.cancelled() => part.note(5),
                seen = part.child(number, 4).run() => seen,
            }
        }
    };
    let (one, two) = (worker(0, token.child_token()), worker(1, token.clone()));
    let canceller = async {
        let seen = part.child(2, 4).run().await;
        token.cancel();
        part.child(3, 4).with(seen).run().await
    };
    let (one, last, two) = futures::join!(one, canceller, two);
    part.fold([one, last, two])
}
