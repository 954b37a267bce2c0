//! The verbs by which an orchestrator deals with entities: signal, lock, and what it may do in a critical
//! section.
//!
//! Calling an operation is `ctx.call(..)`, as for activities. Decides nothing about the rules of sections.
//! Begin with [`OrchestrationContext::lock`].

use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::future::FusedFuture;
use serde::Serialize;
use uuid::Uuid;

use super::{OrchestrationContext, Timeout};
use crate::{
    call::{CallableInSection, Event, Lockable, SignalRequest, Signalable},
    entity::LockRule,
    history::EventId,
    model::{Failure, InstanceId, Storable, Timestamp},
    replay::{OperationAsked, Task},
};

impl OrchestrationContext {
    /// Signals an entity: `ctx.signal(Account::at("ada").deposit(100))`. It is sent with the next checkpoint,
    /// once and in order with what else this orchestration sends to the entity (R2:ENT-27, R3:ENT-20). Nobody
    /// hears whether it succeeded.
    ///
    /// An input that cannot be stored fails this orchestration.
    #[track_caller]
    pub fn signal<S: Signalable>(&self, signal: S) {
        match self.asked(None, signal.into_signal()) {
            // Without a section there is no rule to break.
            Ok(asked) => drop(self.handle().signal_entity(asked)),
            Err(failure) => self.handle().fail(failure),
        }
    }

    /// Locks entities for a critical section: until it ends, nobody else can do anything with them (R2:ENT-48,
    /// ENT-50).
    ///
    /// ```
    /// # use durable::{prelude::*, model::InvalidEntityId};
    /// # #[orchestrator]
    /// # async fn transfer(mut ctx: OrchestrationContext) -> Result<bool, Failure> {
    /// let (from, to) = (EntityId::new("account", "ada")?, EntityId::new("account", "bob")?);
    /// let section = ctx.lock([&from, &to]).await?;
    /// let balance: i64 = section.call(from.operation("balance", ()).returning()).await?;
    /// if balance < 10 {
    ///     return Ok(false);
    /// }
    /// section.call(from.operation("add", -10)).await?;
    /// section.call(to.operation("add", 10)).await?;
    /// Ok(true)
    /// # }
    /// ```
    ///
    /// Locks are asked for at once and taken one after the other, in one order for the whole hub, so sections
    /// never wait for each other in a circle (R2:ENT-59). They are released when the section is dropped, and
    /// however the orchestration ends: returned, failed, panicked, terminated, continued as new (R2:ENT-51,
    /// DECISIONS 13). Dropping the future before it is ready gives up the locks and the request. What
    /// was done to entities stays when the section fails: it is no transaction (R2:ENT-58).
    ///
    /// While the section lives, the context is borrowed by it: another section, a sub-orchestration or
    /// `continue_as_new` in it do not compile (R2:ENT-60, ENT-61).
    ///
    /// # Errors
    /// `LockingRules` when there is nothing to lock.
    #[track_caller]
    pub fn lock<L: Lockable>(&mut self, entities: L) -> Locking<'_> {
        let (section, task) = self.handle().lock(entities.ids());
        Locking { context: self, section, location: Location::caller(), task }
    }

    pub(super) fn asked(
        &self,
        section: Option<EventId>,
        request: SignalRequest,
    ) -> Result<OperationAsked, Failure> {
        let SignalRequest { entity, operation, input, due } = request;
        let what = || format!("the input of operation `{}` of `{entity}`", operation.as_str());
        let input = self.within_limit(input?, what)?;
        Ok(OperationAsked { entity, operation, input, due, section })
    }
}

/// A request for locks, to be awaited.
#[must_use = "the locks are asked for, and given up again when this is dropped"]
pub struct Locking<'ctx> {
    context: &'ctx OrchestrationContext,
    section: EventId,
    location: &'static Location<'static>,
    task: Task<()>,
}

impl<'ctx> Future for Locking<'ctx> {
    type Output = Result<CriticalSection<'ctx>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        ready!(Pin::new(&mut self.task).poll(cx))?;
        let Self { context, section, location, .. } = *self;
        Poll::Ready(Ok(CriticalSection { context, section, location }))
    }
}

