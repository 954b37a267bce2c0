//! The code of entities with its types erased: operations of a typed state, or one function that keeps
//! its state by hand. Both are the same to whoever sends to them (R3:ENT-2, ENT-68).
//!
//! Must not know queues, locks or stores. Begin with [`EntityCode`], which `#[entity]` implements.

use std::{any::type_name, collections::BTreeSet, future::Future, sync::Arc};

use futures::future::{BoxFuture, FutureExt, ready};

use crate::{
    call::Interface,
    context::{EffectsOf, EntityContext, EntityHome, FunctionState},
    entity::{EntityExecutor, LiveEntity, Operated},
    history::OperationRequest,
    model::{Encoded, EntityId, Failure, FailureKind, NotStorable, OperationName, Payload},
};

/// Makes the code of a kind of entity ready to run on a worker.
pub type EntityFn = Arc<dyn Fn(EntityHome) -> Arc<dyn EntityExecutor> + Send + Sync>;

/// The operations of a typed entity, as `#[entity]` writes them down.
///
/// Asks nothing of the type itself, although it is an [`Entity`](crate::call::Entity): a state that cannot be
/// stored is one error and no more.
#[doc(hidden)]
pub trait EntityCode: Sized + Send + 'static {
    /// The operations, lower-case: its own and those of each interface.
    const OPERATIONS: &'static [&'static [&'static str]];

    /// The state before the first operation, and after a deletion (R3:ENT-52).
    ///
    /// # Errors
    /// What the user's `init` function fails with.
    fn first(context: &EntityContext) -> Result<Self, Failure>;

    /// Gives a state that comes into memory what is not stored with it (R3:ENT-55).
    ///
    /// # Errors
    /// What the user's `attach` function fails with.
    fn attach(&mut self, context: &EntityContext) -> Result<(), Failure> {
        let _ = context;
        Ok(())
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// When the stored text is none.
    fn read(stored: &Payload) -> Result<Self, NotStorable>;

    /// Writes the state.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn write(&self) -> Encoded;

    /// Another one like it; `None` when the state is not `Clone`.
    fn copy(&self) -> Option<Self>;

    /// Whether the operation, whose name is given in lower case, takes `&self`.
    fn is_read_only(operation: &str) -> bool;

    /// Begins the operation, whose name is given in lower case. Gives the state back when there is none of
    /// this name.
    ///
    /// # Errors
    /// The state itself, when there is no such operation.
    fn operate(self, operation: &str, context: EntityContext, input: Payload) -> Result<Running<Self>, Self>;
}

/// The operations of an interface on a state that implements it, as `#[entity]` on a trait writes them down.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity interface",
    label = "its trait is not annotated with `#[entity]`",
    note = "write `#[entity]` above the trait: its methods become operations then"
)]
pub trait InterfaceCode<S>: Interface {
    /// The operations, lower-case.
    const OPERATIONS: &'static [&'static str];

    /// See [`EntityCode::is_read_only`].
    fn is_read_only(operation: &str) -> bool;

    /// See [`EntityCode::operate`].
    ///
    /// # Errors
    /// The state itself, when there is no such operation.
    fn operate(state: S, operation: &str, context: EntityContext, input: Payload) -> Result<Running<S>, S>;
}

/// What an operation gave: the state, unless it took it by value, and the result.
#[doc(hidden)]
pub type Operation<S> = (Option<S>, Result<Payload, Failure>);

/// An operation that runs.
#[doc(hidden)]
pub type Running<S> = BoxFuture<'static, Operation<S>>;

/// The code of the typed entity `E`, ready to run.
pub(super) fn typed<E: EntityCode>(home: EntityHome) -> Arc<dyn EntityExecutor> {
    Arc::new(Typed::<E> { home, code: std::marker::PhantomData })
}

struct Typed<E> {
    home: EntityHome,
    code: std::marker::PhantomData<fn() -> E>,
}

/// A typed entity in memory.
struct LiveTyped<E> {
    entity: EntityId,
    home: EntityHome,
    state: TypedState<E>,
}

