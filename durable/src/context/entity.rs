//! What an operation of an entity may know and do.
//!
//! Collects what it sends; when and whether that is sent is not known here. Begin with
//! [`EntityContext`]; `entity_state.rs` has the verbs of the function syntax.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use uuid::Uuid;

use super::{Services, entity_state::FunctionState};
use crate::{
    call::{CallableFromEntity, SignalRequest, Signalable, StartRequest, Startable},
    entity::Sent,
    history::{BEHAVIOUR, ExecutionStarted, OperationRequest},
    model::{EntityId, ExecutionId, Failure, FunctionName, InstanceId, OperationName, Payload},
};

/// What an operation of an entity may know and do (R3:ENT-14, R2:ENT-20).
///
/// An operation of a typed entity may take it as `&EntityContext`, beside its one input; an entity in
/// the function syntax takes it by value. Entities may do anything: they are not replayed. What they
/// send leaves with the operation's result, and not at all if the operation fails (R2:ENT-40, DECISIONS
/// 12).
pub struct EntityContext {
    entity: EntityId,
    operation: OperationName,
    input: Payload,
    home: EntityHome,
    effects: Arc<Mutex<Effects>>,
}

/// What a worker lends to the entities that run on it, and the limit that it sets them.
#[derive(Debug, Clone)]
pub struct EntityHome {
    /// What operations ask for by its type.
    pub services: Services,
    /// The largest payload in bytes.
    pub max_payload: usize,
}

/// What an operation has asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    sent: Vec<Sent>,
    /// Whether the state is to be deleted after the operation.
    deletes: bool,
    /// What a verb that cannot say so found wrong: it fails the operation.
    fault: Option<Failure>,
    /// What the function syntax returned.
    pub(super) returned: Option<Payload>,
    /// The state, in the function syntax.
    pub(super) state: Option<FunctionState>,
}

/// What an operation has asked for, seen from whoever ran it.
#[derive(Debug, Clone)]
pub(crate) struct EffectsOf(Arc<Mutex<Effects>>);

impl EntityContext {
    /// The context of `operation` on `entity`, and where its effects are found afterwards.
    pub(crate) fn new(
        entity: EntityId,
        operation: OperationRequest,
        home: EntityHome,
        state: Option<FunctionState>,
    ) -> (Self, EffectsOf) {
        let effects = Arc::new(Mutex::new(Effects { state, ..Effects::default() }));
        let OperationRequest { operation, input, .. } = operation;
        (Self { entity, operation, input, home, effects: effects.clone() }, EffectsOf(effects))
    }

    /// A context to call an operation with in a unit test: `entity`, no services, no state.
    pub fn for_test(entity: impl AsRef<EntityId>, operation: impl Into<OperationName>) -> Self {
        let operation = OperationRequest {
            operation: operation.into(),
            input: Payload::null(),
            call: None,
            section: None,
            due: None,
        };
        let state = Some(FunctionState::new(None));
        let home = EntityHome { services: Services::default(), max_payload: usize::MAX };
        Self::new(entity.as_ref().clone(), operation, home, state).0
    }

    /// The same context with these services instead, as for a unit test.
    #[must_use]
    pub fn with_services(mut self, services: Services) -> Self {
        self.home.services = services;
        self
    }

    /// The same context with this input, as for a unit test of an entity in the function syntax.
    #[must_use]
    pub fn with_input(mut self, input: Payload) -> Self {
        self.input = input;
        self
    }

    /// The entity: name and key (R3:ENT-60).
    pub fn entity_id(&self) -> &EntityId {
        &self.entity
    }

    /// The kind of entity, lower-case.
    pub fn name(&self) -> &str {
        self.entity.name()
    }

    /// Which entity of its kind.
    pub fn key(&self) -> &str {
        self.entity.key()
    }

    /// The operation, as its sender wrote it. Names that differ only in case are one (DECISIONS 7):
    /// compare it as [`OperationName`], or in lower case.
    pub fn operation_name(&self) -> &OperationName {
        &self.operation
    }

    pub(super) fn raw_input(&self) -> &Payload {
        &self.input
    }

