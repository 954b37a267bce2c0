//! An operation of an entity, as a value.
//!
//! Knows nothing of how entities run. Begin with [`Operation`]; with a time it becomes a [`Signal`].

use std::{fmt, marker::PhantomData};

use serde::Serialize;

use super::{
    Called,
    verbs::{Callable, CallableInSection, Signalable, sealed::Sealed},
};
use crate::model::{Encoded, EntityId, OperationName, Payload, Storable, Timestamp};

/// An operation of one entity: which one, with which input (R2:ENT-14). What it returns is read as an `O`.
///
/// Made by the proxy of an `#[entity]` (`Account::at("ada").deposit(100)`) or by
/// [`EntityId::operation`]. An orchestration may `call` it and waits for the answer then; whoever
/// may `signal` it goes on at once and hears nothing of it (R2:ENT-26, ENT-27).
#[must_use = "an operation does nothing until it is given to `call(..)` or `signal(..)`"]
pub struct Operation<O = Payload> {
    request: SignalRequest,
    output: PhantomData<fn() -> O>,
}

/// An operation that runs at a chosen time, or later: it can only be signalled (R2:ENT-14).
#[must_use = "a signal is not sent until it is given to `signal(..)`"]
#[derive(Debug)]
pub struct Signal {
    request: SignalRequest,
}

/// What an engine must know to ask an entity for an operation.
#[doc(hidden)]
#[derive(Debug)]
pub struct SignalRequest {
    /// Which entity.
    pub entity: EntityId,
    /// Which operation of it.
    pub operation: OperationName,
    /// The input, or why there is none; to be reported by the verb.
    pub input: Encoded,
    /// Not before this time; absent means at once.
    pub due: Option<Timestamp>,
}

impl<O> Operation<O> {
    pub(crate) fn new(entity: EntityId, operation: OperationName, input: Encoded) -> Self {
        Self { request: SignalRequest { entity, operation, input, due: None }, output: PhantomData }
    }

    /// Runs it at `time` or soon after, however far that is (R2:ENT-14, ENT-15); nobody can wait for it then.
    pub fn at(mut self, time: Timestamp) -> Signal {
        self.request.due = Some(time);
        Signal { request: self.request }
    }

    /// Reads the answer as a `T`.
    pub fn returning<T>(self) -> Operation<T> {
        Operation { request: self.request, output: PhantomData }
    }

    /// The entity.
    pub fn entity(&self) -> &EntityId {
        &self.request.entity
    }
}

impl EntityId {
    /// An operation of this entity, for names known only at run time. An input that cannot be written as
    /// JSON fails the verb.
    ///
    /// ```
    /// use durable::{call::Operation, model::EntityId};
    /// let counter = EntityId::new("Counter", "game-1")?;
    /// let add = counter.operation("add", 1);
    /// let get: Operation<i64> = counter.operation("get", ()).returning();
    /// # Ok::<(), durable::model::InvalidEntityId>(())
    /// ```
    pub fn operation(&self, name: impl Into<OperationName>, input: impl Serialize) -> Operation {
        Operation::new(self.clone(), name.into(), Payload::of(&input))
    }
}

impl<O> Sealed for Operation<O> {}
impl Sealed for Signal {}

impl<O: Storable> Callable for Operation<O> {
    type Output = O;

    fn into_call(self) -> Called {
        Called::Operation(self.request)
    }
}

impl<O: Storable> CallableInSection for Operation<O> {}

impl<O> Signalable for Operation<O> {
    fn into_signal(self) -> SignalRequest {
        self.request
    }
}

impl Signalable for Signal {
    fn into_signal(self) -> SignalRequest {
        self.request
    }
}

impl<O> fmt::Debug for Operation<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Operation").field(&self.request).finish()
    }
}
