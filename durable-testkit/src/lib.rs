//! Tests for what is built on `durable`.
//!
//! - `replay`
//! - [`conformance`]: does a provider keep its promises?
//! - [`VirtualClock`]: time that passes only when it is moved.
//!
//! Must not be used by an application: it is for tests alone.

pub mod conformance;
mod virtual_clock;

pub use virtual_clock::VirtualClock;
