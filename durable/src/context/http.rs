//! `ctx.call_http(..)`: a request as activities and timers.
//!
//! An ordinary future over the engine's tasks: it replays as a loop written by hand would. What it
//! decides by is `http/call.rs`. Begin with [`Performing::run`].

use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{
    FutureExt,
    future::{BoxFuture, FusedFuture},
};

use super::{OrchestrationContext, timeout::Timeout};
use crate::{
    http::{HTTP_ACTIVITY, HttpCall, HttpRequest, HttpResponse},
    model::{Failure, FailureKind, Payload, Timestamp},
    replay::{Callee, Handle, Task},
};

impl OrchestrationContext {
    /// Sends an HTTP request and gives what came back, whatever its status (R1:ORCH-39, R2:HTTP-15 to
    /// HTTP-18): `ctx.call_http(HttpRequest::get("https://example.org/status"))`.
    ///
    /// The request is scheduled now, as a call of the built-in activity `BuiltIn::HttpActivity`; request
    /// and response are stored, tokens never. A 202 with a `Location` is followed until another answer
    /// comes, with durable timers in between: `Retry-After` if the server says it, else 30 seconds
    /// (R2:HTTP-19 to HTTP-21). Those further steps are made when the task is polled, so one that is
    /// not awaited does not go on.
    ///
    /// # Errors
    /// Awaiting it fails when there is no answer, when the worker has no HTTP client or not the token
    /// source that the request names, and when request or response is larger than `max_payload`.
    #[track_caller]
    pub fn call_http(&self, call: impl Into<HttpCall>) -> HttpTask {
        let (call, location) = (call.into(), Location::caller());
        let steps = Steps { handle: self.handle.clone(), location };
        let first = match steps.ask(call.request()) {
            Ok(first) => first,
            Err(failure) => return HttpTask(Some(std::future::ready(Err(failure)).boxed())),
        };
        let deadline = call.limit().map(|limit| (limit, steps.wait(limit)));
        let shown = call.request().to_string();
        let performing = Performing { steps, call }.run(first);
        HttpTask(Some(match deadline {
            None => performing.boxed(),
            Some((limit, timer)) => async move {
                let in_time = Timeout::new(timer, limit, performing).await;
                in_time.unwrap_or_else(|_| Err(timed_out(&shown, limit)))
            }
            .boxed(),
        }))
    }
}

fn timed_out(request: &str, limit: Duration) -> Failure {
    let message = format!("{request}: no final answer within {limit:?}, the timeout of the call");
    Failure::of_kind(FailureKind::TimedOut, "CallTimedOut", message).in_function(&HTTP_ACTIVITY)
}

/// What a call is made of, asked for on behalf of its line.
struct Steps {
    handle: Handle,
    location: &'static Location<'static>,
}

impl Steps {
    fn ask(&self, request: &HttpRequest) -> Result<Task<HttpResponse>, Failure> {
        let input = request.check().and_then(|()| Ok(Payload::of(request)?));
        let input = input
            .and_then(|input| input.within(self.handle.max_payload(), &format!("the request {request}")));
        match input {
            Ok(input) => Ok(self
                .handle
                .call_for(self.location, Callee::Activity { name: HTTP_ACTIVITY, version: None, input })),
            Err(failure) => Err(failure.in_function(&HTTP_ACTIVITY)),
        }
    }

    fn wait(&self, duration: Duration) -> Task<()> {
        self.handle.timer_for(self.location, self.now().saturating_add(duration))
    }

    fn now(&self) -> Timestamp {
        self.handle.now()
    }
}

/// A call under way.
struct Performing {
    steps: Steps,
    call: HttpCall,
}

impl Performing {
    /// Follows the answers until the last one.
    async fn run(self, first: Task<HttpResponse>) -> Result<HttpResponse, Failure> {
        let mut request = self.call.request().clone();
        let mut answer = self.attempts(&request, first).await?;
        while let Some((wait, next)) = self.call.next_poll(&request, &answer, self.steps.now()) {
            self.steps.wait(wait).await?;
            let task = self.steps.ask(&next)?;
            answer = self.attempts(&next, task).await?;
            request = next;
        }
        Ok(answer)
    }

    /// Asks again as long as the policy says so.
    async fn attempts(
        &self,
        request: &HttpRequest,
        first: Task<HttpResponse>,
    ) -> Result<HttpResponse, Failure> {
        let (began, mut attempt) = (self.steps.now(), 1);
        let mut outcome = first.await;
        while let Some(delay) = self.next_delay(request, &outcome, attempt, began) {
            if delay > Duration::ZERO {
                self.steps.wait(delay).await?;
            }
            attempt = attempt.saturating_add(1);
            outcome = self.steps.ask(request)?.await;
        }
        outcome
    }

    fn next_delay(
        &self,
        request: &HttpRequest,
        outcome: &Result<HttpResponse, Failure>,
        attempt: u32,
        began: Timestamp,
    ) -> Option<Duration> {
        let policy = self.call.policy()?;
        let failure = self.call.to_be_retried(request, outcome)?;
        let (now, elapsed) = (self.steps.now(), self.steps.now().duration_since(began));
        let is_last = policy.next_delay(attempt, elapsed, 0).is_none();
        if is_last || !policy.allows(&failure, attempt) {
            return None;
        }
        let draw = if policy.has_jitter() { self.steps.handle.random() } else { 0 };
        let delay = policy.next_delay(attempt, elapsed, draw)?;
        let asked = outcome.as_ref().ok().and_then(|answer| answer.retry_after(now));
        Some(delay.max(asked.unwrap_or_default()))
    }
}

/// The response of an HTTP call, to be awaited now or later. May be raced by `&mut`.
///
/// Dropping it ends the polling; a request that is under way is still sent.
#[must_use = "the request is sent, but nobody will see the response"]
pub struct HttpTask(Option<BoxFuture<'static, Result<HttpResponse, Failure>>>);

impl Future for HttpTask {
    type Output = Result<HttpResponse, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(performing) = &mut self.0 else { return Poll::Pending };
        let result = ready!(performing.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(result)
    }
}

impl FusedFuture for HttpTask {
    fn is_terminated(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Debug for HttpTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "HttpTask" } else { "HttpTask(taken)" })
    }
}
