//! The hub as a whole: [`HubStore`] for the embedded provider.

use async_trait::async_trait;

use super::{EmbeddedProvider, operation::Operation};
use crate::provider::{HubStore, ProviderError};

#[async_trait]
impl HubStore for EmbeddedProvider {
    async fn create(&self) -> Result<(), ProviderError> {
        self.ask(Operation::CreateHub).await
    }

    async fn delete(&self) -> Result<(), ProviderError> {
        self.ask(Operation::DeleteHub).await
    }

    async fn exists(&self) -> Result<bool, ProviderError> {
        self.shared.reader.hub_exists().map_err(|trouble| trouble.on("look for", self.subject.as_str()))
    }
}
