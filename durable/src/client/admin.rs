//! Looking at all orchestrations of a hub, and removing those that have ended.
//!
//! Must not know how a store finds them. Begin with [`Client::query`].

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::{Client, Reply, Run};
use crate::{
    error::Error,
    model::{InstanceId, InstanceState},
    provider::{InstanceFilter, InstanceQuery, Page, StatusCounts},
};

/// How many instances one step of a purge removes at most.
const STEP: usize = 200;

impl Client {
    /// One page of the instances that fit (R2:MGT-34 to MGT-39), without their histories.
    ///
    /// ```
    /// # use durable::prelude::*;
    /// # async fn look(client: &Client) -> Result<(), durable::Error> {
    /// let failed = InstanceFilter::new().status(RuntimeStatus::Failed);
    /// let mut query = InstanceQuery::of(failed).page_size(20);
    /// loop {
    ///     let page = client.query(query.clone()).await?;
    ///     for instance in &page.instances {
    ///         println!("{} failed", instance.instance_id);
    ///     }
    ///     let Some(next) = page.next else { break };
    ///     query = query.after(next);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// While there is a next page, more may come, even if this one is short. Pages stay in step while
    /// instances come and go: what fits from the first to the last page comes exactly once. For all
    /// pages one after the other: [`instances`](Self::instances).
    ///
    /// # Errors
    /// A provider error: `BadPageToken` when the token is not one for this filter; when the store
    /// cannot be read.
    pub fn query(&self, query: impl Into<InstanceQuery>) -> Reply<'_, Page> {
        let query = query.into();
        Reply::new(async move { Ok(self.provider.query(&query).await?) })
    }

    /// All instances that fit, read page by page as they are asked for (R4:MGMT-52).
    ///
    /// ```
    /// # use durable::prelude::*;
    /// use futures::TryStreamExt;
    ///
    /// # async fn look(client: &Client) -> Result<(), durable::Error> {
    /// let mut orders = client.instances(InstanceFilter::new().id_prefix("order-"));
    /// while let Some(order) = orders.try_next().await? {
    ///     println!("{}: {}", order.instance_id, order.runtime_status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// After an error the stream ends.
    pub fn instances(
        &self,
        query: impl Into<InstanceQuery>,
    ) -> BoxStream<'static, Result<InstanceState, Error>> {
        let client = self.clone();
        let pages = stream::try_unfold(Some(query.into()), move |query| {
            let client = client.clone();
            async move {
                let Some(query) = query else { return Ok::<_, Error>(None) };
                let Page { instances, next } = client.query(query.clone()).await?;
                let rest = next.map(|next| query.after(next));
                Ok(Some((stream::iter(instances.into_iter().map(Ok)), rest)))
            }
        });
        pages.try_flatten().boxed()
    }

    /// How many instances stand where. Costs the same however many there are.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn counts(&self) -> Reply<'_, StatusCounts> {
        Reply::new(async move { Ok(self.provider.counts().await?) })
    }

    /// Removes everything about an orchestration that has ended; how many were removed, which is 0 when
    /// there is no such instance (R2:MGT-67, MGT-71; R4:MGMT-123).
    ///
    /// # Errors
    /// `NotEnded` when it has not ended; when the store cannot be written.
    pub fn purge(&self, run: impl AsRef<InstanceId>) -> Reply<'_, u64> {
        let instance = run.as_ref().clone();
        Reply::new(async move { Ok(self.provider.purge(&instance).await?.into()) })
    }

    /// Removes all ended instances that fit; how many (R2:MGT-68, DECISIONS 2). Those that have not
    /// ended stay, even if the filter names their status; an empty filter fits all.
    ///
    /// Done in small steps, so that what runs meanwhile is not held up. To drop the future stops
    /// it between two steps.
    ///
    /// # Errors
    /// When the store cannot be read or written. What was removed before stays so.
    pub fn purge_by(&self, filter: InstanceFilter) -> Reply<'_, u64> {
        Reply::new(async move {
            let (mut deleted, mut after) = (0, None);
            loop {
                let step = self.provider.purge_by(&filter, STEP, after.as_ref()).await?;
                deleted += step.deleted;
                after = step.next;
                if after.is_none() {
                    return Ok(deleted);
                }
                // A step that found nothing has waited for nobody.
                tokio::task::yield_now().await;
            }
        })
    }
}

impl<O> Run<O> {
    /// Removes everything about it: see [`Client::purge`].
    ///
    /// # Errors
    /// Those of [`Client::purge`].
    pub fn purge(&self) -> Reply<'_, u64> {
        self.client().purge(self)
    }
}
