//! Where a page of a query ended, as a text that checks itself.
//!
//! Must not know what a position means: that is each store's own. Begin with [`PageToken`].

use std::fmt;

use serde::Serialize;

/// Where a page ended. Keep it as it is, and give it back with the same filter.
///
/// Made of hexadecimal digits, so that it can stand in a URL or a header. It stays good while instances
/// come and go, also after a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageToken(String);

impl PageToken {
    /// The token for `position`, which a store chooses, in what `filter` fits.
    pub fn seal(filter: &impl Serialize, position: &[u8]) -> Self {
        let check = check_of(filter, position).to_be_bytes();
        let digits = check.iter().chain(position).map(|byte| format!("{byte:02x}"));
        Self(digits.collect())
    }

    /// The position, if this is a token for `filter`; `None` for any other text.
    pub fn open(&self, filter: &impl Serialize) -> Option<Vec<u8>> {
        let (pairs, rest) = self.0.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte_of).collect();
        let bytes = bytes?;
        let (check, position) = bytes.split_first_chunk::<4>()?;
        (u32::from_be_bytes(*check) == check_of(filter, position)).then(|| position.to_vec())
    }

    /// The token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn byte_of(digits: &[u8; 2]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some(value(digits[0])? << 4 | value(digits[1])?)
}

fn check_of(filter: &impl Serialize, position: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    // A filter is made of texts, which JSON can always hold.
    sum.update(&serde_json::to_vec(filter).unwrap_or_default());
    sum.update(position);
    sum.finalize()
}

impl From<String> for PageToken {
    /// Takes any text: whether it is a token is seen when it is used.
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for PageToken {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::InstanceFilter;

    #[test]
    fn a_token_opens_for_its_own_filter_only() {
        let filter = InstanceFilter::new().id_prefix("order-");
        let token = PageToken::seal(&filter, b"here");
        assert_eq!(token.open(&filter).as_deref(), Some(b"here".as_slice()));
        assert_eq!(PageToken::from(token.to_string()), token);
        assert_eq!(token.open(&InstanceFilter::new()), None);
    }

    #[test]
    fn no_changed_or_cut_token_opens() {
        let filter = InstanceFilter::new();
        let text = PageToken::seal(&filter, &[0, 255]).to_string();
        for cut in 0..text.len() {
            assert_eq!(PageToken::from(&text[..cut]).open(&filter), None, "{cut} digits");
            let mut changed = text.clone();
            changed.replace_range(cut..=cut, if &text[cut..=cut] == "7" { "8" } else { "7" });
            assert_eq!(PageToken::from(changed).open(&filter), None, "another digit at {cut}");
        }
        for other in ["", "x", "größe", "zzzzzzzzzz"] {
            assert_eq!(PageToken::from(other).open(&filter), None, "{other}");
        }
    }
}
