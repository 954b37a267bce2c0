//! Which values a verb takes. One trait per context, since what the compiler says about a wrong
//! value must name that context.

use super::{Called, SignalRequest, StartRequest};
use crate::model::Storable;

/// Keeps the traits of this folder to the values of this crate.
#[doc(hidden)]
pub mod sealed {
    /// Implemented by this crate's values only.
    pub trait Sealed {}
}

/// What an orchestrator can `call`: an activity, another orchestrator, or an operation of an entity.
#[diagnostic::on_unimplemented(
    message = "an orchestration cannot `call` a `{Self}`",
    label = "this says nothing that could be called",
    note = "`call` takes `activity::with(..)`, `orchestrator::with(..)` or `Entity::at(key).operation(..)`; `Call::<Out>::activity(\"Name\", input)` for a name known only at run time"
)]
pub trait Callable: sealed::Sealed {
    /// What the call answers.
    type Output: Storable;

    /// What is to be scheduled.
    #[doc(hidden)]
    fn into_call(self) -> Called;
}

/// What an orchestrator can `call` while it holds locks: an activity, or an operation of a locked entity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be called while locks are held",
    label = "a critical section calls activities and locked entities",
    note = "call it before `ctx.lock(..)` or after `drop(section)`: rule 2 of critical sections (R2:ENT-61)"
)]
pub trait CallableInSection: Callable {}

/// What can be sent to an entity without waiting for its answer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity operation, so it cannot be signalled",
    label = "only `Entity::at(key).operation(..)` can be",
    note = "an orchestration is begun with `start`; an activity runs inside an orchestration (`ctx.call`)"
)]
pub trait Signalable: sealed::Sealed {
    /// What is to be sent.
    #[doc(hidden)]
    fn into_signal(self) -> SignalRequest;
}

/// What can be started without waiting for its output: a use of an orchestrator.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an orchestration, so it cannot be started",
    label = "`start` takes `orchestrator::with(..)`",
    note = "an activity runs inside an orchestration (`ctx.call`): start an orchestrator that calls it"
)]
pub trait Startable: sealed::Sealed {
    /// What the orchestration gives in the end.
    type Output: Storable;

    /// What is to be begun.
    #[doc(hidden)]
    fn into_start(self) -> StartRequest;
}

/// The uses of an orchestrator that may be started.
#[diagnostic::on_unimplemented(
    message = "an orchestration with `.retry(..)` or `.timeout(..)` cannot be started",
    label = "an option on this value needs somebody who waits for the result",
    note = "`start` does not wait for the result: `call` it, or give the options to the calls inside it"
)]
pub trait MayStart: sealed::Sealed {}

/// The uses of an orchestrator that may be called.
#[diagnostic::on_unimplemented(
    message = "an orchestration with `.at(time)` cannot be called",
    label = "nobody could wait for it",
    note = "`ctx.start(..)` begins it at that time; to wait first, `ctx.sleep_until(time).await`"
)]
pub trait MayCall: sealed::Sealed {}

/// What a client can `call`: nothing. The bound of a hidden method that is there for its message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a client cannot call `{Self}`, it can `start`, `signal` and `read`",
    label = "only an orchestration can `call`",
    note = "a call lives in the history of an orchestration: start one that makes the call"
)]
pub trait CallableFromClient: sealed::Sealed {}

/// What an entity can `call`: nothing. The bound of a hidden method that is there for its message.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an entity cannot call anything, it can only `signal` and `start`",
    label = "only an orchestration can `call`",
    note = "an entity that waited would block all its other callers: start an orchestration that makes the call"
)]
pub trait CallableFromEntity: sealed::Sealed {}
