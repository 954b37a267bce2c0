//! Why an orchestration is where it is.
//!
//! Must not know functions: what a replay would add is a worker's. Begin with [`Client::explain`].

use super::{Client, Run};
use crate::{
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
        Ok(Explanation::of(state, &history, self.provider.clock().now()))
    }
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
