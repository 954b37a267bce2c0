//! A use of an orchestrator, as a value, and the typed name of one that exists.

use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

use super::{
    Callable, Called,
    verbs::{MayCall, MayStart, Startable, sealed::Sealed},
};
use crate::{
    model::{
        Encoded, FunctionName, FunctionVersion, InstanceId, InvalidInstanceId, Payload, RetryPolicy,
        Storable, Timestamp,
    },
    provider::Reuse,
};

/// A use of an orchestrator: which one, with which input and options. Its output is read as an `O`.
///
/// Made by the proxy of an `#[orchestrator]` (`hello_sequence::with(cities)`) or by
/// [`Call::orchestration`](super::Call::orchestration); performed by `client.start(..)`, or inside an
/// orchestration by `ctx.call(..)`, which waits for its output, or `ctx.start(..)`, which does not.
/// `U` says which verbs the options leave possible.
#[must_use = "an orchestration does not begin until it is given to `start(..)` or `call(..)`"]
pub struct OrchestrationCall<O = Payload, U = CallOrStart> {
    request: StartRequest,
    output: PhantomData<fn() -> (O, U)>,
}

/// No option has excluded a verb.
#[derive(Debug)]
pub enum CallOrStart {}

/// An option has made it something that can only be started.
#[derive(Debug)]
pub enum StartOnly {}

/// An option has made it something that can only be called.
#[derive(Debug)]
pub enum CallOnly {}

/// What an engine must know to begin an orchestration.
#[doc(hidden)]
#[derive(Debug)]
pub struct StartRequest {
    /// The orchestrator's name.
    pub name: FunctionName,
    /// Its version; absent means unversioned.
    pub version: Option<FunctionVersion>,
    /// Whether the name alone was given: without a version, the hub's default one is meant.
    pub is_by_name: bool,
    /// The input, or why there is none; to be reported by the verb.
    pub input: Encoded,
    /// The wanted instance id, or why it is none; absent means a fresh one.
    pub instance: Option<Result<InstanceId, InvalidInstanceId>>,
    /// Free labels, in the order of their keys.
    pub tags: BTreeMap<String, String>,
    /// When it may begin; absent means at once.
    pub scheduled_start: Option<Timestamp>,
    /// How long it is kept after its end; absent means as its hub keeps others.
    pub retention: Option<Duration>,
    /// What to do when the instance id is taken.
    pub reuse: Reuse,
    /// When a caller tries it again; absent means never.
    pub retry: Option<RetryPolicy>,
    /// How long a caller gives one attempt; absent means for ever.
    pub timeout: Option<Duration>,
}

impl<O> OrchestrationCall<O> {
    pub(crate) fn new(name: FunctionName, version: Option<FunctionVersion>, input: Encoded) -> Self {
        let request = StartRequest {
            name,
            version,
            is_by_name: false,
            input,
            instance: None,
            tags: BTreeMap::new(),
            scheduled_start: None,
            retention: None,
            reuse: Reuse::default(),
            retry: None,
            timeout: None,
        };
        Self { request, output: PhantomData }
    }

    /// A use of the function that is known by this name alone.
    pub(crate) fn by_name(mut self) -> Self {
        self.request.is_by_name = true;
        self
    }
}

impl<O, U> OrchestrationCall<O, U> {
    /// Gives the instance this id instead of a fresh one. A text that is not an id fails the verb
    /// (R1:ORCH-4 to ORCH-8). Without it, a sub-orchestration's id follows from its parent's execution and
    /// the number of the call (R1:SUB-8).
    #[expect(
        clippy::needless_pass_by_value,
        reason = "ids are written as literals, numbers and borrowed texts"
    )]
    pub fn instance_id(mut self, id: impl ToString) -> Self {
        self.request.instance = Some(InstanceId::new(id.to_string()));
        self
    }

    /// Begins this version of the orchestrator. Without, `orchestrator::with(..)` begins the version that its
    /// function is annotated with, and [`Call::orchestration`](super::Call::orchestration) the hub's default
    /// version of the name.
    pub fn version(mut self, version: impl Into<FunctionVersion>) -> Self {
        self.request.version = Some(version.into());
        self
    }

    /// Labels the instance, for queries. A second value for the same key replaces the first.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.tags.insert(key.into(), value.into());
        self
    }

    /// Reads the output as a `T` (R1:QS-19).
    pub fn returning<T>(self) -> OrchestrationCall<T, U> {
        OrchestrationCall { request: self.request, output: PhantomData }
    }
}

