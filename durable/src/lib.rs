//! Durable Functions for Rust.
pub mod call;
pub mod client;
pub mod clock;
pub mod context;
pub mod embedded;
pub mod episode;
mod error;
pub mod history;
pub mod hub;
#[doc(hidden)]
pub mod macro_support;
pub mod model;
pub mod prelude;
pub mod provider;
pub mod registry;
pub mod replay;
mod select;
pub mod session;
pub mod worker;
pub use durable_macros::{activity, orchestrator};
pub use error::Error;
