//! The algebra of values: what should be done, before a context does it.
//!
//! A value says which function, with which input and options; a verb of a context or a client
//! performs it. Knows nothing of contexts, clients or registries. Begin with [`Callable`] and
//! [`Startable`]; [`ActivityCall`] is the simplest value.

mod activity;
mod entity;
mod event;
mod inputs;
mod interface;
mod operation;
mod orchestration;
mod verbs;

use std::marker::PhantomData;

use serde::Serialize;

use crate::model::{FunctionName, Payload};

pub use activity::{ActivityCall, ActivityRequest};
pub use entity::{Entity, EntityRef, Lockable, Proxy, Readable, State};
pub use event::Event;
#[doc(hidden)]
pub use inputs::Inputs;
#[doc(hidden)]
pub use interface::{Implementer, of_only_implementer};
pub use interface::{ImplementerError, Implements, Interface};
pub use operation::{Operation, Signal, SignalRequest};
pub use orchestration::{CallOnly, CallOrStart, OrchestrationCall, RunId, StartOnly, StartRequest};
pub use verbs::{Callable, CallableInSection, MayCall, MayStart, Signalable, Startable, sealed};
#[doc(hidden)]
pub use verbs::{CallableFromClient, CallableFromEntity};

/// What a `call` is to schedule.
#[doc(hidden)]
#[derive(Debug)]
pub enum Called {
    Activity(ActivityRequest),
    Orchestration(Box<StartRequest>),
    Operation(SignalRequest),
}

/// Values for functions whose name is known only at run time, or that another program owns.
///
/// `Call::<String>::activity("SayHello", "Tokyo")` says the same as `say_hello::with("Tokyo")`,
/// with the output type written by hand (R3:BIND-15, R1:QS-19).
#[derive(Debug)]
pub struct Call<O = Payload>(PhantomData<fn() -> O>);

impl<O> Call<O> {
    /// A call of the activity `name`. An input that cannot be written as JSON fails the verb.
    pub fn activity(name: impl Into<FunctionName>, input: impl Serialize) -> ActivityCall<O> {
        ActivityCall::new(name.into(), None, Payload::of(&input))
    }

    /// A use of the orchestrator `name`, in the hub's default version of it
    /// ([`default_version`](crate::hub::TaskHubOptions::default_version)), or without one. An input that cannot be written as JSON fails the verb.
    pub fn orchestration(name: impl Into<FunctionName>, input: impl Serialize) -> OrchestrationCall<O> {
        OrchestrationCall::new(name.into(), None, Payload::of(&input)).by_name()
    }
}
