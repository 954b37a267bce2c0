//! Tests for what is built on `durable`.
//!
//! - [`replay`]: does an orchestrator, given this history, ask for that? No store, no runtime.
//! - [`conformance`]: does a provider keep its promises?
//! - [`VirtualClock`]: time that passes only when it is moved.
//!
//! Not for applications. Begin with whichever of these is your question.

mod chronicle;
pub mod conformance;
pub mod history;
mod orchestrator;
mod replay;
mod virtual_clock;

pub use orchestrator::IntoOrchestrator;
pub use replay::{Replay, replay, replay_check, replay_of};
pub use virtual_clock::VirtualClock;
