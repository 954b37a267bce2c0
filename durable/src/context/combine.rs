//! Many at once, but not all.
//!
//! Ordinary combinators would do as well; this one begins when it is called, as every verb does, and
//! a slow item holds nobody back.

use futures::{StreamExt, stream::FuturesUnordered};

use super::OrchestrationContext;

impl OrchestrationContext {
    /// Makes a future of each item and awaits them, at most `limit` at once (at least one): the outputs
    /// in the order of the items (R1:FAN-3).
    ///
    /// The first `limit` are begun when this is called, each further one when another has ended,
    /// whichever that is. The first failure is the answer: what is open then is dropped as a task is,
    /// and the other items are never begun. For all outcomes, failures too, give them as outputs:
    /// `|item| async { Ok::<_, Failure>(call(item).await) }`.
    ///
    /// ```
    /// # use durable::prelude::*;
    /// #[activity]
    /// async fn resize(image: String) -> u64 { image.len() as u64 }
    ///
    /// #[orchestrator]
    /// async fn resize_all(ctx: OrchestrationContext, images: Vec<String>) -> Result<u64, Failure> {
    ///     let sizes = ctx.map_concurrent(8, images, |image| ctx.call(resize::with(image))).await?;
    ///     Ok(sizes.into_iter().sum())
    /// }
    /// ```
    ///
    /// # Errors
    /// The first failure of a future, in the order in which they end.
    pub fn map_concurrent<I, F, Fut, T, E>(
        &self,
        limit: usize,
        items: I,
        mut make: F,
    ) -> impl Future<Output = Result<Vec<T>, E>> + use<I, F, Fut, T, E>
    where
        I: IntoIterator,
        F: FnMut(I::Item) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut waiting = items.into_iter().enumerate();
        let mut begin = move |(place, item)| {
            let future = make(item);
            async move { (place, future.await) }
        };
        let mut open: FuturesUnordered<_> = waiting.by_ref().take(limit.max(1)).map(&mut begin).collect();
        async move {
            let mut outputs = Vec::with_capacity(open.len() + waiting.size_hint().0);
            while let Some((place, output)) = open.next().await {
                outputs.push((place, output?));
                open.extend(waiting.next().map(&mut begin));
            }
            outputs.sort_unstable_by_key(|(place, _)| *place);
            Ok(outputs.into_iter().map(|(_, output)| output).collect())
        }
    }
}
