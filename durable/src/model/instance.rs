//! Names of instances and of their executions.
//!
//! Must not know how ids are made up by default: the client and the engine decide that.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// The name of one orchestration over its whole life, unique within a task hub (R1:ORCH-4).
///
/// One to 256 characters; no leading `@`, which marks an entity; none of `/ \ # ?`; no control
/// characters (R1:ORCH-5 to ORCH-8). Ids are compared exactly. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(Arc<str>);

impl InstanceId {
    /// The longest id, in characters.
    pub const MAX_CHARACTERS: usize = 256;

    /// Checks `text` against the rules above.
    ///
    /// # Errors
    /// Names the rule that `text` breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidInstanceId> {
        let text = text.as_ref();
        match broken_rule(text) {
            Some(rule) => Err(InvalidInstanceId { text: shortened(text), rule }),
            None => Ok(Self(text.into())),
        }
    }

    /// The id of the instance that `execution` asks for with its action `task`, unless it chose one
    /// (R1:SUB-8).
    pub fn of_child(execution: &ExecutionId, task: i32) -> Self {
        let text = format!("{execution}:{task}");
        // Execution ids that others made may hold anything.
        Self::new(&text).unwrap_or_else(|_| {
            Self(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes()).simple().to_string().into())
        })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn broken_rule(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it must not be empty");
    }
    if text.starts_with('@') {
        return Some("it must not start with `@`, which marks an entity");
    }
    if text.len() > InstanceId::MAX_CHARACTERS && text.chars().count() > InstanceId::MAX_CHARACTERS {
        return Some("it must not be longer than 256 characters");
    }
    if text.contains(['/', '\\', '#', '?']) {
        return Some("it must not contain `/`, `\\`, `#` or `?`");
    }
    if text.contains(char::is_control) {
        return Some("it must not contain control characters");
    }
    None
}

/// A message that quotes the id must stay readable, whatever was passed as one.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 64;
    if text.chars().count() <= SHOWN {
        return text.escape_debug().to_string();
    }
    let head: String = text.chars().take(SHOWN).collect();
    format!("{}…", head.escape_debug())
}

/// Why a text is not an [`InstanceId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an instance id: {rule}")]
pub struct InvalidInstanceId {
    text: String,
    rule: &'static str,
}

/// The name of one execution of an instance: continue-as-new and reuse of the id begin another.
///
/// By default 32 hexadecimal digits. Completions that carry another execution's id are dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Arc<str>);

impl ExecutionId {
    /// Takes `text` as it is: execution ids are made by the engine or read from a store.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for InstanceId {
    type Err = InvalidInstanceId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<&str> for InstanceId {
    type Error = InvalidInstanceId;
    fn try_from(text: &str) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl TryFrom<String> for InstanceId {
    type Error = InvalidInstanceId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.0.as_ref().into()
    }
}

impl AsRef<Self> for InstanceId {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl AsRef<str> for InstanceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R1:ORCH-5, R1:ORCH-6, R1:ORCH-7, R1:ORCH-8, R1:SKIP-14; DECISIONS 23
    #[test]
    fn an_id_that_breaks_a_rule_is_refused_with_the_rule() {
        for (text, rule) in [
            (String::new(), "empty"),
            ("@counter@a".into(), "`@`"),
            ("a/b".into(), "`/`"),
            ("a\\b".into(), "`/`"),
            ("a#b".into(), "`#`"),
            ("a?b".into(), "`?`"),
            ("a\u{7}b".into(), "control"),
            ("a\u{85}b".into(), "control"),
            ("x".repeat(257), "256"),
        ] {
            let error = InstanceId::new(&text).unwrap_err().to_string();
            assert!(error.contains(rule), "{text:?}: {error}");
        }
    }

    // R1:ORCH-5, R1:QS-8; R3:TEST-14: length is counted in characters, and dashes and upper case are legal.
    #[test]
    fn ids_within_the_rules_are_kept_exactly() {
        for text in ["a", "7E467BDB-213F-407A-B86A-1954053D3C24", "order 17 – größe", &"é".repeat(256)] {
            assert_eq!(InstanceId::new(text).unwrap().as_str(), text);
        }
    }
}
