//! Between a function's typed values and what is stored: several inputs are a JSON array, one is
//! itself, none is `null`.
//!
//! The writing half for inputs is `call/inputs.rs`; the two must agree.

use std::any::type_name;

use crate::model::{Failure, FailureKind, NotStorable, Payload, Storable};

/// The inputs of one call, as stored.
#[doc(hidden)]
#[derive(Debug)]
pub struct Arguments {
    function: &'static str,
    payloads: Vec<Payload>,
}

impl Arguments {
    /// Takes apart what a call of `function`, which has `count` inputs, was given.
    ///
    /// # Errors
    /// When several are wanted and the payload is not an array of as many.
    pub fn of(function: &'static str, payload: Payload, count: usize) -> Result<Self, Failure> {
        let payloads = match count {
            0 => Vec::new(),
            1 => vec![payload],
            _ => several(function, &payload, count)?,
        };
        Ok(Self { function, payloads })
    }

    /// Reads the input at `index` for the parameter `parameter`.
    ///
    /// # Errors
    /// When the stored text is not a `T`.
    ///
    /// # Panics
    /// When `index` is not below the count given to [`of`](Self::of): a defect of the macro.
    pub fn read<T: Storable>(&self, index: usize, parameter: &str) -> Result<T, Failure> {
        let payload = self.payloads.get(index).expect("the macro reads as many inputs as it asked for");
        T::decode(payload).map_err(|cause| {
            let what = format!("the input `{parameter}` of `{}`", self.function);
            not_read::<T>(&what, &cause)
        })
    }
}

fn several(function: &str, payload: &Payload, count: usize) -> Result<Vec<Payload>, Failure> {
    let wrong = |found: String| {
        let message = format!(
            "`{function}` takes {count} inputs, stored as a JSON array of {count}; the call brought {found}: call it with `{function}::with(..)`, or with a tuple of {count}"
        );
        Failure::of_kind(FailureKind::Payload, "", message)
    };
    let payloads: Vec<Payload> = payload.read().map_err(|_| wrong("something else".into()))?;
    if payloads.len() == count { Ok(payloads) } else { Err(wrong(format!("{}", payloads.len()))) }
}

/// Reads the one input of `function`.
pub(super) fn read_input<T: Storable>(function: &str, payload: &Payload) -> Result<T, Failure> {
    T::decode(payload).map_err(|cause| not_read::<T>(&format!("the input of `{function}`"), &cause))
}

/// Writes the output of `function`.
///
/// # Errors
/// When the value cannot be written as JSON.
#[doc(hidden)]
pub fn output_of<T: Storable>(function: &str, output: &T) -> Result<Payload, Failure> {
    output.encode().map_err(|cause| {
        let message = format!("the output of `{function}` cannot be stored as JSON: {cause}");
        Failure::of_kind(FailureKind::Payload, type_name::<T>(), message)
    })
}

fn not_read<T>(what: &str, cause: &NotStorable) -> Failure {
    let wanted = type_name::<T>();
    let message = format!("{what} is not a `{wanted}`: {cause}");
    Failure::of_kind(FailureKind::Payload, wanted, message)
}
