//! How a request is performed: how long, how often, and whether an "accepted" is followed.
//!
//! Decides; the loop that acts is `context/http.rs`. Begin with [`HttpCall::next_poll`].

use std::time::Duration;

use super::{HttpRequest, HttpResponse, location};
use crate::model::{Failure, FailureKind, RetryPolicy, Timestamp};

/// A request and how it is performed: `HttpRequest::get(uri).timeout(limit)`.
///
/// Only the requests and responses are stored; how they are performed is the orchestrator's code, as
/// a retry policy is.
#[derive(Debug, Clone)]
#[must_use = "a request is not sent before `ctx.call_http(..)`"]
pub struct HttpCall {
    request: HttpRequest,
    retry: Option<RetryPolicy>,
    retry_statuses: Option<Vec<u16>>,
    timeout: Option<Duration>,
    poll_interval: Option<Duration>,
}

/// How long to wait between polls when the server does not say (DECISIONS 14).
const POLL_INTERVAL: Duration = Duration::from_secs(30);
/// The least wait between polls: a server that says "at once" would fill the history.
const SHORTEST_POLL: Duration = Duration::from_secs(1);

impl From<HttpRequest> for HttpCall {
    fn from(request: HttpRequest) -> Self {
        let poll_interval = Some(POLL_INTERVAL);
        Self { request, retry: None, retry_statuses: None, timeout: None, poll_interval }
    }
}

impl HttpCall {
    /// Sends a request again, as `policy` says, when there is no answer, or one of status 408, 429 or
    /// 500 and more; polls too. A `Retry-After` of the answer makes the wait longer, never shorter. The
    /// last answer is the caller's, whatever its status.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = Some(policy);
        self
    }

    /// Sends a request again on these statuses instead, if it has a retry policy.
    pub fn retry_statuses(mut self, statuses: impl IntoIterator<Item = u16>) -> Self {
        self.retry_statuses = Some(statuses.into_iter().collect());
        self
    }

    /// Gives the whole call `duration` of durable time, its polls and retries included; what takes
    /// longer fails with kind `TimedOut`.
    pub fn timeout(mut self, duration: Duration) -> Self {
        self.timeout = Some(duration);
        self
    }

    /// Waits this long between polls when the server does not say; 30 seconds by default, at least one.
    pub fn poll_every(mut self, interval: Duration) -> Self {
        self.poll_interval = Some(interval);
        self
    }

    /// Gives a 202 to the caller like any other answer.
    pub fn without_polling(mut self) -> Self {
        self.poll_interval = None;
        self
    }

    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    pub(crate) fn limit(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) fn policy(&self) -> Option<&RetryPolicy> {
        self.retry.as_ref()
    }

    /// When and where to ask next, after `asked` got `answer` at `now`; `None` when `answer` is the last
    /// one: any but a 202 with a `Location` that can be asked (R2:HTTP-19, HTTP-20).
    pub(crate) fn next_poll(
        &self,
        asked: &HttpRequest,
        answer: &HttpResponse,
        now: Timestamp,
    ) -> Option<(Duration, HttpRequest)> {
        let interval = self.poll_interval?;
        if answer.status() != 202 {
            return None;
        }
        let uri = location::resolve(asked.uri(), answer.headers().get("location")?)?;
        let wait = answer.retry_after(now).unwrap_or(interval).max(SHORTEST_POLL);
        Some((wait, asked.poll_at(uri)))
    }

    /// The failure that a retry policy is asked about, if `outcome` is one to be tried again.
    pub(crate) fn to_be_retried(
        &self,
        asked: &HttpRequest,
        outcome: &Result<HttpResponse, Failure>,
    ) -> Option<Failure> {
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => return Some(failure.clone()),
        };
        let status = answer.status();
        let is_listed = match &self.retry_statuses {
            Some(statuses) => statuses.contains(&status),
            None => matches!(status, 408 | 429 | 500..),
        };
        let message = format!("{asked} was answered with status {status}");
        is_listed.then(|| Failure::of_kind(FailureKind::Application, "HttpStatus", message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn accepted() -> HttpResponse {
        HttpResponse::new(202).header("location", "status")
    }

    fn wait(call: &HttpCall, answer: &HttpResponse) -> Option<Duration> {
        call.next_poll(call.request(), answer, Timestamp::UNIX_EPOCH).map(|(wait, _)| wait)
    }

    // R2:HTTP-19, R2:HTTP-20; DECISIONS 14
    #[test]
    fn only_a_202_with_a_location_is_polled_when_the_server_says_or_after_30_seconds() {
        let call = HttpCall::from(HttpRequest::post("https://a.org/jobs/1"));
        assert_eq!(wait(&call, &accepted()), Some(30 * SECOND));
        assert_eq!(wait(&call, &accepted().header("retry-after", "7")), Some(7 * SECOND));
        assert_eq!(wait(&call, &accepted().header("retry-after", "0")), Some(SECOND));
        assert_eq!(wait(&call.clone().poll_every(5 * SECOND), &accepted()), Some(5 * SECOND));
        assert_eq!(wait(&call, &HttpResponse::new(202)), None);
        assert_eq!(wait(&call, &HttpResponse::new(202).header("location", "mailto:me")), None);
        assert_eq!(wait(&call, &HttpResponse::new(201).header("location", "x")), None);
        assert_eq!(wait(&call.clone().without_polling(), &accepted()), None);
        let (_, next) = call.next_poll(call.request(), &accepted(), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((next.method(), next.uri()), ("GET", "https://a.org/jobs/status"));
    }

    #[test]
    fn what_may_pass_by_itself_is_tried_again_and_the_list_can_be_another() {
        let call = HttpCall::from(HttpRequest::get("https://a.org"));
        let again = |call: &HttpCall, status| {
            call.to_be_retried(call.request(), &Ok(HttpResponse::new(status))).is_some()
        };
        for status in [408, 429, 500, 503, 599] {
            assert!(again(&call, status), "{status}");
        }
        for status in [200, 202, 400, 404, 409] {
            assert!(!again(&call, status), "{status}");
        }
        let other = call.retry_statuses([409]);
        assert!(again(&other, 409) && !again(&other, 500));
        assert!(other.to_be_retried(other.request(), &Err("no route".into())).is_some());
    }
}
