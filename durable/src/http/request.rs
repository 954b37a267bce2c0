//! One HTTP request, as history keeps it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Headers, HttpCall, location};
use crate::model::{Failure, FailureKind, NotStorable, Payload, RetryPolicy};

/// One HTTP request: `HttpRequest::get("https://example.org/status")` (R2:HTTP-15, HTTP-17).
///
/// All of it is stored in history, its address and its headers too; what proves who asks is named by
/// [`token`](Self::token) and got when the request is sent (R2:HTTP-25). Bodies are text: what is binary
/// or large belongs into an activity with an HTTP library of your own (R2:HTTP-29 to HTTP-31).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[must_use = "a request is not sent before `ctx.call_http(..)`"]
pub struct HttpRequest {
    method: String,
    uri: String,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_source: Option<TokenReference>,
}

/// Where the token of a request comes from: never the token itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenReference {
    /// The name under which the worker knows the token source.
    #[serde(rename = "kind")]
    pub source: String,
    /// What the token is for, in the words of that source: a resource, a scope, a user.
    pub resource: String,
}

impl HttpRequest {
    /// A request by any method. `uri` is absolute, `http` or `https`; that is checked by the verb.
    pub fn new(method: impl Into<String>, uri: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            uri: uri.into(),
            headers: Headers::default(),
            content: None,
            token_source: None,
        }
    }

    /// A `GET`.
    pub fn get(uri: impl Into<String>) -> Self {
        Self::new("GET", uri)
    }

    /// A `POST`.
    pub fn post(uri: impl Into<String>) -> Self {
        Self::new("POST", uri)
    }

    /// A `PUT`.
    pub fn put(uri: impl Into<String>) -> Self {
        Self::new("PUT", uri)
    }

    /// A `DELETE`.
    pub fn delete(uri: impl Into<String>) -> Self {
        Self::new("DELETE", uri)
    }

    /// Sets a header field. It is stored: no place for a secret (R2:SER-7).
    pub fn header(mut self, name: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// Sends this text as the body.
    pub fn content(mut self, text: impl Into<String>) -> Self {
        self.content = Some(text.into());
        self
    }

    /// Sends `value` as a JSON body, with its content type.
    ///
    /// # Errors
    /// When the value cannot be written as JSON.
    pub fn json(self, value: &impl Serialize) -> Result<Self, NotStorable> {
        let payload = Payload::of(value)?;
        Ok(self.header("content-type", "application/json").content(payload.as_json()))
    }

    /// Sends a bearer token for `resource`, which the worker's token source `source` gives when the
    /// request is sent, and anew for each poll and attempt. History keeps these two names alone
    /// (R2:HTTP-23 to HTTP-26).
    pub fn token(mut self, source: impl Into<String>, resource: impl Into<String>) -> Self {
        self.token_source = Some(TokenReference { source: source.into(), resource: resource.into() });
        self
    }

    /// See [`HttpCall::retry`].
    pub fn retry(self, policy: RetryPolicy) -> HttpCall {
        HttpCall::from(self).retry(policy)
    }

    /// See [`HttpCall::timeout`].
    pub fn timeout(self, duration: Duration) -> HttpCall {
        HttpCall::from(self).timeout(duration)
    }

    /// See [`HttpCall::poll_every`].
    pub fn poll_every(self, interval: Duration) -> HttpCall {
        HttpCall::from(self).poll_every(interval)
    }

    /// See [`HttpCall::without_polling`].
    pub fn without_polling(self) -> HttpCall {
        HttpCall::from(self).without_polling()
    }

    /// The method.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Where it is sent.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Its header fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Its body.
    pub fn body(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Where its token comes from.
    pub fn token_source(&self) -> Option<&TokenReference> {
        self.token_source.as_ref()
    }

    /// The question after an answer that named `uri`: with the same headers, but for those that speak
    /// of the body, the host, or a function's key (R1:ORCH-40). Another host, port or scheme gets no
    /// credentials.
    pub(super) fn poll_at(&self, uri: String) -> Self {
        let is_same_place = location::origin(&uri) == location::origin(&self.uri);
        let mut headers = self.headers.clone();
        headers.retain(|name| {
            let is_about_body = name.starts_with("content-") || name == "transfer-encoding";
            let is_foreign = super::headers::is_credential(name) && !is_same_place;
            !(is_about_body || is_foreign || name == "host" || name == "x-functions-key")
        });
        let token_source = self.token_source.clone().filter(|_| is_same_place);
        Self { headers, token_source, ..Self::get(uri) }
    }

    /// Refuses what no client could send.
    ///
    /// # Errors
    /// Names the part that is wrong.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let wrong = |what: String| {
            let failure = Failure::of_kind(FailureKind::Application, "InvalidHttpRequest", what);
            Err(failure.non_retriable())
        };
        if !is_token(&self.method) {
            return wrong(format!("`{}` is not an HTTP method", self.method.escape_debug()));
        }
        if location::origin(&self.uri).is_none() {
            let uri = self.uri.escape_debug();
            return wrong(format!("`{uri}` cannot be asked by HTTP: write it like `https://host/path`"));
        }
        match self.headers.iter().find(|(name, value)| !is_token(name) || value.contains(['\r', '\n', '\0']))
        {
            Some((name, _)) => wrong(format!(
                "the header `{}` cannot be sent: its name is letters, digits and dashes, its value one line",
                name.escape_debug()
            )),
            None => Ok(()),
        }
    }
}

