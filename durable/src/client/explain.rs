//! Why an orchestration is where it is.
//!
//! Must not know functions: what a replay would add is a worker's. Begin with [`Client::explain`].

use super::{Client, Run};
use crate::{
    error::Error,
    explanation::Explanation,
    model::InstanceId,
    provider::{ProviderError, ProviderErrorKind},
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
        let instance = run.as_ref();
        let not_found = || ProviderError::new(ProviderErrorKind::NotFound, "explain", instance.as_str());
        // The history first: of two that do not fit, the newer state tells less that is wrong.
        let history = self.provider.read_history(instance).await?;
        let state = self.provider.read_state(instance).await?.ok_or_else(not_found)?;
        Ok(Explanation::of(state, &history, self.provider.clock().now()))
    }
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
