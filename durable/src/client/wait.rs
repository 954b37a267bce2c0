//! Waiting for an orchestration, for a limited time.
//!
//! Must not know how a store tells what it is waited for. Begin with [`Run::output_within`].

use std::time::Duration;

use tokio::runtime::Handle;

use super::{Reply, Run};
use crate::{
    error::Error,
    model::{InstanceState, Storable},
    provider::WaitFor,
};

/// The limits are times of the caller, by the clock of the tokio runtime in which they wait, whatever the
/// clock of the hub: for a hub in virtual time as well they say how long somebody waits. Who gives up
/// disturbs nobody, and may wait again.
impl<O> Run<O> {
    /// Waits until it has begun, at most this long, and gives its state then (R4:MGMT-22, MGMT-23).
    /// Returns at once when it has begun, or has ended since.
    ///
    /// # Errors
    /// `TimedOut`; those of [`wait_for_start`](Self::wait_for_start). Also when there is no tokio runtime.
    pub fn wait_for_start_within(&self, limit: Duration) -> Reply<'_, InstanceState> {
        Reply::new(self.within(limit, WaitFor::Start, self.wait_for_start()))
    }

    /// Waits until it has ended, at most this long, however it ended, and gives its state then
    /// (R4:MGMT-95).
    ///
    /// # Errors
    /// `TimedOut`; those of [`wait_for_end`](Self::wait_for_end). Also when there is no tokio runtime.
    pub fn wait_for_end_within(&self, limit: Duration) -> Reply<'_, InstanceState> {
        Reply::new(self.within(limit, WaitFor::End, self.wait_for_end()))
    }

    async fn within<T>(
        &self,
        limit: Duration,
        awaited: WaitFor,
        wait: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        if Handle::try_current().is_err() {
            return Err(Error::NoRuntime);
        }
        let timed_out = || Error::TimedOut { instance: self.id().clone(), awaited, limit };
        tokio::time::timeout(limit, wait).await.unwrap_or_else(|_| Err(timed_out()))
    }
}

impl<O: Storable> Run<O> {
    /// Waits until it has ended, at most this long, and gives what it returned (R2:MGT-54).
    ///
    /// # Errors
    /// `TimedOut`; those of [`output`](Self::output). Also when there is no tokio runtime.
    pub fn output_within(&self, limit: Duration) -> Reply<'_, O> {
        Reply::new(self.within(limit, WaitFor::End, self.output()))
    }
}
