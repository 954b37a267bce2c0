//! Why a function failed, as history keeps it.
//!
//! A value that survives storage and crosses instances; errors of the library itself are
//! [`Error`](crate::Error). Begin with [`Failure`].

use std::{any::Any, error::Error, fmt};

use serde::{Deserialize, Serialize};

use super::{FunctionName, Payload, Storable};

/// Why a function failed: what a caller gets from `.await`, and what history keeps (R2:ERR-2).
///
/// Made from any error with [`Failure::from_error`], from a text with `?` or `.into()`. The error
/// type's name, the message and the whole cause chain are kept; an error that is also
/// `Serialize + DeserializeOwned` comes back typed by [`Failure::downcast`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Failure(Box<Details>);

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    #[serde(default)]
    kind: FailureKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    function: Option<FunctionName>,
    error_type: String,
    message: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    non_retriable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Payload>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cause: Option<Failure>,
}

/// What sort of failure it is; whether a retry can help follows from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// The function returned an error.
    #[default]
    Application,
    /// The function panicked.
    Panicked,
    /// The function ran longer than it may (R2:PERF-7).
    TimedOut,
    /// No function of that name is registered.
    UnknownFunction,
    /// An input, output, event or recorded result is not the JSON that was expected.
    Payload,
    /// A payload is larger than the configured limit.
    TooLarge,
    /// The orchestrator took another path than its history (DECISIONS 25).
    Nondeterministic,
    /// The orchestrator waits for something its history will never bring.
    NothingToWaitFor,
    /// The instance was ended from outside.
    Terminated,
    /// The work item was handed out too often without an end.
    Poisoned,
    /// The instance id that was asked for belongs to an instance that has not ended.
    IdTaken,
}

impl FailureKind {
    /// Whether trying again may help.
    pub const fn is_retriable(self) -> bool {
        match self {
            Self::Application | Self::Panicked | Self::TimedOut | Self::UnknownFunction | Self::IdTaken => {
                true
            }
            Self::Payload
            | Self::TooLarge
            | Self::Nondeterministic
            | Self::NothingToWaitFor
            | Self::Terminated
            | Self::Poisoned => false,
        }
    }
}

impl Failure {
    /// A failure with a message and nothing else.
    pub fn new(message: impl Into<String>) -> Self {
        Self::of_kind(FailureKind::Application, "", message)
    }

