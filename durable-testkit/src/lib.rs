//! Tests for what is built on `durable`.
//!
//! - [`replay`]: does an orchestrator, given this history, ask for that? No store, no runtime.
//! - [`TestHub`]: does the whole come to the right end, in time that passes by itself?
//! - [`conformance`]: does a provider keep its promises?
//! - [`FaultyProvider`]: what when the store fails at this very call?
//! - [`VirtualClock`]: time that passes only when it is moved.
//!
//! Not for applications. Begin with whichever of these is your question.

mod chronicle;
pub mod conformance;
mod entity_facts;
mod faulty;
pub mod history;
mod inputs;
mod orchestrator;
mod replay;
mod stand_in;
mod test_hub;
mod virtual_clock;

pub use faulty::{Fault, FaultyProvider};
pub use orchestrator::IntoOrchestrator;
pub use replay::{Replay, replay, replay_check, replay_of};
pub use stand_in::StandIn;
pub use test_hub::{Replacing, TestHub, TestHubBuilder};
pub use virtual_clock::{Passing, VirtualClock};
