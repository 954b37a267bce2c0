//! The words of the domain: values with rules, and no behaviour.
//!
//! Knows nothing of history, storage or time. Begin with [`InstanceId`] and [`Payload`].

mod entity_id;
mod failure;
mod hub;
mod instance;
mod name;
mod payload;
mod retry;
mod state;
mod timestamp;

pub use entity_id::{EntityId, EntityName, InvalidEntityId};
pub(crate) use failure::panic_message;
pub use failure::{Failure, FailureKind};
pub use hub::{InvalidTaskHubName, TaskHubName};
pub use instance::{ExecutionId, InstanceId, InvalidInstanceId};
pub use name::{EventName, FunctionName, FunctionVersion, OperationName};
pub use payload::{Encoded, NotStorable, Payload, Storable};
pub use retry::{Attempt, RetryPolicy};
pub use state::{InstanceState, RuntimeStatus, UnknownStatus};
pub use timestamp::{InvalidTimestamp, Timestamp};
