//! The name of a task hub.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The name of a task hub: 3 to 45 letters and digits, the first a letter (R2:HUB-37).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskHubName(String);

impl TaskHubName {
    /// The name of a hub that was given none (DECISIONS 1).
    pub const DEFAULT: &'static str = "DurableFunctionsHub";

    /// Checks `text` against the rule.
    ///
    /// # Errors
    /// Says what a hub name may be, quoting `text`.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidTaskHubName> {
        let text = text.into();
        let well_formed = (3..=45).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric());
        if well_formed { Ok(Self(text)) } else { Err(InvalidTaskHubName(text)) }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TaskHubName {
    fn default() -> Self {
        Self(Self::DEFAULT.into())
    }
}

impl FromStr for TaskHubName {
    type Err = InvalidTaskHubName;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for TaskHubName {
    type Error = InvalidTaskHubName;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<TaskHubName> for String {
    fn from(name: TaskHubName) -> Self {
        name.0
    }
}

impl fmt::Display for TaskHubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a [`TaskHubName`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a task hub name: use 3 to 45 letters and digits, the first a letter", .0.escape_debug())]
pub struct InvalidTaskHubName(String);

#[cfg(test)]
mod tests {
    use super::*;

    // R2:HUB-37; DECISIONS 23
    #[test]
    fn hub_names_are_alphanumeric_and_start_with_a_letter() {
        for good in ["Hub", "DurableFunctionsHub", "a23", &"x".repeat(45)] {
            assert_eq!(TaskHubName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "ab", "1hub", "my-hub", "my_hub", "hüb", &"x".repeat(46)] {
            assert!(TaskHubName::new(bad).is_err(), "{bad}");
        }
    }
}
