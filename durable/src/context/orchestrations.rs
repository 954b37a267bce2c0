//! The verbs by which an orchestrator deals with other orchestrations: start, send an event, and go on
//! as another execution of itself.
//!
//! Calling one is `ctx.call(..)`, as for activities. Decides nothing about replay. Begin with
//! [`OrchestrationContext::start`].

use super::OrchestrationContext;
use crate::{
    call::{Event, OrchestrationCall, StartRequest, Startable},
    history::ParentInstance,
    model::{Failure, FailureKind, InstanceId, Payload, Storable},
    replay::Child,
};

impl OrchestrationContext {
    /// Starts another orchestration and does not wait for it: `ctx.start(report::with(day))` gives its
    /// instance id at once. What becomes of it is of no account here, and terminating this one does not
    /// touch it.
    ///
    /// A live instance that has the chosen id goes on as it is, and nothing is started; one that has ended
    /// is replaced (DECISIONS 17).
    ///
    /// An id that is none, or an input that cannot be stored, fails this orchestration.
    #[track_caller]
    pub fn start<S: Startable>(&self, start: S) -> InstanceId {
        let request = start.into_start();
        let name = request.name.clone();
        match self.child(request) {
            Ok(child) => self.handle().start(&child),
            Err(failure) => {
                self.handle().fail(failure.in_function(&name));
                self.instance_id().clone()
            }
        }
    }

    /// Sends an external event to another instance: there, `ctx.wait_for(event)` gets it. It is sent with
    /// the next checkpoint, exactly once; one to an instance that does not exist or has ended is dropped
    /// (DECISIONS 5).
    ///
    /// Data that cannot be stored fails this orchestration.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "like every payload, data is given away")]
    pub fn send_event<T: Storable>(&self, to: impl AsRef<InstanceId>, event: impl Into<Event<T>>, data: T) {
        let name = event.into().name().clone();
        let what = || format!("the data of event `{name}`");
        let data = data.encode().map_err(Failure::from).and_then(|data| self.within_limit(data, what));
        match data {
            Ok(data) => self.handle().send_event(to.as_ref().clone(), name, data),
            Err(failure) => self.handle().fail(failure),
        }
    }

    /// Ends this execution and lets the instance go on as a new one, with another input and an empty
    /// history (R2:ETE-3, ETE-4): `return ctx.continue_as_new(me::with(next))`.
    ///
    /// External events that nobody has observed are carried over, in order (DECISIONS 9). Calls that
    /// have not answered are not waited for: what they return is dropped, and an activity that still
    /// runs is not run again after a crash, so await what must be done. The parent of a
    /// sub-orchestration gets the output of the last execution.
    ///
    /// # Errors
    /// Always, so that `?` or `return` ends the function: once this was asked, whatever the function
    /// returns is of no account. An input that cannot be stored is the failure of the orchestration.
    #[track_caller]
    pub fn continue_as_new<O: Storable, E: From<Failure>>(&self, next: OrchestrationCall<O>) -> Result<O, E> {
        let request = StartRequest { instance: None, ..next.into_next() };
        let name = request.name.clone();
        let child = self.child(request).map_err(|failure| E::from(failure.in_function(&name)))?;
        self.handle().continue_as_new(child);
        let message = "the execution ends here, and the instance continues as a new one";
        Err(E::from(Failure::of_kind(FailureKind::Application, "ContinuedAsNew", message)))
    }

    /// The orchestration that called this one and waits for it; `None` when a client started it, or an
    /// orchestration that does not wait.
    pub fn parent_id(&self) -> Option<&InstanceId> {
        self.parent().map(|parent| &parent.instance)
    }

    fn parent(&self) -> Option<&ParentInstance> {
        self.handle().started().parent.as_deref()
    }

    pub(super) fn child(&self, request: StartRequest) -> Result<Child, Failure> {
        let StartRequest { name, version, input, instance, tags, scheduled_start, .. } = request;
        let what = || format!("the input of orchestration `{name}`");
        let input: Payload = self.within_limit(input?, what)?;
        let instance = instance.transpose().map_err(|error| Failure::from_error(&error))?;
        if instance.as_ref() == Some(self.instance_id()) {
            let message = format!("`{}` is the id of the orchestration itself", self.instance_id());
            return Err(Failure::of_kind(FailureKind::IdTaken, "InstanceIdTaken", message));
        }
        Ok(Child { name, version, input, instance, tags, scheduled_start })
    }
}