enum TypedState<E> {
    Absent,
    /// As stored: nobody has looked at it yet.
    Stored(Payload),
    Live(E),
}

impl<E: EntityCode> EntityExecutor for Typed<E> {
    fn load(&self, entity: &EntityId, state: Option<Payload>) -> Box<dyn LiveEntity> {
        let state = state.map_or(TypedState::Absent, TypedState::Stored);
        Box::new(LiveTyped::<E> { entity: entity.clone(), home: self.home.clone(), state })
    }
}

impl<E: EntityCode> LiveTyped<E> {
    /// The state as its type; made anew when there is none.
    fn bring_in(state: TypedState<E>, context: &EntityContext) -> Result<E, Failure> {
        let mut state = match state {
            TypedState::Live(state) => return Ok(state),
            TypedState::Absent => E::first(context)?,
            TypedState::Stored(stored) => read::<E>(&stored, context)?,
        };
        state.attach(context)?;
        Ok(state)
    }

    fn ended(entity: EntityId, home: EntityHome, effects: &EffectsOf, end: Operation<E>) -> Operated {
        let (state, result) = end;
        let ended = effects.take(result);
        let state = state.filter(|_| !ended.deletes).map_or(TypedState::Absent, TypedState::Live);
        let entity = Box::new(Self { entity, home, state });
        Operated { entity, result: ended.result, sent: ended.sent }
    }
}

impl<E: EntityCode> LiveEntity for LiveTyped<E> {
    fn operate(self: Box<Self>, request: OperationRequest) -> BoxFuture<'static, Operated> {
        let Self { entity, home, state } = *self;
        let name = request.operation.as_str().to_lowercase();
        let input = request.input.clone();
        let (context, effects) = EntityContext::new(entity.clone(), request, home.clone(), None);
        if name == DELETE && !operations::<E>().any(|operation| operation == DELETE) {
            let end = (None, Ok(Payload::null()));
            return ready(Self::ended(entity, home, &effects, end)).boxed();
        }
        let running = Self::bring_in(state, &context)
            .and_then(|state| state.operate(&name, context, input).map_err(|_| unknown::<E>(&entity, &name)));
        match running {
            Ok(running) => running.map(move |end| Self::ended(entity, home, &effects, end)).boxed(),
            Err(failure) => ready(Self::ended(entity, home, &effects, (None, Err(failure)))).boxed(),
        }
    }

    fn copy(&self) -> Option<Box<dyn LiveEntity>> {
        let state = match &self.state {
            TypedState::Absent => TypedState::Absent,
            TypedState::Stored(stored) => TypedState::Stored(stored.clone()),
            TypedState::Live(state) => TypedState::Live(state.copy()?),
        };
        Some(Box::new(Self { entity: self.entity.clone(), home: self.home.clone(), state }))
    }

    fn save(&self) -> Result<Option<Payload>, Failure> {
        match &self.state {
            TypedState::Absent => Ok(None),
            TypedState::Stored(stored) => Ok(Some(stored.clone())),
            TypedState::Live(state) => state.write().map(Some).map_err(|error| {
                let message = format!("the state of `{}` cannot be stored as JSON: {error}", self.entity);
                Failure::of_kind(FailureKind::Payload, type_name::<E>(), message)
            }),
        }
    }

    fn is_read_only(&self, operation: &OperationName) -> bool {
        E::is_read_only(&operation.as_str().to_lowercase())
    }
}

/// The operation that every entity has, unless it has one of its own of this name.
const DELETE: &str = "delete";

