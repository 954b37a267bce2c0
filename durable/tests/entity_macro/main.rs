//! What `#[entity]` makes of an `impl` block, a trait and a function, without a hub: registered by the
//! macro, and driven as batches of operations.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise; its helpers as well")]

mod first_state;
mod fixtures;
mod function;
mod interface;
mod state;
mod typed;
