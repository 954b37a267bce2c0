//! Durable Functions for Rust: orchestrations and activities as ordinary async functions, made
//! crash-proof by event sourcing and replay.
//!
//! ```
//! use durable::prelude::*;
//!
//! #[activity] // does things; runs at least once
//! async fn say_hello(city: String) -> String {
//!     format!("Hello {city}!")
//! }
//!
//! #[orchestrator] // decides things; replayed from its history
//! async fn greet(ctx: OrchestrationContext, cities: Vec<String>) -> Result<Vec<String>, Failure> {
//!     let calls = cities.iter().map(|city| ctx.call(say_hello::with(city))); // scheduled now
//!     futures::future::try_join_all(calls).await
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), durable::Error> {
//! let hub = TaskHub::open("memory:").await?; // or "sqlite:hello.db"
//! let worker = hub.worker().start().await?; // runs every annotated function of this program
//! let run = hub.client().start(greet::with(vec!["Tokyo".to_owned(), "Seattle".to_owned()])).await?;
//! assert_eq!(run.output().await?, ["Hello Tokyo!", "Hello Seattle!"]);
//! worker.shut_down().await
//! # }
//! ```
//!
//! # Where things are
//!
//! - [`prelude`]: what an application imports.
//! - [`hub`], [`client`], [`worker`]: opening a hub, starting orchestrations, running functions.
//! - [`context`], [`call`], [`http`]: what function authors hold, and the values they give to its verbs.
//! - [`model`], [`history`]: the words, and what has happened.
//! - [`provider`], [`embedded`]: the contract with storage, and the store that comes with the crate.
//! - [`explanation`]: what an instance waits for.
//! - [`tracking`]: what becomes of every instance, as events for traces.
//! - [`registry`], [`replay`], [`entity`](mod@entity), [`episode`], [`session`], [`clock`]: the engine, for tests and for
//!   those who build on it.

pub mod call;
pub mod client;
pub mod clock;
pub mod context;
pub mod embedded;
pub mod entity;
pub mod episode;
mod error;
pub mod explanation;
pub mod history;
pub mod http;
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
pub mod tracking;
pub mod worker;

pub use durable_macros::{activity, entity, orchestrator};
pub use error::Error;
pub use hub::TaskHub;
