//! What the code calls that `#[entity]` writes.
//!
//! Begin with [`Implemented`] for interfaces, [`Init`] and [`Attach`] for the state.

use std::{convert::Infallible, fmt};

use futures::future::BoxFuture;

use super::Input;
use crate::{
    call::{Entity, Interface, Operation},
    context::EntityContext,
    model::{Encoded, EntityId, EntityName, Failure, NotStorable, OperationName, Payload},
    registry::{Arguments, InterfaceCode, Operation as Operated, Running},
};

/// The value of a proxy's method for an operation of an entity.
pub fn operation<O>(entity: &EntityId, name: &'static str, input: Encoded) -> Operation<O> {
    Operation::new(entity.clone(), OperationName::literal(name), input)
}

/// The address of an entity in the function syntax; `name` is lower-case.
pub fn entity_id(name: &'static str, key: impl fmt::Display) -> EntityId {
    EntityId::of(&EntityName::literal(name), key)
}

/// The entity, as seen through the interface `I`.
pub fn seen_as<I: Interface + ?Sized>(entity: &EntityId) -> I::Address {
    entity.clone().into()
}

/// Reads the input of the operation `F`, which is called `name`.
///
/// # Errors
/// When the stored text is not of the parameter's type.
pub fn read_operation_input<F: Input<0>>(
    name: &'static str,
    parameter: &str,
    input: Payload,
) -> Result<F::Type, Failure> {
    Arguments::of(name, input, 1)?.read(0, parameter)
}

/// Says where the future of an operation must be `Send`.
pub fn running<S>(running: impl Future<Output = Operated<S>> + Send + 'static) -> Running<S> {
    Box::pin(running)
}

/// Awaits an entity in the function syntax. Says where its future must be `Send`.
pub fn run_entity<F: Future + Send + 'static>(
    running: F,
    answer: fn(F::Output) -> Result<(), Failure>,
) -> BoxFuture<'static, Result<(), Failure>> {
    Box::pin(async move { answer(running.await) })
}

/// The interface at place `N` of an entity. Declared once, under the user's word for the trait, so that
/// one which is none, or is not implemented, is one error and no more.
pub trait Implemented<const N: usize> {
    /// The entity's state.
    type State;
    /// The interface, as its `dyn` type.
    type Interface: InterfaceCode<Self::State> + ?Sized;

    /// Its operations, lower-case.
    const OPERATIONS: &'static [&'static str] = <Self::Interface as InterfaceCode<Self::State>>::OPERATIONS;

    /// Whether it has the operation and that takes `&self`.
    fn is_read_only(operation: &str) -> bool {
        <Self::Interface as InterfaceCode<Self::State>>::is_read_only(operation)
    }

    /// Begins the operation.
    ///
    /// # Errors
    /// The state itself, when there is no such operation.
    fn operate(
        state: Self::State,
        operation: &str,
        context: EntityContext,
        input: Payload,
    ) -> Result<Running<Self::State>, Self::State> {
        <Self::Interface as InterfaceCode<Self::State>>::operate(state, operation, context, input)
    }
}

/// Refuses, while compiling, two operations of one name.
///
/// # Panics
/// When a name is in two of the lists.
pub const fn assert_distinct(lists: &[&[&str]]) {
    let mut first = 0;
    while first < lists.len() {
        let mut second = first + 1;
        while second < lists.len() {
            assert!(
                !have_common_text(lists[first], lists[second]),
                "two operations have one name, whatever its case: among the entity's own and those of its interfaces every name must be found once"
            );
            second += 1;
        }
        first += 1;
    }
}

const fn have_common_text(some: &[&str], others: &[&str]) -> bool {
    let mut one = 0;
    while one < some.len() {
        let mut other = 0;
        while other < others.len() {
            if are_equal(some[one].as_bytes(), others[other].as_bytes()) {
                return true;
            }
            other += 1;
        }
        one += 1;
    }
    false
}

const fn are_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Reads a stored state.
///
/// # Errors
/// When the stored text is none.
pub fn read_state<E: Entity>(stored: &Payload) -> Result<E, NotStorable> {
    E::decode(stored)
}

/// Writes a state.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn write_state<E: Entity>(state: &E) -> Encoded {
    state.encode()
}

/// A state that needs no function for its first value.
#[diagnostic::on_unimplemented(
    message = "the entity `{Self}` has no first state",
    label = "the first operation would find nothing to work on",
    note = "`#[derive(Default)]`, or name a function that makes it: `#[entity(init = path)]`"
)]
pub trait FirstState {
    /// The state before the first operation.
    fn first() -> Self;
}

