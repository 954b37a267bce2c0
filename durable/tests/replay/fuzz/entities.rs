//! Parts that deal with entities: operations, signals, critical sections.
//!
//! Sections that meet in two branches are nested: the second one is refused, and its part goes on without.
//! Begin with [`section`].

use durable::{
    call::Operation,
    context::CriticalSection,
    model::{EntityId, Failure, OperationName},
};
use futures::future::{Either, select};

use super::{
    program::{Part, value},
    random::Random,
};

/// An operation that fails every third time.
pub(super) const FRAGILE: OperationName = OperationName::literal("fragile");
const ADD: OperationName = OperationName::literal("add");

/// One of a few entities.
pub(super) fn account(number: u64) -> EntityId {
    EntityId::new("account", number % 4).unwrap()
}

pub(super) fn operation(of: &EntityId, input: u64) -> Operation<u64> {
    of.operation(if input.is_multiple_of(2) { FRAGILE } else { ADD }, input).returning()
}

pub(super) async fn one_operation(part: Part) -> u64 {
    part.operation(part.given()).value().await
}

pub(super) async fn one_signal(part: Part) -> u64 {
    part.context().signal(operation(&account(part.given()), part.given()));
    part.operation(part.given()).value().await
}

fn some_accounts(random: &mut Random) -> Vec<EntityId> {
    (0..random.between(1, 4)).map(|_| account(random.next())).collect()
}

/// Locks, and works in the section.
pub(super) async fn section(part: Part) -> u64 {
    let accounts = some_accounts(&mut part.random());
    let mut context = part.context();
    let section = context.lock(&accounts).await;
    work(part, section, &accounts).await
}

/// Gives up after a while.
pub(super) async fn section_within_patience(part: Part) -> u64 {
    let mut random = part.random();
    let accounts = some_accounts(&mut random);
    let mut context = part.context();
    let patience = part.timer(random.below(40) as u64);
    let locking = context.lock(&accounts);
    match select(locking, patience).await {
        Either::Left((section, _patience)) => work(part, section, &accounts).await,
        Either::Right((seen, _locking)) => part.note(value(seen)),
    }
}

/// Asks, and looks only later, or never.
pub(super) async fn late_section(part: Part) -> u64 {
    let mut random = part.random();
    let accounts = some_accounts(&mut random);
    let mut context = part.context();
    let locking = context.lock(&accounts);
    let seen = part.child(0, 3).run().await;
    if random.chance(50) {
        drop(locking);
        return part.child(1, 3).with(seen).run().await;
    }
    let section = locking.await;
    work(part.with(seen), section, &accounts).await
}

/// Never gives up its locks by its own hand: nobody else in the program gets any.
pub(super) async fn leaked_section(part: Part) -> u64 {
    let mut random = part.random();
    let accounts = some_accounts(&mut random);
    let mut context = part.context();
    let section = context.lock(&accounts).await;
    if random.chance(20) {
        std::mem::forget(section);
        return part.child(0, 2).run().await;
    }
    work(part, section, &accounts).await
}

async fn work(part: Part, section: Result<CriticalSection<'_>, Failure>, accounts: &[EntityId]) -> u64 {
    let section = match section {
        Ok(section) => section,
        Err(failure) => {
            part.note(failure.message().len() as u64);
            return part.child(0, 2).run().await;
        }
    };
    let mut random = part.random();
    let of = |number: usize| &accounts[number % accounts.len()];
    let first = part.number(section.call(operation(of(0), part.given())));
    let second = part.number(section.call(operation(of(random.below(3)), part.given() + 1)));
    let unheard = section.signal(operation(&account(random.next()), part.given()));
    part.note(u64::from(unheard.is_ok()));
    if random.chance(20) {
        drop(second);
        return part.note(value(first.await));
    }
    let (first, second) = futures::join!(first, second);
    let seen = part.child(0, 3).with(value(first)).run().await;
    if random.chance(30) {
        drop(section);
        return part.child(1, 3).with(seen).run().await;
    }
    let last = part.number(section.call(operation(of(1), seen))).value().await;
    part.fold([value(second), last])
}