/// Reads a stored state. What an older version of the code did not store yet has the value of a new
/// entity (R3:ENT-45, ENT-46); what no field takes is ignored (R3:ENT-47), unless the type refuses it.
fn read<E: EntityCode>(stored: &Payload, context: &EntityContext) -> Result<E, Failure> {
    let cause = match E::read(stored) {
        Ok(state) => return Ok(state),
        Err(cause) => cause,
    };
    let first = E::first(context).ok().and_then(|first| first.write().ok());
    let filled = first.and_then(|first| fill(&first, stored)).and_then(|filled| E::read(&filled).ok());
    filled.ok_or_else(|| {
        let (entity, wanted) = (context.entity_id(), type_name::<E>());
        let message = format!("the state of `{entity}` is not a `{wanted}`: {cause}; it stays as it is");
        Failure::of_kind(FailureKind::Payload, wanted, message)
    })
}

/// The stored object with the fields of `first` that it lacks; `None` when they are no objects.
fn fill(first: &Payload, stored: &Payload) -> Option<Payload> {
    fn add(first: serde_json::Value, stored: serde_json::Value) -> serde_json::Value {
        match (first, stored) {
            (serde_json::Value::Object(first), serde_json::Value::Object(mut stored)) => {
                for (field, value) in first {
                    let stored_value = stored.remove(&field);
                    let filled = match stored_value {
                        Some(stored_value) => add(value, stored_value),
                        None => value,
                    };
                    stored.insert(field, filled);
                }
                serde_json::Value::Object(stored)
            }
            (_, stored) => stored,
        }
    }
    let (first, stored) = (first.read().ok()?, stored.read().ok()?);
    Payload::of(&add(first, stored)).ok()
}

/// All operations that the code has.
fn operations<E: EntityCode>() -> impl Iterator<Item = &'static str> {
    E::OPERATIONS.iter().copied().flatten().copied()
}

fn unknown<E: EntityCode>(entity: &EntityId, operation: &str) -> Failure {
    let known: BTreeSet<_> = operations::<E>().chain([DELETE]).collect();
    let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
    let message = format!("entity `{entity}` has no operation `{operation}`: it has {}", known.join(", "));
    Failure::of_kind(FailureKind::UnknownFunction, "UnknownOperation", message)
}

/// A function that dispatches by itself, with its type erased.
pub(super) type EntityFunction =
    Arc<dyn Fn(EntityContext) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Erases the type of `function`.
pub(super) fn erased<F, Fut, E>(function: F) -> EntityFunction
where
    F: Fn(EntityContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<Failure>,
{
    Arc::new(move |context| function(context).map(|result| result.map_err(Into::into)).boxed())
}

/// The code of an entity in the function syntax, ready to run.
pub(super) fn function(home: EntityHome, function: EntityFunction) -> Arc<dyn EntityExecutor> {
    Arc::new(FunctionCode { home, function })
}

#[derive(Clone)]
struct FunctionCode {
    home: EntityHome,
    function: EntityFunction,
}

/// An entity in the function syntax, in memory.
struct LiveFunction {
    code: FunctionCode,
    entity: EntityId,
    state: Option<Payload>,
}

impl EntityExecutor for FunctionCode {
    fn load(&self, entity: &EntityId, state: Option<Payload>) -> Box<dyn LiveEntity> {
        Box::new(LiveFunction { code: self.clone(), entity: entity.clone(), state })
    }
}

impl LiveEntity for LiveFunction {
    fn operate(self: Box<Self>, request: OperationRequest) -> BoxFuture<'static, Operated> {
        let Self { code, entity, state } = *self;
        let state = Some(FunctionState::new(state));
        let (context, effects) = EntityContext::new(entity.clone(), request, code.home.clone(), state);
        let running = (code.function)(context);
        running
            .map(move |result| {
                let ended = effects.take(result.map(|()| Payload::null()));
                let state = ended.state.and_then(FunctionState::into_value);
                let entity = Box::new(Self { code, entity, state });
                Operated { entity, result: ended.result, sent: ended.sent }
            })
            .boxed()
    }

    fn copy(&self) -> Option<Box<dyn LiveEntity>> {
        let Self { code, entity, state } = self;
        Some(Box::new(Self { code: code.clone(), entity: entity.clone(), state: state.clone() }))
    }

    fn save(&self) -> Result<Option<Payload>, Failure> {
        Ok(self.state.clone())
    }
}