    /// Signals an entity, itself included: `ctx.signal(Monitor::at("").milestone_reached(100))` (R2:ENT-39).
    /// It is sent when the operation has succeeded and its state is durable (R2:ENT-40).
    ///
    /// An input that cannot be stored fails the operation.
    pub fn signal<S: Signalable>(&self, signal: S) {
        let SignalRequest { entity, operation, input, due } = signal.into_signal();
        let what = || format!("the input of `{entity}`.`{}`", operation.as_str());
        match input.map_err(Failure::from).and_then(|input| self.within_limit(input, what)) {
            Ok(input) => self.effects().sent.push(Sent::Signal { entity, operation, input, due }),
            Err(failure) => self.fail(failure),
        }
    }

    /// Starts an orchestration, and does not wait for it (R3:ENT-15); gives its instance id at once. It
    /// begins when the operation has succeeded and its state is durable.
    ///
    /// A live instance that has the chosen id goes on as it is, and nothing is started. An id that is none, or
    /// an input that cannot be stored, fails the operation.
    pub fn start<S: Startable>(&self, start: S) -> InstanceId {
        let what = |name: &FunctionName| format!("the input of orchestration `{name}`");
        let started = started(start.into_start()).and_then(|started| {
            let input = self.within_limit(started.input, || what(&started.name))?;
            Ok(ExecutionStarted { input, ..started })
        });
        match started {
            Ok(started) => {
                let instance = started.instance.clone();
                self.effects().sent.push(Sent::Start(Box::new(started)));
                instance
            }
            Err(failure) => {
                self.fail(failure);
                self.entity.instance()
            }
        }
    }

    /// Deletes the entity's state once the operation has succeeded: the next operation finds a fresh entity
    /// (R3:ENT-14, ENT-63). Without effect when there is none.
    pub fn delete_state(&self) {
        let mut effects = self.effects();
        match &mut effects.state {
            Some(state) => state.delete(),
            None => effects.deletes = true,
        }
    }

    /// What the worker lends to entities: `let http = ctx.service::<Http>()?;` (R3:ENT-54).
    ///
    /// # Errors
    /// When the worker was given none of this type ([`service`](crate::worker::WorkerBuilder::service)).
    pub fn service<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Failure> {
        self.home.services.get()
    }

    /// There only for what the compiler says about it: an entity cannot call.
    #[doc(hidden)]
    pub fn call<C: CallableFromEntity>(&self, _: C) {}

    pub(super) fn within_limit(
        &self,
        payload: Payload,
        what: impl FnOnce() -> String,
    ) -> Result<Payload, Failure> {
        let limit = self.home.max_payload;
        if payload.size() <= limit { Ok(payload) } else { payload.within(limit, &what()) }
    }

    pub(super) fn fail(&self, failure: Failure) {
        self.effects().fault.get_or_insert(failure);
    }

    pub(super) fn effects(&self) -> MutexGuard<'_, Effects> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EffectsOf {
    /// Ends the operation, which gave `result`: what is left of it. What is asked for later, by a task that
    /// the operation left behind, has no effect.
    pub(crate) fn take(&self, result: Result<Payload, Failure>) -> Ended {
        let effects = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let result = match effects.fault {
            Some(failure) => Err(failure),
            None => result.map(|output| effects.returned.unwrap_or(output)),
        };
        Ended { result, sent: effects.sent, deletes: effects.deletes, state: effects.state }
    }
}

/// What an operation left behind.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) result: Result<Payload, Failure>,
    pub(crate) sent: Vec<Sent>,
    /// Whether a typed entity's state is to be deleted.
    pub(crate) deletes: bool,
    pub(crate) state: Option<FunctionState>,
}

/// How the orchestration begins that an entity starts.
fn started(request: StartRequest) -> Result<ExecutionStarted, Failure> {
    let StartRequest { name, version, input, instance, tags, scheduled_start, retention, .. } = request;
    let fresh = || Uuid::new_v4().simple().to_string();
    let instance = instance.unwrap_or_else(|| InstanceId::new(fresh()));
    Ok(ExecutionStarted {
        input: input.map_err(|error| Failure::from(error).in_function(&name))?,
        instance: instance.map_err(|error| Failure::from_error(&error).in_function(&name))?,
        name,
        version,
        execution: ExecutionId::new(fresh()),
        generation: 0,
        tags,
        scheduled_start,
        retention,
        parent: None,
        behaviour: BEHAVIOUR,
    })
}

impl fmt::Debug for EntityContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (entity, operation) = (&self.entity, &self.operation);
        write!(f, "EntityContext {{ entity: {entity}, operation: {operation} }}")
    }
}
