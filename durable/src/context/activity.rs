//! What an activity may know about its call.

use std::sync::Arc;

use super::Services;
use crate::model::{Attempt, ExecutionId, Failure, FunctionName, InstanceId};

/// What an activity may know about its call; an optional first parameter (R1:CHAIN-3).
///
/// An activity may do anything, and runs at least once: make it idempotent, for instance with
/// [`instance_id`](Self::instance_id) and [`task_id`](Self::task_id) as a key (R1:TYP-5).
#[derive(Debug, Clone)]
pub struct ActivityContext {
    name: FunctionName,
    instance: InstanceId,
    execution: ExecutionId,
    task: i32,
    attempt: u32,
    policy_attempt: Attempt,
    services: Services,
}

impl ActivityContext {
    #[doc(hidden)]
    pub fn new(
        name: FunctionName,
        instance: InstanceId,
        execution: ExecutionId,
        task: i32,
        attempt: u32,
    ) -> Self {
        Self {
            name,
            instance,
            execution,
            task,
            attempt,
            policy_attempt: Attempt::ONLY,
            services: Services::default(),
        }
    }

    /// The same context for another attempt of a call with a retry policy, as for a unit test of what an
    /// activity does in its last one.
    #[must_use]
    pub fn with_policy_attempt(mut self, attempt: Attempt) -> Self {
        self.policy_attempt = attempt;
        self
    }

    /// The same context with these services instead: `ActivityContext::for_test().with_services(..)`.
    #[must_use]
    pub fn with_services(mut self, services: Services) -> Self {
        self.services = services;
        self
    }

    /// A context to call an activity with in a unit test (R3:TEST-3): instance `test`, first attempt.
    ///
    /// # Panics
    /// Never: the fixed id is well-formed.
    pub fn for_test() -> Self {
        let instance = InstanceId::new("test").expect("`test` is a well-formed instance id");
        Self::new(FunctionName::literal("test"), instance, ExecutionId::new("test"), 0, 1)
    }

    /// The name under which the activity was called.
    pub fn name(&self) -> &FunctionName {
        &self.name
    }

    /// The instance that called it (R3:BIND-20).
    pub fn instance_id(&self) -> &InstanceId {
        &self.instance
    }

    /// The execution of the instance that called it.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.execution
    }

    /// The number of the call within that execution. With the execution id it names the call, over
    /// all attempts.
    pub fn task_id(&self) -> i32 {
        self.task
    }

    /// How often this call was handed out as far as the store remembers, this time included; more
    /// than 1 when it was given back. The embedded store counts anew after a restart: 1 is no proof
    /// of a first run, so recognise a repetition by [`task_id`](Self::task_id).
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Which attempt of how many this call is, by the retry policy of whoever called (R2:ERR-18): attempt
    /// 2 of 3 after one failure. 1 of 1 without a policy, and for calls recorded before attempts were.
    ///
    /// Each is a call of its own, with a [`task_id`](Self::task_id) of its own, and may itself be handed
    /// out more than once: [`attempt`](Self::attempt) counts that.
    pub fn policy_attempt(&self) -> Attempt {
        self.policy_attempt
    }

    /// What the worker lends to activities: `let pool = ctx.service::<Pool>()?;` (R3:BIND-22). The hub's client
    /// may be one (R3:BIND-37).
    ///
    /// # Errors
    /// When the worker was given none of this type ([`service`](crate::worker::WorkerBuilder::service)).
    pub fn service<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Failure> {
        self.services.get()
    }
}
