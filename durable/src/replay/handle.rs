//! What contexts are made of: the engine's verbs, without types and without manners.
//!
//! Every verb works only while its own session is being polled on this thread; elsewhere it fails
//! the execution, and after an unload it does nothing.

use std::{panic::Location, sync::Arc, time::Duration};

use uuid::Uuid;

use super::{
    callee::{Callee, Child},
    journal::{Journal, Key, TaskKind},
    retry::{Attempts, Retried},
    shared::{Access, Shared},
    task::{Subject, Task},
};
use crate::{
    history::{EventId, EventKind, ExecutionStarted, NAMESPACE, TimerPurpose},
    model::{Attempt, EventName, Failure, InstanceId, Payload, RetryPolicy, Timestamp},
};

/// The engine's verbs for one session.
#[derive(Debug, Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// How the execution began.
    pub fn started(&self) -> &ExecutionStarted {
        &self.shared.started
    }

    /// The largest payload that a verb takes, in bytes.
    pub fn max_payload(&self) -> usize {
        self.shared.options.max_payload
    }

    /// Calls an activity, or another orchestration, which a critical section forbids.
    #[track_caller]
    pub fn call<T>(&self, callee: Callee) -> Task<T> {
        if let Err(rule) = self.may_call(&callee) {
            return Task::refused(rule.into());
        }
        let subject = callee.subject();
        match self.call_at(callee, Attempt::ONLY, Location::caller()) {
            Some(id) => Task::waiting(self.shared.clone(), Key::Task(id), subject),
            None => Task::inert(),
        }
    }

    /// Calls on behalf of the line `location`; `None` when the session is gone.
    pub(super) fn call_at(
        &self,
        callee: Callee,
        attempt: Attempt,
        location: &'static Location<'static>,
    ) -> Option<EventId> {
        let task = callee.task();
        self.with(Some(location), |journal| {
            let kind = callee.into_kind(&self.shared.started, journal.next_id(), attempt);
            journal.ask(task, kind, location)
        })
    }

    /// Calls, and calls again when it fails, as `policy` says. Each attempt may take `timeout`; one
    /// that takes longer has failed (R2:ERR-15, DECISIONS 15).
    #[track_caller]
    pub fn call_retried<T>(&self, callee: Callee, policy: RetryPolicy, timeout: Option<Duration>) -> Task<T> {
        if let Err(rule) = self.may_call(&callee) {
            return Task::refused(rule.into());
        }
        let subject = callee.subject();
        let call = Retried { callee, policy, timeout, location: Location::caller() };
        match Attempts::begin(Self::new(self.shared.clone()), call) {
            Some(attempts) => Task::retrying(attempts, subject),
            None => Task::inert(),
        }
    }

    /// Sets a timer.
    #[track_caller]
    pub fn timer(&self, fire_at: Timestamp) -> Task<()> {
        self.ask(
            TaskKind::Timer,
            EventKind::TimerCreated { fire_at, purpose: TimerPurpose::Sleep },
            Subject::Timer,
        )
    }

    #[track_caller]
    fn ask<T>(&self, task: TaskKind, kind: EventKind, subject: Subject) -> Task<T> {
        match self.ask_at(task, kind, Location::caller()) {
            Some(id) => Task::waiting(self.shared.clone(), Key::Task(id), subject),
            None => Task::inert(),
        }
    }

    /// Asks on behalf of the line `location`; `None` when the session is gone.
    pub(super) fn ask_at(
        &self,
        task: TaskKind,
        kind: EventKind,
        location: &'static Location<'static>,
    ) -> Option<EventId> {
        self.with(Some(location), |journal| journal.ask(task, kind, location))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Waits for an external event.
    #[track_caller]
    pub fn wait<T>(&self, name: EventName) -> Task<T> {
        let location = Location::caller();
        let subject = Subject::Event(name.clone());
        let waiting = self.with(Some(location), |journal| {
            journal.note_place(location);
            journal.inbox.wait(name, location)
        });
        match waiting {
            Some(id) => Task::waiting(self.shared.clone(), Key::Wait(id), subject),
            None => Task::inert(),
        }
    }

    /// Begins another orchestration that nobody waits for; gives its id.
    #[track_caller]
    pub fn start(&self, child: &Child) -> InstanceId {
        let location = Location::caller();
        let started = &self.shared.started;
        let asked = self.with(Some(location), |journal| {
            let instance = child.instance_under(&started.execution, journal.next_id());
            journal.act(child.clone().into_kind(started, journal.next_id(), true), location);
            instance
        });
        asked.unwrap_or_else(|| child.instance_under(&started.execution, EventId::NONE))
    }

    /// Lets the instance go on as another execution, once the orchestrator has returned. What it
    /// returns then is of no account. The last one asked for stands.
    #[track_caller]
    pub fn continue_as_new(&self, next: Child) {
        let location = Location::caller();
        self.with(Some(location), |journal| {
            journal.note_place(location);
            journal.next_execution = Some(Box::new(next));
        });
    }

    /// Ends the execution as failed: it asked for something impossible, by a verb that has no other way to
    /// say so.
    pub fn fail(&self, failure: Failure) {
        self.with(None, |journal| journal.fail(|| failure));
    }

    /// Sends an event to another instance.
    #[track_caller]
    pub fn send_event(&self, instance: InstanceId, name: EventName, input: Payload) {
        let location = Location::caller();
        self.with(Some(location), |journal| {
            journal.act(EventKind::EventSent { instance, name, input }, location)
        });
    }

    /// The time at which the current episode began; never earlier than before (R1:CC-2).
    pub fn now(&self) -> Timestamp {
        self.shared.journal().now
    }

    /// Whether what runs now ran before (R3:DIAG-21).
    pub fn is_replaying(&self) -> bool {
        self.shared.journal().is_replaying
    }

    /// Publishes a custom status with the next checkpoint.
    pub fn set_custom_status(&self, status: Payload) {
        self.with(None, |journal| journal.custom_status = Some(status));
    }

    /// A uuid of version 5 that is the same on every replay (R1:CC-4, CC-5).
    pub fn new_uuid(&self) -> Uuid {
        let count = self.with(None, Journal::draw).unwrap_or(u64::MAX);
        let started = &self.shared.started;
        let name = format!("{}_{}_{count}", started.instance, started.execution);
        Uuid::new_v5(&NAMESPACE, name.as_bytes())
    }

    /// 64 bits that look random and are the same on every replay. No secret (R1:CC-7).
    pub fn random(&self) -> u64 {
        self.new_uuid().as_u64_pair().1.rotate_left(32) ^ self.new_uuid().as_u64_pair().1
    }

    pub(super) fn with<R>(
        &self,
        location: Option<&'static Location<'static>>,
        verb: impl FnOnce(&mut Journal) -> R,
    ) -> Option<R> {
        match self.shared.access(location) {
            Access::Usable => Some(verb(&mut self.shared.journal())),
            Access::Dead => None,
        }
    }
}
