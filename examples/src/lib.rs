//! The examples live in `src/bin`, one program each: begin with `hello_sequence.rs`.
//!
//! This library holds nothing but the proof that the tour of the README compiles.

/// The README's programs, built by `cargo test --doc`.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
