//! The verbs of an orchestrator.
//!
//! Typed clothes over the engine's [`Handle`]; decides nothing about replay.

use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::{
    call::{ActivityRequest, Callable, Called, Event},
    history::EventId,
    model::{
        ExecutionId, Failure, FailureKind, FunctionName, FunctionVersion, InstanceId, Payload, RetryPolicy,
        Storable, Timestamp,
    },
    replay::{Callee, Handle, Task},
};

/// The verbs of an orchestrator; its first parameter (R1:CHAIN-2).
///
/// A verb schedules when it is called, not when its task is awaited: calls made one after the other
/// run side by side (R1:OVR-7). Everything an orchestrator learns from its context is the same on
/// every replay. The context is usable only inside its orchestrator, on its thread.
#[derive(Debug)]
pub struct OrchestrationContext {
    pub(super) handle: Handle,
}

impl OrchestrationContext {
    #[doc(hidden)]
    pub fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Calls an activity, `ctx.call(say_hello::with("Tokyo"))`, another orchestration,
    /// `ctx.call(provision::with(device))`, which is an instance of its own (R1:SUB-1, SUB-4), or an operation
    /// of an entity, `ctx.call(Account::at("ada").balance())` (R2:ENT-26, ENT-35).
    ///
    /// # Errors
    /// Awaiting the task gives the failure of what was called, or one of kind `Payload` or `TooLarge`
    /// when the input could not be recorded; nothing is scheduled then. With a retry policy it is the failure
    /// of the last attempt; with a timeout it may be one of kind `TimedOut`. A sub-orchestration that was
    /// ended from outside fails with kind `Terminated`, one whose chosen id belongs to a live instance
    /// with `IdTaken`.
    #[track_caller]
    pub fn call<C: Callable>(&self, call: C) -> Task<C::Output> {
        self.call_within(None, call)
    }

    /// Calls in the critical section `section`, if in one.
    #[track_caller]
    pub(super) fn call_within<C: Callable>(&self, section: Option<EventId>, call: C) -> Task<C::Output> {
        let (callee, retry, timeout) = match call.into_call() {
            Called::Operation(request) => {
                return match self.asked(section, request) {
                    Ok(asked) => self.handle.call_entity(asked),
                    Err(failure) => Task::refused(failure),
                };
            }
            Called::Activity(ActivityRequest { name, version, input, retry, timeout }) => {
                let what = || format!("the input of activity `{name}`");
                let input = input.map_err(Failure::from).and_then(|input| self.within_limit(input, what));
                match input {
                    Ok(input) => (Callee::Activity { name, version, input }, retry, timeout),
                    Err(failure) => return Task::refused(failure.in_function(&name)),
                }
            }
            Called::Orchestration(request) => {
                let (name, retry, timeout) = (request.name.clone(), request.retry.clone(), request.timeout);
                match self.child(*request) {
                    Ok(child) => (Callee::Orchestration(Box::new(child)), retry, timeout),
                    Err(failure) => return Task::refused(failure.in_function(&name)),
                }
            }
        };
        if retry.is_none() && timeout.is_none() {
            return self.handle.call(callee);
        }
        let once = || RetryPolicy::new(1, Duration::ZERO);
        self.handle.call_retried(callee, retry.unwrap_or_else(once), timeout)
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(super) fn within_limit(
        &self,
        payload: Payload,
        what: impl FnOnce() -> String,
    ) -> Result<Payload, Failure> {
        let limit = self.handle.max_payload();
        if payload.size() <= limit { Ok(payload) } else { payload.within(limit, &what()) }
    }

    /// Waits for an external event; events of one name are served first in, first out, also those
    /// that came before anybody waited (R1:EVT-10).
    ///
    /// # Errors
    /// Awaiting the task fails with kind `Payload` when the event's data is not a `T` (R1:EVT-6).
    #[track_caller]
    pub fn wait_for<T: Storable>(&self, event: impl Into<Event<T>>) -> Task<T> {
        self.handle.wait(event.into().name().clone())
    }

    /// Waits for `duration` of durable time, however often the process restarts meanwhile (R1:TMR-1).
    /// Dropping the task cancels the timer.
    #[track_caller]
    pub fn sleep(&self, duration: Duration) -> Task<()> {
        self.sleep_until(self.now().saturating_add(duration))
    }

    /// Waits until `time`; one that has passed is due at once (R1:TMR-1).
    #[track_caller]
    pub fn sleep_until(&self, time: Timestamp) -> Task<()> {
        self.handle.timer(time)
    }

    /// The time at which the current episode began. Moves on from one await to the next, never back,
    /// and is the same on every replay (R1:CC-2, CC-3).
    pub fn now(&self) -> Timestamp {
        self.handle.now()
    }

    /// Whether what runs now ran before: true until the last recorded result has been observed
    /// (R3:DIAG-21). Logs by `tracing` are silent meanwhile by themselves.
    pub fn is_replaying(&self) -> bool {
        self.handle.is_replaying()
    }

    /// A uuid, version 5, different at every call and the same on every replay (R1:CC-4, CC-5).
    pub fn new_uuid(&self) -> Uuid {
        self.handle.new_uuid()
    }

    /// 64 bits that look random and are the same on every replay. Not fit for secrets (R1:CC-7).
    pub fn random(&self) -> u64 {
        self.handle.random()
    }

    /// The instance this is.
    pub fn instance_id(&self) -> &InstanceId {
        &self.handle.started().instance
    }

    /// The execution of the instance this is.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.handle.started().execution
    }

    /// The orchestrator's name.
    pub fn name(&self) -> &FunctionName {
        &self.handle.started().name
    }

    /// The version the instance was started under; `None` for an unversioned one.
    pub fn version(&self) -> Option<&FunctionVersion> {
        self.handle.started().version.as_ref()
    }

    /// Publishes `status` for queries, with the next checkpoint; the last one stands (R1:CST-3).
    ///
    /// # Errors
    /// When it cannot be written as JSON, or its text is larger than 16 KB of UTF-16 (R1:CST-9).
    pub fn set_custom_status(&self, status: &impl Serialize) -> Result<(), Failure> {
        const MOST_BYTES: usize = 16 * 1024;
        let payload = Payload::of(status)?;
        let bytes = payload.as_json().encode_utf16().count() * 2;
        if bytes > MOST_BYTES {
            let message = format!(
                "the custom status has {bytes} bytes as UTF-16 JSON, and the limit is {MOST_BYTES}; publish less, or \
                 a reference"
            );
            return Err(Failure::of_kind(FailureKind::TooLarge, "CustomStatusTooLarge", message));
        }
        self.handle.set_custom_status(payload);
        Ok(())
    }
}
