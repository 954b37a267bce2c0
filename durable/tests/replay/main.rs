//! The replay engine from outside: histories in, actions out. One behaviour a file.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise; its helpers as well")]

mod activities;
mod control;
mod counterexamples;
mod dead_wait;
mod entities;
mod external_events;
mod fuzz;
mod http;
mod limits;
mod mismatch;
mod orchestrations;
mod retries;
mod script;
mod sections;
mod status;
mod timers;
mod unload;
