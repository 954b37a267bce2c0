//! Names of functions, versions, events and operations.

use std::{borrow::Cow, cmp::Ordering, fmt};

use serde::{Deserialize, Serialize};

/// The name under which an orchestrator or activity is known to history; compared exactly
/// (DECISIONS 7). Free to clone when it comes from a macro.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FunctionName(Cow<'static, str>);

impl FunctionName {
    /// A name known at compile time, as the macros write it.
    pub const fn literal(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The version of an orchestrator or activity, compared exactly; absent means unversioned.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FunctionVersion(Cow<'static, str>);

impl FunctionVersion {
    /// A version known at compile time, as the macros write it.
    pub const fn literal(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_value {
    ($type:ident) => {
        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self(text.to_owned().into())
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}
text_value!(FunctionName);
text_value!(FunctionVersion);
text_value!(EventName);
text_value!(OperationName);

macro_rules! name_ignoring_case {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(Cow<'static, str>);

        impl $type {
            /// A name known at compile time.
            pub const fn literal(text: &'static str) -> Self {
                Self(Cow::Borrowed(text))
            }

            /// The name as it was written.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            fn folded(&self) -> impl Iterator<Item = char> {
                self.0.chars().flat_map(char::to_lowercase)
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0 || self.folded().eq(other.folded())
            }
        }

        impl Eq for $type {}

        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                if self.0 == other.0 { Ordering::Equal } else { self.folded().cmp(other.folded()) }
            }
        }

        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
    };
}
name_ignoring_case! {
    /// The name of an external event. Two names that differ only in case are one (DECISIONS 7);
    /// the spelling of whoever wrote it is kept for display.
    EventName
}
name_ignoring_case! {
    /// The name of an operation of an entity. Two names that differ only in case are one
    /// (R2:ENT-22, R1:OVR-31, DECISIONS 7); the caller's spelling is kept for display.
    OperationName
}

#[cfg(test)]
mod tests {
    use super::*;

    // R1:OVR-28, R1:OVR-31; DECISIONS 7
    #[test]
    fn operation_names_match_ignoring_case() {
        assert_eq!(OperationName::literal("Add"), OperationName::from("ADD"));
        assert_eq!(OperationName::from("Add").as_str(), "Add");
    }

    // R1:EVT-8; DECISIONS 7
    #[test]
    fn event_names_match_ignoring_case() {
        assert_eq!(EventName::literal("ApprovalEvent"), EventName::from("approvalEVENT"));
        assert_ne!(EventName::literal("ApprovalEvent"), EventName::from("Approval"));
    }
}
