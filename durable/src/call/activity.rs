//! A call of an activity, as a value.

use std::{fmt, marker::PhantomData, time::Duration};

use super::{
    Called,
    verbs::{Callable, CallableInSection, sealed::Sealed},
};
use crate::model::{Encoded, FunctionName, FunctionVersion, Payload, RetryPolicy, Storable};

/// A call of an activity: which one, with which input. Its answer is read as an `O`.
///
/// Made by the proxy of an `#[activity]` (`say_hello::with("Tokyo")`) or by
/// [`Call::activity`](super::Call::activity); performed by `ctx.call(..)` (R3:BIND-15).
#[must_use = "a call does nothing until an orchestrator performs it with `ctx.call(..)`"]
pub struct ActivityCall<O = Payload> {
    request: ActivityRequest,
    output: PhantomData<fn() -> O>,
}

/// What an engine must know to schedule an activity.
#[doc(hidden)]
#[derive(Debug)]
pub struct ActivityRequest {
    /// The activity's name.
    pub name: FunctionName,
    /// Its version; absent means unversioned.
    pub version: Option<FunctionVersion>,
    /// The input, or why there is none; to be reported by the verb.
    pub input: Encoded,
    /// When it is tried again; absent means never.
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take; absent means for ever.
    pub timeout: Option<Duration>,
}

impl<O> ActivityCall<O> {
    pub(crate) fn new(name: FunctionName, version: Option<FunctionVersion>, input: Encoded) -> Self {
        let request = ActivityRequest { name, version, input, retry: None, timeout: None };
        Self { request, output: PhantomData }
    }

    /// Calls this version of the activity.
    pub fn version(mut self, version: impl Into<FunctionVersion>) -> Self {
        self.request.version = Some(version.into());
        self
    }

    /// Tries again when it fails, as `policy` says; the last failure is what the caller gets
    /// (R2:ERR-6, ERR-14). The caller's task is one, however many attempts there are. It makes the next
    /// attempt when the orchestrator polls it, so a task that is not awaited is not tried again.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.request.retry = Some(policy);
        self
    }

    /// Gives the call `duration` of durable time from its scheduling on, waiting for a free worker
    /// included. What takes longer fails with kind `TimedOut`, which a retry policy treats like any
    /// other failure: each attempt has the whole duration (DECISIONS 15).
    ///
    /// The activity itself is not ended; its late result is ignored, and the instance completes only
    /// after it (R2:ERR-21, ERR-21a).
    pub fn timeout(mut self, duration: Duration) -> Self {
        self.request.timeout = Some(duration);
        self
    }

    /// Reads the answer as a `T` (R1:QS-19).
    pub fn returning<T>(self) -> ActivityCall<T> {
        ActivityCall { request: self.request, output: PhantomData }
    }
}

impl<O> Sealed for ActivityCall<O> {}

impl<O: Storable> Callable for ActivityCall<O> {
    type Output = O;

    fn into_call(self) -> Called {
        Called::Activity(self.request)
    }
}

impl<O: Storable> CallableInSection for ActivityCall<O> {}

impl<O> fmt::Debug for ActivityCall<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActivityCall").field(&self.request).finish()
    }
}
