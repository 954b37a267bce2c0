//! The future behind every durable call.

use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::future::FusedFuture;

use super::{
    journal::{Completion, Key},
    retry::Attempts,
    shared::Shared,
};
use crate::model::{
    EntityId, EventName, Failure, FailureKind, FunctionName, NotStorable, OperationName, Payload, Storable,
};

/// The result of a durable call, to be awaited now or later.
///
/// The call was scheduled when the task was made; awaiting only waits. A task may be raced several
/// times by `&mut task`, and asked with [`is_completed`](Self::is_completed). After its result was
/// taken it stays pending for ever, like any fused future.
///
/// A call with a retry policy is one task: it asks for the next wait or attempt when it is polled.
///
/// Dropping it cancels a timer, the wait for the next attempt and a call's time limit included,
/// withdraws a wait for an event or for locks, and lets an activity, a sub-orchestration or an operation
/// go on unheard (DECISIONS 8).
#[must_use = "the call is scheduled, but nobody will see its result or its failure"]
pub struct Task<T> {
    state: State,
    output: PhantomData<fn() -> T>,
}

enum State {
    Waiting {
        shared: Arc<Shared>,
        key: Key,
        subject: Subject,
    },
    /// Called, and maybe to be called again.
    Retrying {
        attempts: Box<Attempts>,
        subject: Subject,
    },
    /// Refused at the call: nothing was scheduled.
    Refused(Failure),
    /// Asked of a session that is gone: never completes, and has no effect.
    Inert,
    Taken,
}

/// What a message about a result names.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Activity(FunctionName),
    Orchestration(FunctionName),
    Event(EventName),
    Operation(EntityId, OperationName),
    Locks,
    Timer,
}

impl<T> Task<T> {
    pub(super) fn waiting(shared: Arc<Shared>, key: Key, subject: Subject) -> Self {
        Self { state: State::Waiting { shared, key, subject }, output: PhantomData }
    }

    pub(super) fn retrying(attempts: Attempts, subject: Subject) -> Self {
        Self { state: State::Retrying { attempts: Box::new(attempts), subject }, output: PhantomData }
    }

    /// A task that fails as soon as it is awaited: what was asked could not be recorded.
    pub(crate) fn refused(failure: Failure) -> Self {
        Self { state: State::Refused(failure), output: PhantomData }
    }

    pub(super) fn inert() -> Self {
        Self { state: State::Inert, output: PhantomData }
    }

    /// Whether the result is there: awaiting the task would not wait. Also true after it was taken.
    pub fn is_completed(&self) -> bool {
        match &self.state {
            State::Waiting { shared, key, .. } => shared.journal().is_done(*key),
            State::Retrying { attempts, .. } => attempts.is_completed(),
            State::Refused(_) | State::Taken => true,
            State::Inert => false,
        }
    }
}

impl<T: Storable> Task<T> {
    /// The attempts are out of the task meanwhile: when the user's predicate panics they are dropped, and
    /// the task stays pending for ever.
    fn poll_retrying(&mut self, waker: &Waker) -> Poll<Result<T, Failure>> {
        let State::Retrying { mut attempts, subject } = std::mem::replace(&mut self.state, State::Taken)
        else {
            return Poll::Pending;
        };
        match attempts.poll(waker) {
            Poll::Ready(completion) => Poll::Ready(read(completion, &subject)),
            Poll::Pending => {
                self.state = State::Retrying { attempts, subject };
                Poll::Pending
            }
        }
    }
}

impl<T: Storable> Future for Task<T> {
    type Output = Result<T, Failure>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match &this.state {
            State::Waiting { shared, key, .. } => {
                let Poll::Ready(completion) = shared.poll(*key, cx.waker()) else { return Poll::Pending };
                let State::Waiting { subject, .. } = std::mem::replace(&mut this.state, State::Taken) else {
                    return Poll::Pending;
                };
                Poll::Ready(read(completion, &subject))
            }
            State::Retrying { .. } => this.poll_retrying(cx.waker()),
            State::Refused(_) => match std::mem::replace(&mut this.state, State::Taken) {
                State::Refused(failure) => Poll::Ready(Err(failure)),
                _ => Poll::Pending,
            },
            State::Inert | State::Taken => Poll::Pending,
        }
    }
}

impl<T: Storable> FusedFuture for Task<T> {
    fn is_terminated(&self) -> bool {
        matches!(self.state, State::Taken)
    }
}

/// Reads a recorded result; one that does not fit fails the await with a message that names the
/// function or event and the type (DECISIONS 21, R1:EVT-6).
fn read<T: Storable>(completion: Completion, subject: &Subject) -> Result<T, Failure> {
    let payload = completion?;
    let is_event = matches!(subject, Subject::Event(_));
    T::decode(&payload)
        .or_else(|error| if is_event { read_scalar(&payload, error) } else { Err(error) })
        .map_err(|error| {
            let what = match subject {
                Subject::Activity(name) => format!("the result of activity `{name}`"),
                Subject::Orchestration(name) => format!("the output of sub-orchestration `{name}`"),
                Subject::Event(name) => format!("the data of event `{name}`"),
                Subject::Operation(entity, operation) => {
                    format!("the result of operation `{}` of `{entity}`", operation.as_str())
                }
                Subject::Locks => "the answer to a request for locks".to_owned(),
                Subject::Timer => "the result of a timer".to_owned(),
            };
            let expected = std::any::type_name::<T>();
            Failure::of_kind(
                FailureKind::Payload,
                "PayloadMismatch",
                format!("{what} cannot be read as `{expected}`: {error}"),
            )
        })
}

/// A JSON string that holds a bool or a number is taken where one of these is expected (DECISIONS 6).
fn read_scalar<T: Storable>(payload: &Payload, error: NotStorable) -> Result<T, NotStorable> {
    let Ok(text) = payload.read::<String>() else { return Err(error) };
    match Payload::from_json(text) {
        Ok(inner) if !inner.as_json().starts_with(['"', '[', '{', 'n']) => {
            T::decode(&inner).map_err(|_| error)
        }
        _ => Err(error),
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let State::Waiting { shared, key, .. } = &self.state {
            shared.release(*key);
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Waiting { subject, .. } | State::Retrying { subject, .. } => {
                return write!(f, "Task({subject:?})");
            }
            State::Refused(_) => "refused",
            State::Inert => "inert",
            State::Taken => "taken",
        };
        write!(f, "Task({state})")
    }
}
