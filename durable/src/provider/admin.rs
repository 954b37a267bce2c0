//! Instances in bulk: asked for, counted, removed.

use async_trait::async_trait;

use super::{
    EntityPage, EntityQuery, InstanceFilter, InstanceQuery, Page, PageToken, ProviderError, StatusCounts,
};
use crate::model::InstanceId;

/// Looking at all instances of a hub, and removing those that have ended.
///
/// None of it needs a worker, and none of it holds up the work of one for long.
///
/// Instances with a retention ([`ExecutionStarted::retention`](crate::history::ExecutionStarted)) are
/// purged by the store itself, that long after they ended by its clock, while somebody works the hub; what
/// fell due while nobody did is made up for.
#[async_trait]
pub trait AdminStore: Send + Sync + 'static {
    /// One page of the instances that the filter fits, in an order of the store's own.
    ///
    /// Through all pages, an instance that fits from the first to the last comes exactly once, whatever is
    /// created, purged or changed meanwhile. A page may be short, or empty, before the last: how far
    /// a store looks for one page is bounded.
    ///
    /// # Errors
    /// `BadPageToken` when the token is not one for this filter; when the store cannot be read.
    async fn query(&self, query: &InstanceQuery) -> Result<Page, ProviderError>;

    /// One page of the entities that the filter fits, in the order of their ids, with what was committed
    /// last of each. Through all pages, one that fits from the first to the last comes exactly once.
    ///
    /// # Errors
    /// `BadPageToken` when the token is not one for this filter; when the store cannot be read.
    async fn entities(&self, query: &EntityQuery) -> Result<EntityPage, ProviderError>;

    /// How many instances stand where. Counted along, not by a look at each, where the store can.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn counts(&self) -> Result<StatusCounts, ProviderError>;

    /// Removes everything about an instance that has ended; whether there was one (R2:MGT-67, MGT-71).
    /// Its id can then be used as if it never had been.
    ///
    /// # Errors
    /// `NotEnded`; when the store cannot be written.
    async fn purge(&self, instance: &InstanceId) -> Result<bool, ProviderError>;

    /// Removes some, at most `most`, of the ended instances that `filter` fits; a filter that names
    /// other statuses purges nothing of those (DECISIONS 2). What the call does is bounded, so
    /// it may remove fewer before it is complete: call again with what it gives, until it is.
    ///
    /// # Errors
    /// As for [`query`](Self::query) and [`purge`](Self::purge). What was removed before stays so.
    async fn purge_by(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&PageToken>,
    ) -> Result<PurgeResult, ProviderError>;
}

/// What one step of a purge did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurgeResult {
    /// How many instances it removed.
    pub deleted: u64,
    /// Where the next step goes on; absent when nothing is left to look at.
    pub next: Option<PageToken>,
}

impl PurgeResult {
    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.next.is_none()
    }
}
