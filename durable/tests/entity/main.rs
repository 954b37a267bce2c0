//! Entities from outside: messages in, operations, state and messages out. One behaviour a file.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise; its helpers as well")]

mod batches;
mod fixtures;
mod model;
mod sections;
mod turns;
