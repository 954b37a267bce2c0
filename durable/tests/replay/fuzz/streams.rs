//! Parts that take the results of their children as a stream.

use futures::{
    StreamExt,
    stream::{self, FuturesOrdered, FuturesUnordered},
};

use super::program::Part;

fn count(part: &Part) -> usize {
    part.random().between(2, 7)
}

pub(super) async fn ordered(part: Part) -> u64 {
    let count = count(&part);
    let open: FuturesOrdered<_> = (0..count).map(|number| part.child(number, count).run()).collect();
    let all: Vec<_> = open.collect().await;
    part.fold(all)
}

pub(super) async fn unordered(part: Part) -> u64 {
    let count = count(&part);
    let mut open: FuturesUnordered<_> = (0..count).map(|number| part.child(number, count).run()).collect();
    let mut all = Vec::new();
    while let Some(seen) = open.next().await {
        all.push(part.note(seen));
        if seen % 4 == 0 {
            break;
        }
    }
    part.fold(all)
}

pub(super) async fn refilled(part: Part) -> u64 {
    let (count, mut all) = (count(&part), Vec::new());
    let mut waiting = (0..count + 3).map(|number| part.child(number, count + 3));
    let mut open: FuturesUnordered<_> = waiting.by_ref().take(2).map(Part::run).collect();
    while let Some(seen) = open.next().await {
        all.push(part.note(seen));
        if let Some(next) = waiting.next() {
            open.push(next.with(seen).run());
        }
    }
    part.fold(all)
}

pub(super) async fn buffered(part: Part) -> u64 {
    let count = count(&part);
    let children: Vec<_> = (0..count).map(|number| part.child(number, count)).collect();
    let all: Vec<_> = stream::iter(children).map(Part::run).buffered(1 + count / 2).collect().await;
    part.fold(all)
}

pub(super) async fn buffer_unordered(part: Part) -> u64 {
    let count = count(&part);
    let children: Vec<_> = (0..count).map(|number| part.child(number, count)).collect();
    let all: Vec<_> = stream::iter(children).map(Part::run).buffer_unordered(1 + count / 2).collect().await;
    part.fold(all)
}

pub(super) async fn for_each_concurrent(part: Part) -> u64 {
    let count = count(&part);
    let children: Vec<_> = (0..count).map(|number| part.child(number, count)).collect();
    stream::iter(children)
        .for_each_concurrent(1 + count / 2, |child| {
            let part = part.clone();
            async move {
                part.note(child.run().await);
            }
        })
        .await;
    part.given()
}

pub(super) async fn ready_chunks(part: Part) -> u64 {
    let count = count(&part);
    let open: FuturesUnordered<_> = (0..count).map(|number| part.child(number, count).run()).collect();
    let chunks: Vec<_> = open.ready_chunks(3).collect().await;
    part.fold(chunks.into_iter().flat_map(|chunk| chunk.into_iter().chain([99])))
}

pub(super) async fn map_concurrent(part: Part) -> u64 {
    let count = count(&part);
    let limit = part.random().below(count + 1);
    let mapped = part.map_concurrent(limit, count);
    // What was begun by the call goes on beside this.
    let seen = part.child(0, count).run().await;
    let all = mapped.await;
    part.fold(all.unwrap_or_else(|failure| vec![failure]).into_iter().chain([seen]))
}

pub(super) async fn select_two(part: Part) -> u64 {
    let left: FuturesUnordered<_> = (0..2).map(|number| part.child(number, 4).run()).collect();
    let right: FuturesOrdered<_> = (2..4).map(|number| part.child(number, 4).run()).collect();
    let all: Vec<_> = stream::select(left, right).collect().await;
    part.fold(all)
}

pub(super) async fn select_all(part: Part) -> u64 {
    let count = count(&part);
    let streams = (0..count).map(|number| stream::once(part.child(number, count).run()));
    let all: Vec<_> = stream::select_all(streams).take(count - 1).collect().await;
    part.fold(all)
}
