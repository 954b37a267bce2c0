//! The replay engine: history and new events in, actions and an outcome out.
//!
//! Pure: no I/O, no clock, no randomness, no runtime, no unordered collection. What it promises is
//! that an orchestrator which polls in a fixed order reaches the same state whether it ran live or
//! was replayed from any prefix of its history. The rules, in short:
//!
//! 1. A durable call takes its id when it is constructed, in program order.
//! 2. One event completes at most one task and causes one resume; nothing else polls.
//! 3. At an episode's end the actions made equal the recorded ones, strictly in order.
//! 4. A digest of what user code observed is compared as well.
//! 5. An orchestrator that rests with nothing to wait for, or is woken by anything but its history,
//!    fails at once with the likely cause.
//! 6. Unloading a session has no effect; dropping a task in user code has.
//!
//! Begin with [`Session`]; [`Handle`] is what contexts are made of, [`Task`] what their verbs give.

mod action;
mod answers;
mod callee;
mod digest;
mod entities;
mod handle;
mod inbox;
mod journal;
mod matching;
mod mismatch;
mod on_behalf;
mod outcome;
mod recorded;
mod resting;
mod retry;
mod session;
mod shared;
mod task;

pub use action::Action;
pub use callee::{Callee, Child};
pub use entities::OperationAsked;
pub use handle::Handle;
pub use outcome::{EpisodeEnd, ForeignWakeHook, NextExecution, Orchestrator, Outcome, SessionOptions};
pub use resting::OpenWait;
pub use session::Session;
pub use task::Task;
