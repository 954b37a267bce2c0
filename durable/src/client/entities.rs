//! Entities from outside: signal them, and read what they keep.
//!
//! Must not know how they run. Begin with [`Client::signal`].

use std::any::type_name;

use super::{Client, Reply};
use crate::{
    call::{Readable, SignalRequest, Signalable},
    entity::{EntityState, message},
    error::Error,
    history::TaskMessage,
    model::{EntityId, FunctionName, Storable},
    provider::{ProviderError, ProviderErrorKind},
};

impl Client {
    /// Signals an entity: `client.signal(Account::at("ada").deposit(100)).await?` (R2:ENT-26, ENT-30). There
    /// need not be such an entity yet (R2:ENT-41). With `.at(time)` it runs then (R2:ENT-14).
    ///
    /// When it returns, the signal is durable, and will be processed once and after those that this client
    /// sent to the entity before. Whether it succeeds, nobody hears (R2:ENT-27).
    ///
    /// # Errors
    /// An input that cannot be stored; a provider error.
    pub fn signal<S: Signalable>(&self, signal: S) -> Reply<'_, ()> {
        let request = signal.into_signal();
        Reply::new(async move {
            let message = self.request(request)?;
            Ok(self.provider.send(message).await?)
        })
    }

    fn request(&self, request: SignalRequest) -> Result<TaskMessage, Error> {
        let SignalRequest { entity, operation, input, due } = request;
        let input = input.map_err(|source| Error::Input { function: name_of(&entity), source })?;
        let input = input.within(self.max_payload, "the input of the operation").map_err(Error::Payload)?;
        let now = self.provider.clock().now();
        Ok(message::signal(&entity, None, operation, input, due, now))
    }

    /// The state of an entity: `client.read(&Account::at("ada")).await?`; `None` when it has none (R2:ENT-32).
    ///
    /// It is a copy of what was committed last, never of what an operation is in the midst of (R2:ENT-33,
    /// R3:ENT-19), and a lock does not hold it up (DECISIONS 13).
    ///
    /// # Errors
    /// When what is stored is not of the entity's type; a provider error.
    pub fn read<E: Readable>(&self, entity: &E) -> Reply<'_, Option<E::State>> {
        self.read_as(entity.as_ref())
    }

    /// The state of an entity whose type is known to the reader only: `client.read_as::<i64>(&id).await?`.
    ///
    /// # Errors
    /// Those of [`read`](Self::read).
    pub fn read_as<T: Storable>(&self, entity: &EntityId) -> Reply<'_, Option<T>> {
        let entity = entity.clone();
        Reply::new(async move {
            let kept = self.kept(&entity).await?;
            let state = kept.state.as_ref().map(T::decode).transpose();
            state.map_err(|source| Error::StoredState { entity, expected: type_name::<T>(), source })
        })
    }

    /// All that is kept of an entity; of one that does not exist, nothing.
    pub(super) async fn kept(&self, entity: &EntityId) -> Result<EntityState, Error> {
        let instance = entity.instance();
        match self.provider.read_history(&instance).await {
            Ok(history) => EntityState::of(&history).map_err(|cause| {
                let what = "it is not the state of an entity".to_owned();
                let kind = ProviderErrorKind::Corrupt(what);
                ProviderError::new(kind, "read", entity.as_str()).caused_by(cause).into()
            }),
            Err(error) if error.kind == ProviderErrorKind::NotFound => Ok(EntityState::default()),
            Err(error) => Err(error.into()),
        }
    }
}

fn name_of(entity: &EntityId) -> FunctionName {
    entity.name().into()
}