    /// A failure of one of the engine's own kinds.
    #[doc(hidden)]
    pub fn of_kind(kind: FailureKind, error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            function: None,
            error_type: error_type.into(),
            message: message.into(),
            non_retriable: false,
            value: None,
            cause: None,
        }))
    }

    /// The failure of a function that panicked with `payload`.
    #[doc(hidden)]
    pub fn panicked(payload: &(dyn Any + Send)) -> Self {
        Self::of_kind(FailureKind::Panicked, "panic", panic_message(payload))
    }

    /// Keeps an error's type name, its message and its causes.
    pub fn from_error<E: Error + 'static>(error: &E) -> Self {
        Self::from_chain(std::any::type_name::<E>(), error)
    }

    /// Like [`from_error`](Self::from_error), and keeps the value, so that
    /// [`downcast`](Self::downcast) gives it back.
    pub fn typed<E: Error + Storable>(error: &E) -> Self {
        let mut failure = Self::from_error(error);
        failure.0.value = error.encode().ok();
        failure
    }

    /// Keeps a boxed error, whose concrete type has been forgotten. A `Failure` inside is taken out.
    pub fn from_boxed(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => *failure,
            Err(error) => Self::from_chain("", &*error),
        }
    }

    fn from_chain(error_type: &str, error: &(dyn Error + 'static)) -> Self {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return failure.clone();
        }
        let mut failure = Self::of_kind(FailureKind::Application, error_type, error.to_string());
        failure.0.cause = error.source().map(|cause| Self::from_chain("", cause));
        failure
    }

    /// Names the function that failed, unless an inner call already did.
    #[must_use]
    pub fn in_function(mut self, name: &FunctionName) -> Self {
        self.0.function.get_or_insert_with(|| name.clone());
        self
    }

    /// The failure as the caller of orchestrator `name` sees it: when what failed was something that it
    /// had called, that stays to be seen as the cause. What the error is, its typed value included,
    /// passes through (R1:SUB-2).
    #[must_use]
    pub fn passed_on_by(self, name: &FunctionName) -> Self {
        match &self.0.function {
            None => self.in_function(name),
            Some(function) if function == name => self,
            Some(_) => {
                let mut outer = (*self.0).clone();
                outer.function = Some(name.clone());
                outer.message = self.to_string();
                outer.cause = Some(self);
                Self(Box::new(outer))
            }
        }
    }

    /// Marks the failure as one that no retry can cure.
    #[must_use]
    pub fn non_retriable(mut self) -> Self {
        self.0.non_retriable = true;
        self
    }

    /// Adds what led to this failure.
    #[must_use]
    pub fn caused_by(mut self, cause: Self) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// What sort of failure it is.
    pub fn kind(&self) -> FailureKind {
        self.0.kind
    }

    /// The function that failed, once a caller sees it.
    pub fn function(&self) -> Option<&FunctionName> {
        self.0.function.as_ref()
    }

    /// The error type's full name; empty for a plain text or a boxed error.
    pub fn error_type(&self) -> &str {
        &self.0.error_type
    }

    /// The error's message, without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What led to it.
    pub fn cause(&self) -> Option<&Self> {
        self.0.cause.as_ref()
    }

    /// Whether a retry policy may try again.
    pub fn is_retriable(&self) -> bool {
        !self.0.non_retriable && self.0.kind.is_retriable()
    }

    /// The error that failed the function, if it is an `E` and was kept whole.
    pub fn downcast<E: Storable>(&self) -> Option<E> {
        if self.0.error_type != std::any::type_name::<E>() {
            return None;
        }
        self.0.value.as_ref().and_then(|value| E::decode(value).ok())
    }
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("it panicked with a value that is no text").to_owned()
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_ref().map(|cause| cause as _)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.function {
            Some(function) => write!(f, "`{function}` failed: {}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = self.cause();
        while let Some(failure) = cause {
            write!(f, "; caused by: {failure}")?;
            cause = failure.cause();
        }
        Ok(())
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<Box<dyn Error + Send + Sync>> for Failure {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        Self::from_boxed(error)
    }
}

impl From<super::NotStorable> for Failure {
    fn from(error: super::NotStorable) -> Self {
        Self::of_kind(FailureKind::Payload, "NotStorable", error.to_string())
    }
}

macro_rules! from_usual_errors {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::from_error(&error)
            }
        })*
    };
}

// A blanket `From<E: Error>` cannot stand beside `Failure: Error` (api.md C2): the usual ones, then.
from_usual_errors!(
    std::io::Error,
    fmt::Error,
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::num::TryFromIntError,
    std::str::ParseBoolError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::char::ParseCharError,
    std::net::AddrParseError,
    std::time::SystemTimeError,
    serde_json::Error,
    super::InvalidInstanceId,
    super::InvalidTimestamp,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error, Serialize, Deserialize, PartialEq)]
    #[error("{missing} missing")]
    struct Overdrawn {
        missing: i64,
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Overdrawn);

    // R2:ERR-2
    #[test]
    fn type_message_and_causes_survive_storage() {
        let failure = Failure::from_error(&Outer(Overdrawn { missing: 3 })).in_function(&"debit".into());
        let stored = Payload::of(&failure).unwrap();
        let read: Failure = stored.read().unwrap();
        assert_eq!(read, failure);
        assert!(read.error_type().ends_with("Outer"));
        assert_eq!(read.to_string(), "`debit` failed: outer");
        assert_eq!(read.cause().unwrap().message(), "3 missing");
        assert!(read.is_retriable());
        assert!(!read.non_retriable().is_retriable());
    }

    #[test]
    fn a_typed_error_comes_back_as_itself_and_only_as_itself() {
        let failure = Failure::typed(&Overdrawn { missing: 3 });
        assert_eq!(failure.downcast::<Overdrawn>(), Some(Overdrawn { missing: 3 }));
        assert_eq!(failure.downcast::<i64>(), None);
        assert_eq!(Failure::from_error(&Overdrawn { missing: 3 }).downcast::<Overdrawn>(), None);
    }

    #[test]
    fn a_boxed_failure_is_not_wrapped_again() {
        let failure = Failure::new("first");
        assert_eq!(Failure::from_boxed(Box::new(failure.clone())), failure);
    }
}
