//! What an application imports: `use durable::prelude::*;`.

pub use crate::{
    call::{Call, Entity, EntityRef, Event},
    client::{Client, Run},
    context::{ActivityContext, EntityContext, OrchestrationContext},
    http::{HttpRequest, HttpResponse},
    hub::TaskHub,
    model::{EntityId, Failure, InstanceId, Payload, RetryPolicy, RuntimeStatus, Timestamp},
    provider::{InstanceFilter, InstanceQuery},
    registry::Registry,
    replay::Task,
    worker::Worker,
};
pub use durable_macros::{activity, entity, orchestrator};
