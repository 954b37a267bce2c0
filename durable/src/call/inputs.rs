//! The inputs of a call as they are stored: several are a JSON array, one is itself, none is `null`.
//!
//! The reading half is `registry/stored.rs`; the two must agree.

use crate::model::{Encoded, NotStorable, Payload, Storable};

/// Collects the inputs of one call, in the order of the parameters. The first that cannot be
/// written decides.
#[doc(hidden)]
#[derive(Debug)]
pub struct Inputs(Result<Vec<Payload>, NotStorable>);

impl Inputs {
    /// Room for `count` inputs.
    pub fn new(count: usize) -> Self {
        Self(Ok(Vec::with_capacity(count)))
    }

    /// Adds a value of the parameter's own type.
    #[must_use]
    pub fn add_value<T: Storable>(self, value: &T) -> Self {
        self.push(|| value.encode())
    }

    /// Adds a text for a parameter of type `String`.
    #[must_use]
    pub fn add_text(self, text: &str) -> Self {
        self.push(|| Payload::of(text))
    }

    /// What the call stores.
    ///
    /// # Errors
    /// When a value could not be written as JSON.
    pub fn finish(self) -> Encoded {
        let mut payloads = self.0?;
        match payloads.len() {
            0 => Ok(Payload::null()),
            1 => Ok(payloads.remove(0)),
            _ => Payload::of(&payloads),
        }
    }

    fn push(self, encode: impl FnOnce() -> Encoded) -> Self {
        Self(self.0.and_then(|mut payloads| {
            payloads.push(encode()?);
            Ok(payloads)
        }))
    }
}
