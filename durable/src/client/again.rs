//! Letting an orchestration that has ended run again: rewind, restart.
//!
//! Must not know what a worker does about it. Begin with [`Client::rewind`].

use super::{Client, Reply, Run, fresh_id};
use crate::{
    error::Error,
    history::{BEHAVIOUR, EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{ExecutionId, InstanceId, InstanceState, RuntimeStatus},
    provider::{NewInstance, ProviderError, ProviderErrorKind, Reuse},
};

impl Client {
    /// Lets a failed orchestration try again what failed: it is `Running` again, as it was before the
    /// failure; what succeeded is not done again, and sub-orchestrations that failed are rewound as well
    /// (R2:MGT-62, R4:MGMT-109; DECISIONS 19). One that failed by its own code runs on from its last
    /// durable call, perhaps with code that has been mended.
    ///
    /// With entities: locks that it waited for are asked for again, and so is an operation that failed. A critical
    /// section that it was in is lost, since its locks were released by the failure: calls and signals in it fail
    /// with kind `LockingRules`. A call that had no answer yet fails with kind `LockLost`: whether the operation
    /// ran is unknown, and to run it twice could do harm.
    ///
    /// When it returns, the request is durable. The reason is written to the log and the history. A
    /// sub-orchestration that was ended otherwise, or purged, begins anew.
    ///
    /// # Errors
    /// `NotFound` when there is no such instance; `Status` when it has not failed.
    pub fn rewind(&self, run: impl AsRef<InstanceId>, reason: impl Into<String>) -> Reply<'_, ()> {
        let (instance, reason) = (run.as_ref().clone(), reason.into());
        Reply::new(async move {
            let state = self.ended("rewind", &instance, "Failed").await?;
            if state.runtime_status != RuntimeStatus::Failed {
                return Err(refused("rewind", instance, state.runtime_status, "Failed"));
            }
            let event =
                HistoryEvent::new(self.provider.clock().now(), EventKind::ExecutionRewound { reason });
            Ok(self.provider.send(TaskMessage { instance, execution: None, event, visible_at: None }).await?)
        })
    }

    /// Starts an orchestration that has ended once more, under a new id: the same orchestrator, version,
    /// input and tags (R4:MGMT-116 to MGMT-118; DECISIONS 20). Of one that continued as new, the input
    /// is that of its last execution.
    ///
    /// # Errors
    /// `NotFound` when there is no such instance; `Status` when it has not ended.
    pub fn restart<O>(&self, run: &Run<O>) -> Reply<'_, Run<O>> {
        self.start_again(run.id().clone(), false)
    }

    /// As [`restart`](Self::restart), under the same id: what is known of the old run is replaced.
    ///
    /// # Errors
    /// Those of [`restart`](Self::restart).
    pub fn restart_in_place<O>(&self, run: &Run<O>) -> Reply<'_, Run<O>> {
        self.start_again(run.id().clone(), true)
    }

    fn start_again<O>(&self, instance: InstanceId, in_place: bool) -> Reply<'_, Run<O>> {
        Reply::new(async move {
            let state = self.ended("restart", &instance, "Completed, Failed or Terminated").await?;
            let now = self.provider.clock().now();
            let instance = if in_place { instance } else { InstanceId::new(fresh_id(now))? };
            let started = ExecutionStarted {
                name: state.name,
                version: state.version,
                input: state.input,
                instance,
                execution: ExecutionId::new(fresh_id(now)),
                generation: 0,
                tags: state.tags,
                scheduled_start: None,
                retention: None,
                parent: None,
                behaviour: BEHAVIOUR,
            };
            let new = NewInstance { started, at: now, reuse: Reuse::WhenEnded };
            let state = self.provider.create_instance(new).await?;
            Ok(Run::new(self.clone(), state.instance_id))
        })
    }

    async fn ended(
        &self,
        operation: &'static str,
        instance: &InstanceId,
        needed: &'static str,
    ) -> Result<InstanceState, Error> {
        match self.provider.read_state(instance).await? {
            None => Err(ProviderError::new(ProviderErrorKind::NotFound, operation, instance.as_str()).into()),
            Some(state) if state.runtime_status.is_terminal() => Ok(state),
            Some(state) => Err(refused(operation, instance.clone(), state.runtime_status, needed)),
        }
    }
}

fn refused(
    operation: &'static str,
    instance: InstanceId,
    status: RuntimeStatus,
    needed: &'static str,
) -> Error {
    Error::Status { operation, instance, status, needed }
}

impl<O> Run<O> {
    /// Lets it try again what failed: see [`Client::rewind`].
    ///
    /// # Errors
    /// Those of [`Client::rewind`].
    pub fn rewind(&self, reason: impl Into<String>) -> Reply<'_, ()> {
        self.client().rewind(self, reason)
    }

    /// Starts it once more under a new id: see [`Client::restart`].
    ///
    /// # Errors
    /// Those of [`Client::restart`].
    pub fn restart(&self) -> Reply<'_, Self> {
        self.client().restart(self)
    }
}
