//! Durable Functions for Rust.
pub mod clock;
pub mod context;
pub mod embedded;
pub mod history;
pub mod model;
pub mod provider;
