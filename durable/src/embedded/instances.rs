//! Instances as clients see them: [`InstanceStore`] for the embedded provider.

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::{EmbeddedProvider, operation::Write, store::WrittenMessage};
use crate::{
    history::{History, TaskMessage},
    model::{InstanceId, InstanceState},
    provider::{InstanceStore, NewInstance, ProviderError, ProviderErrorKind, WaitFor},
};

/// Whether the queue knows where an instance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    NotYetThere,
    No,
}

#[async_trait]
impl InstanceStore for EmbeddedProvider {
    async fn create_instance(&self, new: NewInstance) -> Result<InstanceState, ProviderError> {
        self.shared.expect_write();
        self.write(|reply| Write::Create { new, reply }).await
    }

    async fn send(&self, message: TaskMessage) -> Result<(), ProviderError> {
        let instance = message.instance.clone();
        let message = WrittenMessage::new(message)
            .map_err(|trouble| trouble.on("send a message to", instance.as_str()))?;
        self.shared.expect_write();
        self.write(|reply| Write::Send { message, reply }).await
    }

    async fn read_state(&self, instance: &InstanceId) -> Result<Option<InstanceState>, ProviderError> {
        let state = self.shared.reader.state(instance);
        state.map_err(|trouble| trouble.on("read the state of", instance.as_str()))
    }

    async fn read_history(&self, instance: &InstanceId) -> Result<History, ProviderError> {
        const OPERATION: &str = "read the history of";
        let history = self.shared.reader.history(instance);
        let history = history.map_err(|trouble| trouble.on(OPERATION, instance.as_str()))?;
        history.ok_or_else(|| ProviderError::new(ProviderErrorKind::NotFound, OPERATION, instance.as_str()))
    }

    async fn wait(&self, instance: &InstanceId, until: WaitFor) -> Result<InstanceState, ProviderError> {
        loop {
            let (known, answer) = self.await_change(instance, until);
            if known == Known::No {
                // What changes from here on is told; what changed before is read.
                if let Some(state) = self.state_if_met(instance, until).await? {
                    return Ok(state);
                }
                self.wake_writer();
            }
            if let Ok(state) = answer.await {
                return Ok(state);
            }
            if self.shared.update(|queue| queue.is_closed) {
                return Err(self.closed());
            }
        }
    }
}

impl EmbeddedProvider {
    /// Begins to wait, under the lock under which the instance changes.
    fn await_change(
        &self,
        instance: &InstanceId,
        until: WaitFor,
    ) -> (Known, oneshot::Receiver<InstanceState>) {
        self.shared.update(|queue| {
            let waits = |(_, head): (_, &super::queue::Head)| !until.is_met_at(head.status);
            let known = queue.head_of(instance).is_some_and(waits);
            let known = if known { Known::NotYetThere } else { Known::No };
            (known, queue.waiters.register(instance, until))
        })
    }

    async fn state_if_met(
        &self,
        instance: &InstanceId,
        until: WaitFor,
    ) -> Result<Option<InstanceState>, ProviderError> {
        let state = self.read_state(instance).await?;
        let state = state
            .ok_or_else(|| ProviderError::new(ProviderErrorKind::NotFound, "wait for", instance.as_str()))?;
        Ok(until.is_met_by(&state).then_some(state))
    }
}