/// Whether the text is a token in the grammar of HTTP.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Method and address, without the query: that may hold keys.
impl fmt::Display for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.uri.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{} {address}", self.method)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("request", &self.to_string())
            .field("headers", &self.headers)
            .field("content", &self.content)
            .field("token_source", &self.token_source)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R2:HTTP-17, R2:HTTP-27, R2:HTTP-32
    #[test]
    fn a_request_is_stored_in_the_form_of_the_field() {
        let request = HttpRequest::post("https://a.org/b")
            .header("Accept", "*/*")
            .content("{}")
            .token("AzureManagedIdentity", "https://management.core.windows.net/.default");
        let stored = Payload::of(&request).unwrap();
        assert_eq!(
            stored.as_json(),
            r#"{"method":"POST","uri":"https://a.org/b","headers":{"accept":"*/*"},"content":"{}","tokenSource":{"kind":"AzureManagedIdentity","resource":"https://management.core.windows.net/.default"}}"#
        );
        assert_eq!(stored.read::<HttpRequest>().unwrap(), request);
    }

    #[test]
    fn what_no_client_could_send_is_refused() {
        assert!(HttpRequest::get("https://a.org").check().is_ok());
        for (request, part) in [
            (HttpRequest::new("GET it", "https://a.org"), "method"),
            (HttpRequest::get("/status"), "https://host"),
            (HttpRequest::get("file:///etc/passwd"), "https://host"),
            (HttpRequest::get("http://"), "https://host"),
            (HttpRequest::get("http://a.org/a b"), "https://host"),
            (HttpRequest::get("https://a.org").header("x", "1\r\ny: 2"), "header"),
            (HttpRequest::get("https://a.org").header("x y", "1"), "header"),
        ] {
            let failure = request.check().unwrap_err();
            assert!(failure.message().contains(part) && !failure.is_retriable(), "{failure}");
        }
    }

    #[test]
    fn a_message_shows_no_query() {
        assert_eq!(HttpRequest::get("https://a.org/b?code=secret").to_string(), "GET https://a.org/b");
    }

    // R1:ORCH-40
    #[test]
    fn a_poll_keeps_headers_and_token_but_gives_credentials_to_no_other_host() {
        let request = HttpRequest::post("https://a.org/start")
            .header("Authorization", "mine")
            .header("X-Functions-Key", "key")
            .header("Content-Type", "text/plain")
            .header("Accept", "*/*")
            .content("x")
            .token("t", "r");
        let near = request.poll_at("https://A.org:443/status".into());
        assert_eq!((near.method(), near.body()), ("GET", None));
        assert_eq!(near.headers().iter().collect::<Vec<_>>(), [("accept", "*/*"), ("authorization", "mine")]);
        assert!(near.token_source().is_some());
        for foreign in ["https://b.org/status", "http://a.org/status", "https://a.org:8443/status"] {
            let far = request.poll_at(foreign.into());
            assert_eq!(far.headers().iter().collect::<Vec<_>>(), [("accept", "*/*")], "{foreign}");
            assert_eq!(far.token_source(), None);
        }
    }
}
