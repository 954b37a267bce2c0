//! What the embedded provider promises, seen through the provider contract alone.
//!
//! Most promises hold for a file and for memory alike, and are checked on both
//! (`fixtures::on_both`). Begin with `life.rs`, which follows an instance from its start to its end.

#![expect(clippy::unwrap_used, reason = "clippy takes only functions marked as tests for tests")]

mod clients;
mod fixtures;
mod life;
mod many;
mod opening;
mod recovery;
mod settling;
mod time;
