//! A call of an activity, as a value.

use std::{fmt, marker::PhantomData};

use super::verbs::{Callable, sealed::Sealed};
use crate::model::{Encoded, FunctionName, FunctionVersion, Payload, Storable};

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
}

impl<O> ActivityCall<O> {
    pub(crate) fn new(name: FunctionName, version: Option<FunctionVersion>, input: Encoded) -> Self {
        Self { request: ActivityRequest { name, version, input }, output: PhantomData }
    }

    /// Calls this version of the activity.
    pub fn version(mut self, version: impl Into<FunctionVersion>) -> Self {
        self.request.version = Some(version.into());
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

    fn into_call(self) -> ActivityRequest {
        self.request
    }
}

impl<O> fmt::Debug for ActivityCall<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActivityCall").field(&self.request).finish()
    }
}
