//! Functions with their types erased: a payload in, a payload or a failure out.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::stored::{output_of, read_input};
use crate::{
    context::{ActivityContext, OrchestrationContext},
    model::{Failure, FunctionName, Payload, Storable},
};

/// An orchestrator with its types erased.
pub type OrchestratorFn =
    Arc<dyn Fn(OrchestrationContext, Payload) -> BoxFuture<'static, Result<Payload, Failure>> + Send + Sync>;

/// An activity with its types erased.
pub type ActivityFn =
    Arc<dyn Fn(ActivityContext, Payload) -> BoxFuture<'static, Result<Payload, Failure>> + Send + Sync>;

/// Erases the types of `function`: reads its input, awaits it, writes its output.
pub(super) fn erased<C, I, O, E, F, Fut>(
    name: FunctionName,
    function: F,
) -> impl Fn(C, Payload) -> BoxFuture<'static, Result<Payload, Failure>> + Send + Sync
where
    F: Fn(C, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send + 'static,
    I: Storable,
    O: Storable,
    E: Into<Failure>,
{
    move |context, payload| {
        let name = name.clone();
        let running = read_input::<I>(name.as_str(), &payload).map(|input| function(context, input));
        Box::pin(async move {
            let output = running?.await.map_err(Into::into)?;
            output_of(name.as_str(), &output)
        })
    }
}