#[diagnostic::do_not_recommend]
impl<S: Default> FirstState for S {
    fn first() -> Self {
        S::default()
    }
}

/// The state before the first operation, without a function for it.
pub fn first_state<S: FirstState>() -> S {
    S::first()
}

/// A function that makes the first state: `fn() -> S` or `fn(&EntityContext) -> S`, or a `Result` of it.
#[diagnostic::on_unimplemented(
    message = "this function cannot make the first state `{S}` of an entity",
    label = "expected `fn() -> {S}` or `fn(&EntityContext) -> {S}`, or a `Result<{S}, E>` of it"
)]
pub trait Init<S, By> {
    /// Why there is no first state.
    type Error;

    /// The first state.
    ///
    /// # Errors
    /// When the function fails.
    fn first(self, context: &EntityContext) -> Result<S, Self::Error>;
}

/// Marks functions without a parameter.
#[derive(Debug)]
pub struct ByNothing;
/// Marks functions of a context.
#[derive(Debug)]
pub struct ByContext;

impl<S, R: FirstOf<S>, F: FnOnce() -> R> Init<S, ByNothing> for F {
    type Error = R::Error;

    fn first(self, _: &EntityContext) -> Result<S, R::Error> {
        self().into_first()
    }
}

impl<S, R: FirstOf<S>, F: FnOnce(&EntityContext) -> R> Init<S, ByContext> for F {
    type Error = R::Error;

    fn first(self, context: &EntityContext) -> Result<S, R::Error> {
        self(context).into_first()
    }
}

/// What such a function returns.
pub trait FirstOf<S> {
    /// Why there is no first state.
    type Error;

    /// The first state.
    ///
    /// # Errors
    /// When the function failed.
    fn into_first(self) -> Result<S, Self::Error>;
}

impl<S> FirstOf<S> for S {
    type Error = Infallible;

    fn into_first(self) -> Result<S, Infallible> {
        Ok(self)
    }
}

impl<S, E> FirstOf<S> for Result<S, E> {
    type Error = E;

    fn into_first(self) -> Self {
        self
    }
}

/// The first state by the function that the user names.
///
/// # Errors
/// When the function fails.
pub fn init<S, By, F: Init<S, By>>(function: F, context: &EntityContext) -> Result<S, F::Error> {
    function.first(context)
}

/// A function that completes a state which comes into memory: `fn(&mut S)` or `fn(&mut S, &EntityContext)`,
/// which returns nothing or a `Result`.
#[diagnostic::on_unimplemented(
    message = "this function cannot complete the state `{S}` of an entity",
    label = "expected `fn(&mut {S})` or `fn(&mut {S}, &EntityContext)`, which returns nothing or a `Result<(), E>`"
)]
pub trait Attach<S, By> {
    /// Why it cannot be completed.
    type Error;

    /// Completes it.
    ///
    /// # Errors
    /// When the function fails.
    fn attach(self, state: &mut S, context: &EntityContext) -> Result<(), Self::Error>;
}

impl<S, R: FirstOf<()>, F: FnOnce(&mut S) -> R> Attach<S, ByNothing> for F {
    type Error = R::Error;

    fn attach(self, state: &mut S, _: &EntityContext) -> Result<(), R::Error> {
        self(state).into_first()
    }
}

impl<S, R: FirstOf<()>, F: FnOnce(&mut S, &EntityContext) -> R> Attach<S, ByContext> for F {
    type Error = R::Error;

    fn attach(self, state: &mut S, context: &EntityContext) -> Result<(), R::Error> {
        self(state, context).into_first()
    }
}

/// Completes a state by the function that the user names.
///
/// # Errors
/// When the function fails.
pub fn attach<S, By, F: Attach<S, By>>(
    function: F,
    state: &mut S,
    context: &EntityContext,
) -> Result<(), F::Error> {
    function.attach(state, context)
}

/// Stands for a state. `(&Copied(self)).copied()` finds the first of the two traits below that the type
/// fulfils.
#[derive(Debug)]
pub struct Copied<'s, S>(pub &'s S);

/// First: the state is `Clone`.
pub trait ByClone<S> {
    /// Another one like it.
    fn copied(&self) -> Option<S>;
}

impl<S: Clone> ByClone<S> for Copied<'_, S> {
    fn copied(&self) -> Option<S> {
        Some(self.0.clone())
    }
}

/// Otherwise: there is no copy.
pub trait NotClone<S> {
    /// None.
    fn copied(&self) -> Option<S> {
        None
    }
}

impl<S> NotClone<S> for &Copied<'_, S> {}
