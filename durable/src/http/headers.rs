//! Header fields of a request or a response.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Header fields: names in lower case, each with one value or several.
///
/// They are stored in history, so secrets do not belong into them: name a token source instead
/// (R2:HTTP-25, R2:SER-7). `Debug` does not show the values of those that usually hold secrets.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Values>", into = "BTreeMap<String, Values>")]
pub struct Headers(BTreeMap<String, Vec<String>>);

/// How the field writes the values of one name: one as itself, several as an array.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

/// Fields by which a caller proves who it is; not for another host's eyes, nor for a log's.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-functions-key"];

pub(super) fn is_credential(name: &str) -> bool {
    CREDENTIALS.contains(&name)
}

impl Headers {
    /// Sets a field, in place of its earlier values.
    pub fn set(&mut self, name: impl AsRef<str>, value: impl Into<String>) {
        self.0.insert(name.as_ref().to_ascii_lowercase(), vec![value.into()]);
    }

    /// Adds a value to a field.
    pub fn add(&mut self, name: impl AsRef<str>, value: impl Into<String>) {
        self.0.entry(name.as_ref().to_ascii_lowercase()).or_default().push(value.into());
    }

    /// Keeps the fields whose lower-case name `keep` accepts.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|name, _| keep(name));
    }

    /// The first value of a field; its name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_ascii_lowercase())?.first().map(String::as_str)
    }

    /// Every name with each of its values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(|value| (name.as_str(), value.as_str())))
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Self::default();
        fields.into_iter().for_each(|(name, value)| headers.add(name, value));
        headers
    }
}

impl From<BTreeMap<String, Values>> for Headers {
    fn from(stored: BTreeMap<String, Values>) -> Self {
        let mut headers = Self::default();
        for (name, values) in stored {
            match values {
                Values::One(value) => headers.add(&name, value),
                Values::Several(values) => values.into_iter().for_each(|value| headers.add(&name, value)),
            }
        }
        headers
    }
}

impl From<Headers> for BTreeMap<String, Values> {
    fn from(headers: Headers) -> Self {
        let stored = headers.0.into_iter().map(|(name, mut values)| match values.len() {
            1 => (name, Values::One(values.remove(0))),
            _ => (name, Values::Several(values)),
        });
        stored.collect()
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str, value| if is_credential(name) { ".." } else { value };
        f.debug_map().entries(self.iter().map(|(name, value)| (name, shown(name, value)))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;

    #[test]
    fn one_value_is_a_text_and_several_are_a_list_and_both_are_read() {
        let headers: Headers =
            [("Accept", "text/plain"), ("set-cookie", "a"), ("Set-Cookie", "b")].into_iter().collect();
        let stored = Payload::of(&headers).unwrap();
        assert_eq!(stored.as_json(), r#"{"accept":"text/plain","set-cookie":["a","b"]}"#);
        assert_eq!(stored.read::<Headers>().unwrap(), headers);
        assert_eq!(headers.get("ACCEPT"), Some("text/plain"));
    }

    #[test]
    fn a_credential_is_not_shown() {
        let headers: Headers = [("Authorization", "Bearer secret"), ("accept", "*/*")].into_iter().collect();
        let shown = format!("{headers:?}");
        assert!(!shown.contains("secret") && shown.contains("*/*"), "{shown}");
    }
}
