//! What an application imports: `use durable::prelude::*;`.

pub use crate::{
    call::{Call, Event},
    client::{Client, Run},
    context::{ActivityContext, OrchestrationContext},
    http::{HttpRequest, HttpResponse},
    hub::TaskHub,
    model::{Failure, InstanceId, Payload, RetryPolicy, RuntimeStatus, Timestamp},
    provider::{InstanceFilter, InstanceQuery},
    registry::Registry,
    replay::Task,
    worker::Worker,
};
pub use durable_macros::{activity, orchestrator};