impl FusedFuture for Locking<'_> {
    fn is_terminated(&self) -> bool {
        self.task.is_terminated()
    }
}

/// What an orchestrator may do while it holds locks (R2:ENT-60 to ENT-66). They are released when this is
/// dropped.
///
/// Rules that the compiler cannot see fail at once, and the same way on replay, with a failure of kind
/// `LockingRules` that names the rule: a call of an entity that is not locked, two calls of one entity at a time,
/// a signal to a locked entity.
#[must_use = "the locks are released when this is dropped"]
pub struct CriticalSection<'ctx> {
    context: &'ctx OrchestrationContext,
    section: EventId,
    location: &'static Location<'static>,
}

impl CriticalSection<'_> {
    /// Calls an activity or an operation of a locked entity: see [`OrchestrationContext::call`].
    ///
    /// # Errors
    /// Those of [`OrchestrationContext::call`]; of kind `LockingRules` when the entity is not locked, or a call
    /// of it has not been answered yet; of kind `LockLost` when an operator broke the lock.
    #[track_caller]
    pub fn call<C: CallableInSection>(&self, call: C) -> Task<C::Output> {
        self.context.call_within(Some(self.section), call)
    }

    /// Signals an entity that is not locked (R2:ENT-64).
    ///
    /// An input that cannot be stored fails the orchestration.
    ///
    /// # Errors
    /// When the entity is locked: call it instead.
    #[track_caller]
    pub fn signal<S: Signalable>(&self, signal: S) -> Result<(), LockRule> {
        match self.context.asked(Some(self.section), signal.into_signal()) {
            Ok(asked) => self.context.handle().signal_entity(asked),
            Err(failure) => {
                self.context.handle().fail(failure);
                Ok(())
            }
        }
    }

    /// See [`OrchestrationContext::wait_for`].
    #[track_caller]
    pub fn wait_for<T: Storable>(&self, event: impl Into<Event<T>>) -> Task<T> {
        self.context.wait_for(event)
    }

    /// See [`OrchestrationContext::sleep`].
    #[track_caller]
    pub fn sleep(&self, duration: Duration) -> Task<()> {
        self.context.sleep(duration)
    }

    /// See [`OrchestrationContext::sleep_until`].
    #[track_caller]
    pub fn sleep_until(&self, time: Timestamp) -> Task<()> {
        self.context.sleep_until(time)
    }

    /// See [`OrchestrationContext::timeout`].
    #[track_caller]
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        self.context.timeout(limit, future)
    }

    /// See [`OrchestrationContext::now`].
    pub fn now(&self) -> Timestamp {
        self.context.now()
    }

    /// See [`OrchestrationContext::is_replaying`].
    pub fn is_replaying(&self) -> bool {
        self.context.is_replaying()
    }

    /// See [`OrchestrationContext::new_uuid`].
    pub fn new_uuid(&self) -> Uuid {
        self.context.new_uuid()
    }

    /// See [`OrchestrationContext::random`].
    pub fn random(&self) -> u64 {
        self.context.random()
    }

    /// See [`OrchestrationContext::instance_id`].
    pub fn instance_id(&self) -> &InstanceId {
        self.context.instance_id()
    }

    /// See [`OrchestrationContext::parent_id`].
    pub fn parent_id(&self) -> Option<&InstanceId> {
        self.context.parent_id()
    }

    /// See [`OrchestrationContext::set_custom_status`].
    ///
    /// # Errors
    /// Those of [`OrchestrationContext::set_custom_status`].
    pub fn set_custom_status(&self, status: &impl Serialize) -> Result<(), Failure> {
        self.context.set_custom_status(status)
    }

    /// See [`OrchestrationContext::send_event`].
    #[track_caller]
    pub fn send_event<T: Storable>(&self, to: impl AsRef<InstanceId>, event: impl Into<Event<T>>, data: T) {
        self.context.send_event(to, event, data);
    }
}

impl Drop for CriticalSection<'_> {
    fn drop(&mut self) {
        self.context.handle().unlock(self.section, self.location);
    }
}

impl fmt::Debug for Locking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locking({})", self.section)
    }
}

impl fmt::Debug for CriticalSection<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CriticalSection({})", self.section)
    }
}
