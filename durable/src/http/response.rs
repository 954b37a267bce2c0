//! One HTTP response, as history keeps it.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Headers;
use crate::model::{Failure, FailureKind, NotStorable, Payload, Timestamp};

/// One HTTP response. A status of 400 or more is a response like any other: look at
/// [`status`](Self::status) (R2:HTTP-16, R1:ORCH-39).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpResponse {
    status_code: u16,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default)]
    content: Option<String>,
}

impl HttpResponse {
    /// A response without headers or body: what a client of your own begins with.
    pub fn new(status: u16) -> Self {
        Self { status_code: status, headers: Headers::default(), content: None }
    }

    /// The same response with a header field more.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.add(name, value);
        self
    }

    /// The same response with this body.
    #[must_use]
    pub fn content(mut self, text: impl Into<String>) -> Self {
        self.content = Some(text.into());
        self
    }

    /// The same response with `value` as its JSON body.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn with_json(self, value: &impl Serialize) -> Result<Self, NotStorable> {
        let payload = Payload::of(value)?;
        Ok(self.header("content-type", "application/json").content(payload.as_json()))
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status_code
    }

    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// The header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body; empty when there is none.
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    /// Reads the body as JSON, whatever the status.
    ///
    /// # Errors
    /// When the body is not a `T`: a failure of kind `Payload`, with the status and the type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(self.text()).map_err(|error| {
            let (status, wanted) = (self.status_code, std::any::type_name::<T>());
            let message = format!("the body of the answer (status {status}) is not a `{wanted}`: {error}");
            Failure::of_kind(FailureKind::Payload, wanted, message)
        })
    }

    /// How long the server asks to wait, by a number of seconds or by a date, seen from `now`.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        Some(Timestamp::from_http_date(text)?.duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // DECISIONS 14
    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:30Z".parse().unwrap();
        let asked = |text: &str| HttpResponse::new(202).header("Retry-After", text).retry_after(now);
        assert_eq!(asked("120"), Some(Duration::from_secs(120)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-5"), None);
        assert_eq!(HttpResponse::new(202).retry_after(now), None);
    }

    #[test]
    fn a_response_is_stored_in_the_form_of_the_field() {
        let response = HttpResponse::new(200).header("Location", "/a").content("done");
        let stored = Payload::of(&response).unwrap();
        assert_eq!(stored.as_json(), r#"{"statusCode":200,"headers":{"location":"/a"},"content":"done"}"#);
        assert_eq!(stored.read::<HttpResponse>().unwrap(), response);
    }

    #[test]
    fn a_body_that_is_not_what_was_expected_is_a_failure_that_says_so() {
        let failure = HttpResponse::new(500).content("oops").json::<u32>().unwrap_err();
        assert!(failure.message().contains("status 500") && failure.message().contains("u32"), "{failure}");
    }
}
