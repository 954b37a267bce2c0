//! Parts that wait for all of their children.

use futures::{FutureExt, future};

use super::{
    program::{Part, value},
    random::Random,
};

pub(super) async fn join(part: Part) -> u64 {
    let (a, b, c) = futures::join!(part.child(0, 3).run(), part.child(1, 3).run(), part.child(2, 3).run());
    part.fold([a, b, c])
}

pub(super) async fn tokio_join(part: Part) -> u64 {
    let (a, b, c) = tokio::join!(part.child(0, 3).run(), part.child(1, 3).run(), part.child(2, 3).run());
    part.fold([a, b, c])
}

pub(super) async fn try_join(part: Part) -> u64 {
    let joined = futures::try_join!(part.try_child(0, 2), part.try_child(1, 2));
    part.fold([value(joined.map(|(a, b)| a ^ b))])
}

pub(super) async fn tokio_try_join(part: Part) -> u64 {
    let joined = tokio::try_join!(part.try_child(0, 2), part.try_child(1, 2));
    part.fold([value(joined.map(|(a, b)| a ^ b))])
}

/// Mostly a few; sometimes so many that the combinators keep a waker for each child.
fn width(random: &mut Random) -> usize {
    if random.chance(15) { random.between(29, 62) } else { random.between(2, 6) }
}

pub(super) async fn join_all(part: Part) -> u64 {
    let count = width(&mut part.random());
    let all = future::join_all((0..count).map(|number| part.child(number, count).run())).await;
    part.fold(all)
}

pub(super) async fn try_join_all(part: Part) -> u64 {
    let count = width(&mut part.random());
    let all = future::try_join_all((0..count).map(|number| part.try_child(number, count))).await;
    part.fold(all.unwrap_or_else(|failure| vec![failure]))
}

pub(super) async fn shared(part: Part) -> u64 {
    let shared = part.child(0, 3).run().shared();
    let twin = shared.clone();
    let other = async {
        let first = part.child(1, 3).run().await;
        part.note(first ^ twin.await)
    };
    let (left, right, other) = futures::join!(shared.clone(), other, part.child(2, 3).run());
    part.fold([left, right, other, shared.await])
}

pub(super) async fn remote_handle(part: Part) -> u64 {
    let (remote, handle) = part.child(0, 2).run().remote_handle();
    let other = part.child(1, 2).run();
    let ((), seen, other) = futures::join!(remote, handle, other);
    part.fold([seen, other])
}
