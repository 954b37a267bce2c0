//! Why an orchestration is where it is.
//!
//! Must not know functions: what a replay would add is a worker's. Begin with [`Client::explain`].

use std::collections::BTreeMap;

use super::{Client, Run};
use crate::{
    entity::EntityState,
    error::Error,
    explanation::Explanation,
    history::History,
    model::{InstanceId, InstanceState},
    provider::{Provider, ProviderError, ProviderErrorKind},
};

impl Client {
    /// Says what an instance waits for, from what is stored: `println!("{}", client.explain(&id).await?)`.
    ///
    /// Works in any process that can open the hub. A worker that has the instance's function knows more,
    /// the lines of code among it: [`Worker::explain`](crate::worker::Worker::explain).
    /// What is known from where stands at [`Explanation`].
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when the history cannot be read.
    pub async fn explain(&self, run: impl AsRef<InstanceId>) -> Result<Explanation, Error> {
        let (state, history) = stored(&*self.provider, run.as_ref()).await?;
        let mut explanation = Explanation::of(state, &history, self.provider.clock().now());
        add_locks(&*self.provider, &mut explanation).await;
        Ok(explanation)
    }
}

/// Looks up who has the locks that the instance may wait for. An entity that cannot be read is passed over:
/// what is known of the others is told all the same.
pub(crate) async fn add_locks(provider: &dyn Provider, explanation: &mut Explanation) {
    let mut held = BTreeMap::new();
    for entity in explanation.entities() {
        let state = match provider.read_history(&entity.instance()).await {
            Ok(history) => EntityState::of(&history).ok(),
            Err(error) => {
                tracing::debug!(%entity, %error, "whether it is locked is not told");
                None
            }
        };
        let lock = state.as_ref().and_then(EntityState::lock);
        held.extend(lock.map(|lock| (entity, (lock.owner.clone(), lock.since))));
    }
    explanation.add_locks(&held);
}

/// An instance's state and history that fit: an episode may end between two reads.
pub(crate) async fn stored(
    provider: &dyn Provider,
    instance: &InstanceId,
) -> Result<(InstanceState, History), Error> {
    // One that is busier than that is not stuck, and told as well as can be.
    const TRIES: u32 = 5;
    let not_found = || ProviderError::new(ProviderErrorKind::NotFound, "explain", instance.as_str());
    let mut before = provider.read_state(instance).await?.ok_or_else(not_found)?;
    let mut history = provider.read_history(instance).await?;
    for _ in 1..TRIES {
        let after = provider.read_state(instance).await?.ok_or_else(not_found)?;
        if after == before {
            break;
        }
        before = after;
        history = provider.read_history(instance).await?;
    }
    Ok((before, history))
}

impl<O> Run<O> {
    /// Says what it waits for: see [`Client::explain`].
    ///
    /// # Errors
    /// Those of [`Client::explain`].
    pub async fn explain(&self) -> Result<Explanation, Error> {
        self.client().explain(self).await
    }
}