impl<O, U: MayStart> OrchestrationCall<O, U> {
    /// Begins it no earlier than `time`. It can only be started then: nobody could wait for it.
    pub fn at(mut self, time: Timestamp) -> OrchestrationCall<O, StartOnly> {
        self.request.scheduled_start = Some(time);
        OrchestrationCall { request: self.request, output: PhantomData }
    }

    /// Purges the instance this long after it has ended, whatever its hub does with others
    /// ([`TaskHubOptions::retention`](crate::hub::TaskHubOptions::retention)). It can only be started then.
    pub fn retention(mut self, age: Duration) -> OrchestrationCall<O, StartOnly> {
        self.request.retention = Some(age);
        OrchestrationCall { request: self.request, output: PhantomData }
    }

    /// Says what to do when the instance id is taken (DECISIONS 17).
    pub fn reuse(mut self, rule: Reuse) -> Self {
        self.request.reuse = rule;
        self
    }
}

impl<O, U: MayCall> OrchestrationCall<O, U> {
    /// Tries again when it fails, as `policy` says; the last failure is what the caller gets
    /// (R1:SUB-3, R2:ERR-6). It can only be called then. Each attempt is an instance of its own, unless
    /// [`instance_id`](Self::instance_id) chose one id for all: then each replaces the one that failed.
    pub fn retry(mut self, policy: RetryPolicy) -> OrchestrationCall<O, CallOnly> {
        self.request.retry = Some(policy);
        OrchestrationCall { request: self.request, output: PhantomData }
    }

    /// Gives each attempt `duration` of durable time. What takes longer fails with kind `TimedOut`; it
    /// can only be called then. The sub-orchestration itself is not ended, and its late result is ignored.
    pub fn timeout(mut self, duration: Duration) -> OrchestrationCall<O, CallOnly> {
        self.request.timeout = Some(duration);
        OrchestrationCall { request: self.request, output: PhantomData }
    }
}

impl Sealed for CallOrStart {}
impl Sealed for StartOnly {}
impl Sealed for CallOnly {}
impl MayStart for CallOrStart {}
impl MayStart for StartOnly {}
impl MayCall for CallOrStart {}
impl MayCall for CallOnly {}

impl<O, U> Sealed for OrchestrationCall<O, U> {}

impl<O: Storable, U: MayStart> Startable for OrchestrationCall<O, U> {
    type Output = O;

    fn into_start(self) -> StartRequest {
        self.request
    }
}

impl<O: Storable, U: MayCall> Callable for OrchestrationCall<O, U> {
    type Output = O;

    fn into_call(self) -> Called {
        Called::Orchestration(Box::new(self.request))
    }
}

impl<O: Storable> OrchestrationCall<O> {
    pub(crate) fn into_next(self) -> StartRequest {
        self.request
    }
}

impl<O, U> fmt::Debug for OrchestrationCall<O, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OrchestrationCall").field(&self.request).finish()
    }
}

/// The name of an instance that exists, with the type of its output: `transfer::at("order-17")`.
///
/// A text that is not an instance id fails the verb that uses it.
pub struct RunId<O = Payload> {
    instance: Result<InstanceId, InvalidInstanceId>,
    output: PhantomData<fn() -> O>,
}

impl<O> RunId<O> {
    /// The instance `id`, whatever orchestrator it runs; its output is read as an `O`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "ids are written as literals, numbers and borrowed texts"
    )]
    pub fn new(id: impl ToString) -> Self {
        Self { instance: InstanceId::new(id.to_string()), output: PhantomData }
    }

    /// The instance id.
    ///
    /// # Errors
    /// When the text it was made from is not an instance id.
    pub fn into_instance_id(self) -> Result<InstanceId, InvalidInstanceId> {
        self.instance
    }
}

impl<O> From<InstanceId> for RunId<O> {
    fn from(instance: InstanceId) -> Self {
        Self { instance: Ok(instance), output: PhantomData }
    }
}

impl<O> Clone for RunId<O> {
    fn clone(&self) -> Self {
        Self { instance: self.instance.clone(), output: PhantomData }
    }
}

impl<O> fmt::Debug for RunId<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunId").field(&self.instance).finish()
    }
}
