//! Instances in bulk: [`AdminStore`] for the embedded provider.
//!
//! Looks on connections of its own, beside the writer's; only what is removed goes through the writer.

use async_trait::async_trait;

use super::{
    EmbeddedProvider,
    operation::{Operation, Purge},
    place::{Position, SLICE, bad_token},
};
use crate::{
    model::InstanceId,
    provider::{
        AdminStore, EntityPage, EntityQuery, InstanceFilter, InstanceQuery, InstanceStore, Page, PageToken,
        ProviderError, PurgeResult, StatusCounts,
    },
};

#[async_trait]
impl AdminStore for EmbeddedProvider {
    async fn query(&self, query: &InstanceQuery) -> Result<Page, ProviderError> {
        let filter = &query.filter;
        // A page that somebody sized by hand is kept within bounds as well.
        let query = query.clone().page_size(query.page_size);
        let listed = Position::of(query.after.as_ref(), filter)
            .and_then(|after| self.shared.reader.query(&query, after.as_ref()))
            .map_err(|trouble| trouble.on("query", self.subject.as_str()))?;
        Ok(Page {
            instances: listed.instances.into_iter().map(|state| query.payloads.of(state)).collect(),
            next: listed.next.map(|next| next.token(filter)),
        })
    }

    async fn entities(&self, query: &EntityQuery) -> Result<EntityPage, ProviderError> {
        let filter = &query.filter;
        let query = query.clone().page_size(query.page_size);
        let opened = query.after.as_ref().map(|token| {
            let id = token.open(filter).and_then(|position| String::from_utf8(position).ok());
            id.ok_or_else(bad_token)
        });
        let found = opened
            .transpose()
            .and_then(|after| self.shared.reader.entities(&query, after.as_deref()))
            .map_err(|trouble| trouble.on("list the entities of", self.subject.as_str()))?;
        let next = found.next.map(|id| PageToken::seal(filter, id.as_bytes()));
        Ok(EntityPage { entities: found.entities, next })
    }

    async fn counts(&self) -> Result<StatusCounts, ProviderError> {
        self.shared.reader.counts().map_err(|trouble| trouble.on("count", self.subject.as_str()))
    }

    async fn purge(&self, instance: &InstanceId) -> Result<bool, ProviderError> {
        // Who only removes makes no hub.
        if self.read_state(instance).await?.is_none() {
            return Ok(false);
        }
        let id = instance.clone();
        Ok(self.ask(|reply| Operation::Purge(id, reply)).await? > 0)
    }

    async fn purge_by(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&PageToken>,
    ) -> Result<PurgeResult, ProviderError> {
        let found = Position::of(after, filter)
            .and_then(|after| self.shared.reader.ended(filter, most.clamp(1, SLICE), after.as_ref()))
            .map_err(|trouble| trouble.on("purge", self.subject.as_str()))?;
        let next = found.next.map(|next| next.token(filter));
        if found.places.is_empty() {
            return Ok(PurgeResult { deleted: 0, next });
        }
        let purge = |reply| Purge { found: found.places.into(), removed: 0, reply };
        let deleted = self.ask(|reply| Operation::PurgeFound(purge(reply))).await?;
        Ok(PurgeResult { deleted, next })
    }
}
