//! What can go wrong between a program and its hub.
//!
//! A function's own failure is a [`Failure`](crate::model::Failure), which appears here when
//! somebody waits for its output.

use std::{fmt, time::Duration};

use crate::{
    call::ImplementerError,
    model::{
        EntityId, Failure, FunctionName, InstanceId, InvalidEntityId, InvalidInstanceId, InvalidTaskHubName,
        NotStorable, RuntimeStatus,
    },
    provider::{ProviderError, WaitFor},
    registry::RegistryError,
};

/// What can go wrong between a program and its hub. Says what to do about it.
///
/// Its `Debug` form is made for people, since that is what `main` prints when it returns an error: the
/// message, then each cause on a line of its own.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store refused, or is out of reach.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A text is not an instance id.
    #[error(transparent)]
    InstanceId(#[from] InvalidInstanceId),
    /// A text is not an entity.
    #[error(transparent)]
    InvalidEntity(#[from] InvalidEntityId),
    /// A text is not a hub name.
    #[error(transparent)]
    TaskHubName(#[from] InvalidTaskHubName),
    /// Two functions have one name.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// Not exactly one kind of entity implements an interface, so a key alone names none.
    #[error(transparent)]
    Implementer(#[from] ImplementerError),
    /// The orchestration failed.
    #[error("orchestration `{instance}` failed: {failure}")]
    Failed {
        /// Which one.
        instance: InstanceId,
        /// Why.
        #[source]
        failure: Failure,
    },
    /// The orchestration was terminated before it had an output.
    #[error("orchestration `{instance}` was terminated: {reason}")]
    Terminated {
        /// Which one.
        instance: InstanceId,
        /// Why, in the words of who terminated it.
        reason: String,
    },
    /// The instance does not stand where this can be done to it.
    #[error("cannot {operation} orchestration `{instance}`, which is {status}: it must be {needed}")]
    Status {
        /// What was tried.
        operation: &'static str,
        /// On which one.
        instance: InstanceId,
        /// Where it stands.
        status: RuntimeStatus,
        /// Where it must stand.
        needed: &'static str,
    },
    /// An input cannot be written as JSON.
    #[error("the input for `{function}` cannot be written as JSON")]
    Input {
        /// The function it was meant for.
        function: FunctionName,
        /// Why.
        #[source]
        source: NotStorable,
    },
    /// The data of an event cannot be written as JSON, or something is larger than the limit.
    #[error(transparent)]
    Payload(Failure),
    /// The stored output is not what the caller expects.
    #[error("the output of `{instance}` cannot be read as `{expected}`")]
    Output {
        /// Which instance.
        instance: InstanceId,
        /// The type that was expected.
        expected: &'static str,
        /// Why.
        #[source]
        source: NotStorable,
    },
    /// The stored state of an entity is not what the caller expects. It stays as it is.
    #[error("the state of `{entity}` cannot be read as `{expected}`")]
    StoredState {
        /// Which entity.
        entity: EntityId,
        /// The type that was expected.
        expected: &'static str,
        /// Why.
        #[source]
        source: NotStorable,
    },
    /// It did not happen in time. The orchestration goes on as before.
    #[error(
        "orchestration `{instance}` has not {} within {limit:?}; it goes on, and may be waited for again",
        match awaited { WaitFor::Start => "begun", WaitFor::End => "ended" }
    )]
    TimedOut {
        /// Which one.
        instance: InstanceId,
        /// What was waited for.
        awaited: WaitFor,
        /// For how long.
        limit: Duration,
    },
    /// Only a tokio runtime can wait for a limited time.
    #[error("waiting for a limited time needs a tokio runtime: call it inside `#[tokio::main]`")]
    NoRuntime,
    /// A worker could not be started.
    #[error("the worker cannot start: {reason}")]
    Worker {
        /// What is missing.
        reason: String,
        /// What led to it.
        #[source]
        source: Option<std::io::Error>,
    },
}

impl Error {
    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Provider(error) => error.is_transient(),
            Self::TimedOut { .. } => true,
            Self::InstanceId(_)
            | Self::InvalidEntity(_)
            | Self::StoredState { .. }
            | Self::TaskHubName(_)
            | Self::Registry(_)
            | Self::Implementer(_)
            | Self::Failed { .. }
            | Self::Terminated { .. }
            | Self::Status { .. }
            | Self::Input { .. }
            | Self::Payload(_)
            | Self::Output { .. }
            | Self::NoRuntime
            | Self::Worker { .. } => false,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, "\n  because: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::ProviderErrorKind;

    #[test]
    fn what_main_prints_is_the_message_and_every_cause() {
        let full =
            ProviderError::new(ProviderErrorKind::Full, "start", "order-17").caused_by("no space left");
        let shown = format!("{:?}", Error::from(full));
        assert!(shown.starts_with("cannot start `order-17`: the store is full"), "{shown}");
        assert!(shown.ends_with("\n  because: no space left"), "{shown}");
    }
}
