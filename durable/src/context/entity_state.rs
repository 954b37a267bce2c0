//! The verbs of an entity in the function syntax: one function that looks at the name of the operation
//! and keeps the state by hand.
//!
//! Begin with [`EntityContext::state`].

use std::any::type_name;

use serde::Serialize;

use super::EntityContext;
use crate::model::{Failure, FailureKind, Payload, Storable};

/// The state of an entity while one of its operations runs in the function syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionState {
    value: Option<Payload>,
    /// The type it was read as in this operation.
    read_as: Option<&'static str>,
}

impl FunctionState {
    pub(crate) fn new(value: Option<Payload>) -> Self {
        Self { value, read_as: None }
    }

    pub(crate) fn into_value(self) -> Option<Payload> {
        self.value
    }

    pub(super) fn delete(&mut self) {
        self.value = None;
        self.read_as = None;
    }
}

impl EntityContext {
    /// The input of the operation (R3:ENT-60).
    ///
    /// # Errors
    /// When it is not a `T`.
    pub fn input<T: Storable>(&self) -> Result<T, Failure> {
        T::decode(self.raw_input()).map_err(|error| {
            let operation = self.operation_name().as_str();
            let message =
                format!("the input of operation `{operation}` is not a `{}`: {error}", type_name::<T>());
            Failure::of_kind(FailureKind::Payload, type_name::<T>(), message)
        })
    }

    /// Whether the entity has a state: not before the first operation, nor after a deletion (R3:ENT-61).
    pub fn has_state(&self) -> bool {
        self.effects().state.as_ref().is_some_and(|state| state.value.is_some())
    }

    /// The state; the type's default when there is none, which becomes the state then (R3:ENT-62, R2:ENT-21).
    ///
    /// # Errors
    /// When what is stored is not a `T`; when it was read as another type in this operation (R3:ENT-65);
    /// in an operation of a typed entity, whose state is `self`.
    pub fn state<T: Storable + Default>(&self) -> Result<T, Failure> {
        if self.effects().state.as_ref().is_some_and(|state| state.value.is_none()) {
            // The user's code for the default must not run under the lock.
            let first = T::default().encode()?;
            if let Some(state) = &mut self.effects().state {
                state.value.get_or_insert(first);
            }
        }
        let stored = {
            let mut effects = self.effects();
            let state = effects.state.as_mut().ok_or_else(|| self.is_typed())?;
            let read_as = *state.read_as.get_or_insert_with(type_name::<T>);
            if read_as != type_name::<T>() {
                return Err(self.other_type(read_as, type_name::<T>()));
            }
            state.value.clone().unwrap_or_default()
        };
        T::decode(&stored).map_err(|error| {
            let (entity, wanted) = (self.entity_id(), type_name::<T>());
            let message = format!("the state of `{entity}` is not a `{wanted}`: {error}");
            Failure::of_kind(FailureKind::Payload, wanted, message)
        })
    }

    /// Keeps `state` from now on (R3:ENT-63); not if the operation fails.
    ///
    /// # Errors
    /// When it cannot be written as JSON; in an operation of a typed entity, whose state is `self`.
    pub fn set_state(&self, state: impl Serialize) -> Result<(), Failure> {
        let value = Payload::of(&state)?;
        self.effects().state.as_mut().ok_or_else(|| self.is_typed())?.value = Some(value);
        Ok(())
    }

    /// Changes the state in place, the type's default when there is none (R3:ENT-64):
    /// `ctx.change_state(|count: &mut i64| *count += 1)?`.
    ///
    /// # Errors
    /// Those of [`state`](Self::state) and [`set_state`](Self::set_state).
    pub fn change_state<T: Storable + Default, R>(
        &self,
        change: impl FnOnce(&mut T) -> R,
    ) -> Result<R, Failure> {
        let mut state = self.state::<T>()?;
        let returned = change(&mut state);
        let value = state.encode()?;
        self.effects().state.as_mut().ok_or_else(|| self.is_typed())?.value = Some(value);
        Ok(returned)
    }

    /// What the orchestration gets that called the operation; `null` without it. Of no account to a signal
    /// (R3:ENT-67). The last one stands.
    ///
    /// A value that cannot be written as JSON fails the operation.
    pub fn return_value(&self, value: impl Serialize) {
        let what = || format!("the result of operation `{}`", self.operation_name().as_str());
        let value = Payload::of(&value).map_err(Failure::from);
        match value.and_then(|value| self.within_limit(value, what)) {
            Ok(value) => self.effects().returned = Some(value),
            Err(failure) => self.fail(failure),
        }
    }

    fn is_typed(&self) -> Failure {
        let message = format!(
            "entity `{}` keeps its state in `self`: `state` and `set_state` are for entities in the function syntax",
            self.entity_id()
        );
        Failure::of_kind(FailureKind::Application, "StateOfTypedEntity", message)
    }

    fn other_type(&self, first: &str, second: &str) -> Failure {
        let message = format!(
            "operation `{}` read the state of `{}` as `{first}` and as `{second}`: use one type within an operation",
            self.operation_name().as_str(),
            self.entity_id()
        );
        Failure::of_kind(FailureKind::Payload, "OtherStateType", message)
    }
}
