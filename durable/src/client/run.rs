//! One orchestration, typed by its output.

use std::{fmt, marker::PhantomData};

use super::Client;
use crate::{
    error::Error,
    history::History,
    model::{InstanceId, InstanceState, Payload, RuntimeStatus, Storable},
    provider::WaitFor,
};

/// One orchestration, whose output is an `O`. Cheap to clone; holds nothing of the orchestration,
/// which goes on whether or not somebody looks.
pub struct Run<O = Payload> {
    client: Client,
    instance: InstanceId,
    output: PhantomData<fn() -> O>,
}

impl<O> Run<O> {
    pub(super) fn new(client: Client, instance: InstanceId) -> Self {
        Self { client, instance, output: PhantomData }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Its instance id.
    pub fn id(&self) -> &InstanceId {
        &self.instance
    }

    /// Where it stands; `None` when there is no such instance.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn state(&self) -> Result<Option<InstanceState>, Error> {
        self.client.state(&self.instance).await
    }

    /// Waits until it has begun, and gives its state then. Returns at once when it has (R4).
    ///
    /// # Errors
    /// `NotFound`; a provider error.
    pub async fn wait_for_start(&self) -> Result<InstanceState, Error> {
        Ok(self.client.provider().wait(&self.instance, WaitFor::Start).await?)
    }

    /// Waits until it has ended, however it ended, and gives its state then.
    ///
    /// # Errors
    /// `NotFound`; a provider error.
    pub async fn wait_for_end(&self) -> Result<InstanceState, Error> {
        Ok(self.client.provider().wait(&self.instance, WaitFor::End).await?)
    }

    /// Its history so far.
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when it cannot be read.
    pub async fn history(&self) -> Result<History, Error> {
        self.client.history(&self.instance).await
    }
}

impl<O: Storable> Run<O> {
    /// Waits until it has ended, and gives what it returned. Pushed by the store, not polled.
    ///
    /// # Errors
    /// `Failed` and `Terminated` when it did not complete; `Output` when what it returned is not an `O`.
    pub async fn output(&self) -> Result<O, Error> {
        let state = self.wait_for_end().await?;
        let instance = self.instance.clone();
        match (state.runtime_status, state.failure) {
            (RuntimeStatus::Terminated, _) => {
                let reason = state.output.read().unwrap_or_else(|_| state.output.as_json().to_owned());
                Err(Error::Terminated { instance, reason })
            }
            (_, Some(failure)) => Err(Error::Failed { instance, failure }),
            _ => O::decode(&state.output).map_err(|source| Error::Output {
                instance,
                expected: std::any::type_name::<O>(),
                source,
            }),
        }
    }
}

impl<O> AsRef<InstanceId> for Run<O> {
    fn as_ref(&self) -> &InstanceId {
        &self.instance
    }
}

impl<O> Clone for Run<O> {
    fn clone(&self) -> Self {
        Self::new(self.client.clone(), self.instance.clone())
    }
}

impl<O> fmt::Debug for Run<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Run").field(&self.instance).finish()
    }
}
