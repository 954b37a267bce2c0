//! Waiting no longer than so long: any future, and external events.
//!
//! Built from a durable timer and from nothing else of the engine's. Begin with [`Timeout`].

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::future::FusedFuture;

use super::OrchestrationContext;
use crate::{
    call::Event,
    model::{EventName, Failure, FailureKind, Storable},
    replay::Task,
};

impl OrchestrationContext {
    /// Gives `future` `duration` of durable time from now on (R1:TMR-9).
    ///
    /// Whichever loses is dropped at once: the timer is cancelled; of the future, its timers are
    /// cancelled and its event waits withdrawn, while activities go on unheard and still hold back the
    /// end of the orchestration (R1:TMR-10, TMR-12). When both are ready, the future wins.
    ///
    /// ```
    /// use std::time::Duration;
    /// use durable::prelude::*;
    ///
    /// #[activity]
    /// async fn get_quote() -> u32 { 42 }
    ///
    /// #[orchestrator]
    /// async fn try_get_quote(ctx: OrchestrationContext) -> Result<bool, Failure> {
    ///     let quote = ctx.call(get_quote::with());
    ///     Ok(ctx.timeout(Duration::from_secs(30), quote).await.is_ok())
    /// }
    /// ```
    ///
    /// `ctx.timeout(limit, ctx.call(..)).await??` fails with what came, or because nothing came.
    #[track_caller]
    pub fn timeout<F: Future>(&self, duration: Duration, future: F) -> Timeout<F> {
        Timeout::new(self.sleep(duration), duration, future)
    }

    /// Waits for an external event, but no longer than `duration` of durable time.
    ///
    /// # Errors
    /// With kind `TimedOut` when it has not come by then; with kind `Payload` when its data is not a
    /// `T` (R1:EVT-6). An event that comes later is kept for the next wait (R1:EVT-10).
    #[track_caller]
    pub fn wait_for_within<T: Storable>(
        &self,
        event: impl Into<Event<T>>,
        duration: Duration,
    ) -> WaitWithin<T> {
        self.wait_within(event.into(), duration, None)
    }

    /// Waits for an external event, and gives `default` when it has not come within `duration` of
    /// durable time. An event that comes later is kept for the next wait (R1:EVT-10).
    ///
    /// # Errors
    /// With kind `Payload` when the event's data is not a `T` (R1:EVT-6).
    #[track_caller]
    pub fn wait_for_or<T: Storable>(
        &self,
        event: impl Into<Event<T>>,
        duration: Duration,
        default: T,
    ) -> WaitWithin<T> {
        self.wait_within(event.into(), duration, Some(default))
    }

    #[track_caller]
    fn wait_within<T: Storable>(
        &self,
        event: Event<T>,
        duration: Duration,
        default: Option<T>,
    ) -> WaitWithin<T> {
        let name = event.name().clone();
        let waiting = self.wait_for(event);
        WaitWithin { inner: self.timeout(duration, waiting), name, default }
    }
}

/// The time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not done within {duration:?}")]
pub struct Elapsed {
    duration: Duration,
}

impl Elapsed {
    /// How long it had.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl From<Elapsed> for Failure {
    fn from(elapsed: Elapsed) -> Self {
        Self::of_kind(FailureKind::TimedOut, "Elapsed", elapsed.to_string())
    }
}

/// What `ctx.timeout(..)` gives: the future's output, or [`Elapsed`]. May be raced by `&mut`.
#[must_use = "the timer runs, but nobody waits"]
pub struct Timeout<F> {
    /// Both, until one has won. The loser is dropped before the winner's result is given.
    racing: Option<(Pin<Box<F>>, Task<()>)>,
    duration: Duration,
}

impl<F: Future> Timeout<F> {
    pub(super) fn new(timer: Task<()>, duration: Duration, future: F) -> Self {
        Self { racing: Some((Box::pin(future), timer)), duration }
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some((future, timer)) = &mut this.racing else { return Poll::Pending };
        let result = match future.as_mut().poll(cx) {
            Poll::Ready(output) => Ok(output),
            Poll::Pending => {
                // A timer brings nothing that could fail to be read.
                let _fired = ready!(Pin::new(timer).poll(cx));
                Err(Elapsed { duration: this.duration })
            }
        };
        this.racing = None;
        Poll::Ready(result)
    }
}

impl<F: Future> FusedFuture for Timeout<F> {
    fn is_terminated(&self) -> bool {
        self.racing.is_none()
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("duration", &self.duration).finish_non_exhaustive()
    }
}

/// What `ctx.wait_for_within(..)` and `ctx.wait_for_or(..)` give. May be raced by `&mut`.
#[must_use = "the timer runs, but nobody waits"]
pub struct WaitWithin<T> {
    inner: Timeout<Task<T>>,
    name: EventName,
    default: Option<T>,
}

// Nothing in it is pinned in place.
impl<T> Unpin for WaitWithin<T> {}

impl<T: Storable> Future for WaitWithin<T> {
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let result = ready!(Pin::new(&mut this.inner).poll(cx));
        Poll::Ready(result.unwrap_or_else(|elapsed| {
            this.default.take().ok_or_else(|| {
                let message = format!("event `{}` did not come within {:?}", this.name, elapsed.duration);
                Failure::of_kind(FailureKind::TimedOut, "Elapsed", message)
            })
        }))
    }
}

impl<T: Storable> FusedFuture for WaitWithin<T> {
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

impl<T> fmt::Debug for WaitWithin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitWithin").field("event", &self.name).field("inner", &self.inner).finish()
    }
}
