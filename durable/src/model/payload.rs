//! Stored JSON: inputs, outputs, event data and states.
//!
//! The only place that turns user types into text and back. Begin with [`Storable`].

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Failure, FailureKind};

/// One JSON text, as stored. Always well-formed; never reformatted, so that what a user wrote as
/// `90.0` is read back as `90.0` (R3:DIAG-25). Cloning is cheap.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// Takes a JSON text that somebody else wrote.
    ///
    /// # Errors
    /// When `text` is not one complete JSON value.
    pub fn from_json(text: impl Into<String>) -> Result<Self, NotStorable> {
        RawValue::from_string(text.into()).map(|raw| Self(raw.into())).map_err(NotStorable)
    }

    /// Writes any serializable value.
    ///
    /// # Errors
    /// When the value's own `Serialize` refuses, or a map has keys that JSON cannot hold.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Encoded {
        serde_json::value::to_raw_value(value).map(|raw| Self(raw.into())).map_err(NotStorable)
    }

    /// JSON `null`: the input of a call that was given none.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// Reads the text as a `T`.
    ///
    /// # Errors
    /// When the text is not a `T`; names line, column and the expectation.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, NotStorable> {
        serde_json::from_str(self.as_json()).map_err(NotStorable)
    }

    /// The size of the text in bytes of UTF-8, which is what the limit on payloads counts.
    pub fn size(&self) -> usize {
        self.as_json().len()
    }

    /// The payload itself, unless it is larger than `limit` bytes; `what` names it in the message.
    ///
    /// # Errors
    /// A failure of kind `TooLarge` that names the size, the limit and the way out.
    pub fn within(self, limit: usize, what: &str) -> Result<Self, Failure> {
        if self.size() <= limit {
            return Ok(self);
        }
        Err(Failure::of_kind(
            FailureKind::TooLarge,
            "PayloadTooLarge",
            format!(
                "{what} has {} bytes of JSON, and the limit is {limit}; store the data elsewhere and pass a \
                 reference, or raise the limit (`max_payload`)",
                self.size()
            ),
        ))
    }

    /// Whether both hold the same JSON value: object keys in any order, numbers by their text.
    /// Equal bytes are found equal without parsing.
    pub fn is_same_json(&self, other: &Self) -> bool {
        if self.as_json() == other.as_json() {
            return true;
        }
        let value = |payload: &Self| payload.read::<serde_json::Value>().ok();
        matches!((value(self), value(other)), (Some(left), Some(right)) if left == right)
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::null()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_json())
    }
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Self(raw.into()))
    }
}

/// Why a value cannot be stored as JSON, or a stored text is not the wanted value.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NotStorable(#[from] serde_json::Error);

/// A value written as JSON, or the reason why it could not be. The reason waits in the value
/// until a verb (`call`, `start`) can report it.
pub type Encoded = Result<Payload, NotStorable>;

/// A value that can stand in a history: an input, an output, the data of an event.
///
/// Implemented for everything that is `Serialize + DeserializeOwned + Send + 'static`; there is
/// nothing to implement by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored as JSON",
    label = "inputs and outputs of durable functions are kept in history",
    note = "derive it: `#[derive(serde::Serialize, serde::Deserialize)]`; borrowed data must become owned"
)]
pub trait Storable: Sized + Send + 'static {
    /// Writes the value as JSON.
    #[doc(hidden)]
    fn encode(&self) -> Encoded;

    /// Reads the value from JSON.
    #[doc(hidden)]
    fn decode(payload: &Payload) -> Result<Self, NotStorable>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> Storable for T {
    fn encode(&self) -> Encoded {
        Payload::of(self)
    }

    fn decode(payload: &Payload) -> Result<Self, NotStorable> {
        payload.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_one_well_formed_json_text() {
        assert_eq!(Payload::from_json("{\"a\": 90.0}").unwrap().as_json(), "{\"a\": 90.0}");
        assert!(Payload::from_json("{\"a\":").is_err());
        assert!(Payload::from_json("1 2").is_err());
    }

    #[test]
    fn key_order_does_not_make_another_value() {
        let payload = |text: &str| Payload::from_json(text).unwrap();
        assert!(payload(r#"{"a":1,"b":2}"#).is_same_json(&payload(r#"{"b":2, "a":1}"#)));
        assert!(!payload(r#"[1,2]"#).is_same_json(&payload(r#"[2,1]"#)));
    }

    #[test]
    fn a_value_that_json_cannot_hold_is_an_error() {
        let keyed_by_list = std::collections::BTreeMap::from([(vec![1], 1)]);
        assert!(Payload::of(&keyed_by_list).is_err());
    }

    // R2:SER-11
    #[test]
    fn a_text_that_looks_like_a_date_stays_the_text_it_is() {
        let text = "2026-01-02T03:04:05.1234567+01:00";
        assert_eq!(Payload::of(text).unwrap().read::<String>().unwrap(), text);
        let untyped: serde_json::Value = Payload::of(text).unwrap().read().unwrap();
        assert_eq!(untyped, serde_json::Value::String(text.to_owned()));
    }

    // R2:SER-11, R2:SER-13, R2:SER-15: no type names in the text, and what the type's attributes say is done.
    #[test]
    fn attributes_of_a_type_decide_its_text() {
        #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Order {
            order_number: u32,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            note: Option<String>,
        }
        let stored = Payload::of(&Order { order_number: 7, note: None }).unwrap();
        assert_eq!(stored.as_json(), r#"{"orderNumber":7}"#);
        // Written by another build, which knew more.
        let newer = Payload::from_json(r#"{"orderNumber":7,"priority":1}"#).unwrap();
        assert_eq!(newer.read::<Order>().unwrap(), Order { order_number: 7, note: None });
    }
}
