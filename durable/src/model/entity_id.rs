//! Names of entities.
//!
//! Must not know what an entity does. Begin with [`EntityId`]; its `@name@key` form is also the id
//! of the instance behind it.

use std::{borrow::Cow, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

use super::InstanceId;

/// The name of a kind of entity: lower-case, whatever it was written like (R2:ENT-10, DECISIONS 7).
///
/// Not empty, no `@`: that parts the name from the key. Free to clone when it comes from a macro.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EntityName(Cow<'static, str>);

impl EntityName {
    /// A name known at compile time, as the macros write it.
    ///
    /// # Panics
    /// While compiling, when used in a constant, if `text` is empty or holds a `@` or an upper-case ASCII letter.
    pub const fn literal(text: &'static str) -> Self {
        assert!(!text.is_empty(), "an entity's name must not be empty");
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            assert!(bytes[at] != b'@', "an entity's name must not contain `@`, which parts it from the key");
            assert!(!bytes[at].is_ascii_uppercase(), "an entity's name is lower-case");
            at += 1;
        }
        Self(Cow::Borrowed(text))
    }

    /// Checks `text` and makes it lower-case.
    ///
    /// # Errors
    /// Names the rule that `text` breaks.
    pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidEntityId> {
        let text = text.as_ref();
        let refused = |rule| InvalidEntityId { text: text.escape_debug().to_string(), rule };
        if text.is_empty() {
            return Err(refused("its name must not be empty"));
        }
        if text.contains('@') {
            return Err(refused("its name must not contain `@`, which parts it from the key"));
        }
        Ok(Self(text.to_lowercase().into()))
    }

    /// The name as text, lower-case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address of one entity: a name, and a key that is unique under it (R2:ENT-9, R2:ENT-12).
///
/// The name ignores case, the key is any text and exact; it may be empty and may contain `@`
/// (R2:ENT-11). Printed, stored and ordered as `@name@key`: that order is the one in which locks are
/// taken, everywhere in a task hub. Cloning is cheap.
///
/// ```
/// use durable::model::EntityId;
/// let counter = EntityId::new("Counter", "Game1")?;
/// assert_eq!(counter.to_string(), "@counter@Game1");
/// assert_eq!("@COUNTER@Game1".parse::<EntityId>()?, counter);
/// # Ok::<(), durable::model::InvalidEntityId>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId {
    text: Arc<str>,
    /// Where the key begins.
    key: usize,
}

impl EntityId {
    /// The entity `key` of the kind `name`, for names known only at run time.
    ///
    /// # Errors
    /// When `name` is empty or contains `@`.
    pub fn new(name: impl AsRef<str>, key: impl fmt::Display) -> Result<Self, InvalidEntityId> {
        Ok(Self::of(&EntityName::new(name)?, key))
    }

    /// The entity `key` of the kind `name`. Every key is a key, so this cannot fail.
    pub fn of(name: &EntityName, key: impl fmt::Display) -> Self {
        Self { text: format!("@{}@{key}", name.as_str()).into(), key: name.as_str().len() + 2 }
    }

    /// The entity behind an instance; `None` for orchestrations.
    pub fn of_instance(instance: &InstanceId) -> Option<Self> {
        instance.as_str().starts_with('@').then(|| instance.as_str().parse().ok()).flatten()
    }

    /// The kind, lower-case.
    pub fn name(&self) -> &str {
        &self.text[1..self.key - 1]
    }

    /// Which one of its kind.
    pub fn key(&self) -> &str {
        &self.text[self.key..]
    }

    /// The id as `@name@key`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The instance behind the entity: its id is `@name@key`.
    pub fn instance(&self) -> InstanceId {
        InstanceId::of_entity(self.text.clone())
    }
}

/// Why a text is not an [`EntityId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an entity: {rule}")]
pub struct InvalidEntityId {
    text: String,
    rule: &'static str,
}

impl FromStr for EntityId {
    type Err = InvalidEntityId;

    /// Reads `@name@key`; the key begins after the second `@`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.strip_prefix('@').and_then(|rest| rest.split_once('@'));
        let refused = |rule| InvalidEntityId { text: text.escape_debug().to_string(), rule };
        let (name, key) = parts.ok_or_else(|| refused("write it as `@name@key`"))?;
        Self::new(name, key).map_err(|error| refused(error.rule))
    }
}

impl AsRef<Self> for EntityId {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl From<&EntityId> for InstanceId {
    fn from(entity: &EntityId) -> Self {
        entity.instance()
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for EntityName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for EntityId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// The two forms in which an entity id is found in stored data.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Parts { name: String, key: String },
}

/// Reads `"@name@key"`, and the reference's `{"name": .., "key": ..}`.
impl<'de> Deserialize<'de> for EntityId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = match Stored::deserialize(deserializer)? {
            Stored::Text(text) => text.parse(),
            Stored::Parts { name, key } => Self::new(name, key),
        };
        read.map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for EntityName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;

    // R2:ENT-9, R2:ENT-10, R2:ENT-11, R2:ENT-12, R3:ENT-68; DECISIONS 7
    #[test]
    fn a_name_ignores_case_and_a_key_is_any_text() {
        for (name, key, text) in [
            ("Counter", "Game1", "@counter@Game1"),
            ("counter", "", "@counter@"),
            ("COUNTER", "a@b@c", "@counter@a@b@c"),
            ("Zähler", "größe/7", "@zähler@größe/7"),
        ] {
            let id = EntityId::new(name, key).unwrap();
            assert_eq!((id.to_string().as_str(), id.key()), (text, key));
            assert_eq!(id.name(), name.to_lowercase());
            assert_eq!(text.parse::<EntityId>().unwrap(), id);
            assert_eq!(EntityId::of_instance(&id.instance()), Some(id));
        }
    }

    #[test]
    fn what_is_no_entity_is_refused_with_the_rule() {
        for (text, rule) in [("counter", "@name@key"), ("@counter", "@name@key"), ("@@key", "empty")] {
            let error = text.parse::<EntityId>().unwrap_err().to_string();
            assert!(error.contains(rule) && error.contains(text), "{error}");
        }
        assert!(EntityId::new("a@b", "c").unwrap_err().to_string().contains("must not contain `@`"));
        assert_eq!(EntityId::of_instance(&InstanceId::new("order-17").unwrap()), None);
    }

    // R3:ENT-15: an entity may give its id to an orchestration as input.
    #[test]
    fn an_id_is_stored_as_text_and_read_in_both_forms() {
        let id = EntityId::new("Counter", "Game1").unwrap();
        assert_eq!(Payload::of(&id).unwrap().as_json(), r#""@counter@Game1""#);
        for text in [r#""@Counter@Game1""#, r#"{"name":"Counter","key":"Game1"}"#] {
            assert_eq!(Payload::from_json(text).unwrap().read::<EntityId>().unwrap(), id);
        }
    }

    // An instance that is an entity must survive storage, although users cannot write its id as one.
    #[test]
    fn the_instance_behind_an_entity_is_stored_and_read() {
        let instance = EntityId::new("counter", "a/b").unwrap().instance();
        let stored = Payload::of(&instance).unwrap();
        assert_eq!(stored.read::<InstanceId>().unwrap(), instance);
        assert!(Payload::from_json(r#""a/b""#).unwrap().read::<InstanceId>().is_err());
        assert!(InstanceId::new(instance.as_str()).is_err());
        assert_eq!(InstanceId::stored(instance.as_str()).unwrap(), instance);
    }
}
