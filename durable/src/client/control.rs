//! Steering an orchestration from outside: terminate, suspend, resume.
//!
//! Must not know what a worker does about it. Begin with [`Client::terminate`].

use super::{Client, Reply, Run};
use crate::{
    error::Error,
    history::{EventKind, HistoryEvent, TaskMessage},
    model::{InstanceId, Payload},
};

impl Client {
    /// Ends an orchestration: it becomes `Terminated`, with `reason` as its output (R2:MGT-41).
    ///
    /// When it returns, the request is durable and stands in line with the other messages of the
    /// instance; [`Run::wait_for_end`] tells when it was obeyed, by a worker (R2:MGT-42). Code between two
    /// awaits is not interrupted; an orchestration that has not begun never does. Activities that
    /// run go on, and what they return is dropped (R2:MGT-43).
    ///
    /// # Errors
    /// `NotFound` when there is no such instance, `Ended` when it has ended; `Payload` when the
    /// reason is larger than a payload may be.
    pub fn terminate(&self, run: impl AsRef<InstanceId>, reason: impl Into<String>) -> Reply<'_, ()> {
        self.steer(run.as_ref(), reason.into(), |reason| EventKind::ExecutionTerminated {
            reason,
            recursive: false,
        })
    }

    /// Ends an orchestration, and with it the sub-orchestrations it waits for, and theirs (DECISIONS 11);
    /// not what it has only started. Otherwise as [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// Those of [`terminate`](Self::terminate).
    pub fn terminate_recursively(
        &self,
        run: impl AsRef<InstanceId>,
        reason: impl Into<String>,
    ) -> Reply<'_, ()> {
        self.steer(run.as_ref(), reason.into(), |reason| EventKind::ExecutionTerminated {
            reason,
            recursive: true,
        })
    }

    /// Halts an orchestration until it is resumed: it becomes `Suspended`, with `reason` as its
    /// output until then (R2:MGT-19, MGT-45).
    ///
    /// When it returns, the request is durable and stands in line with the other messages of the
    /// instance (R2:MGT-46). What arrives from then on is kept in order (DECISIONS 10); activities
    /// that run go on, and timers fall due. One that is suspended stays so, and shows the newer reason.
    ///
    /// # Errors
    /// Those of [`terminate`](Self::terminate).
    pub fn suspend(&self, run: impl AsRef<InstanceId>, reason: impl Into<String>) -> Reply<'_, ()> {
        self.steer(run.as_ref(), reason.into(), |reason| EventKind::ExecutionSuspended { reason })
    }

    /// Lets a suspended orchestration go on: it is `Running` again, and gets what arrived meanwhile in
    /// the order of its arrival (R2:MGT-47, MGT-48). One that is not suspended goes on as it was.
    ///
    /// When it returns, the request is durable and stands in line with the other messages of the
    /// instance. The reason is written to the log and the history.
    ///
    /// # Errors
    /// Those of [`terminate`](Self::terminate).
    pub fn resume(&self, run: impl AsRef<InstanceId>, reason: impl Into<String>) -> Reply<'_, ()> {
        self.steer(run.as_ref(), reason.into(), |reason| EventKind::ExecutionResumed { reason })
    }

    fn steer(&self, run: &InstanceId, reason: String, kind: fn(String) -> EventKind) -> Reply<'_, ()> {
        let instance = run.clone();
        Reply::new(async move {
            // A reason becomes an output, and must not be larger than one.
            Payload::of(&reason)
                .map_err(|error| Error::Payload(error.into()))?
                .within(self.max_payload, "the reason")
                .map_err(Error::Payload)?;
            let event = HistoryEvent::new(self.provider.clock().now(), kind(reason));
            let message = TaskMessage { instance, execution: None, event, visible_at: None };
            Ok(self.provider.send(message).await?)
        })
    }
}

impl<O> Run<O> {
    /// Ends it: see [`Client::terminate`].
    ///
    /// # Errors
    /// Those of [`Client::terminate`].
    pub fn terminate(&self, reason: impl Into<String>) -> Reply<'_, ()> {
        self.client().terminate(self, reason)
    }

    /// Ends it with its sub-orchestrations: see [`Client::terminate_recursively`].
    ///
    /// # Errors
    /// Those of [`Client::terminate`].
    pub fn terminate_recursively(&self, reason: impl Into<String>) -> Reply<'_, ()> {
        self.client().terminate_recursively(self, reason)
    }

    /// Halts it until it is resumed: see [`Client::suspend`].
    ///
    /// # Errors
    /// Those of [`Client::terminate`].
    pub fn suspend(&self, reason: impl Into<String>) -> Reply<'_, ()> {
        self.client().suspend(self, reason)
    }

    /// Lets it go on: see [`Client::resume`].
    ///
    /// # Errors
    /// Those of [`Client::terminate`].
    pub fn resume(&self, reason: impl Into<String>) -> Reply<'_, ()> {
        self.client().resume(self, reason)
    }
}
