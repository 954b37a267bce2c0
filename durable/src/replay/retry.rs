//! A call that is tried again: one task to user code, several calls and timers to history.
//!
//! Moves on only when user code polls it, one step an event, so that it needs nothing of the session
//! that a hand-written loop of calls and timers would not need. Must not know what a policy decides
//! by. Begin with [`Attempts::poll`].

use std::{
    panic::Location,
    sync::Arc,
    task::{Poll, Waker},
    time::Duration,
};

use super::{
    Callee, Handle,
    journal::{Completion, Key, TaskKind},
    shared::Shared,
};
use crate::{
    history::{EventId, EventKind},
    model::{Failure, FailureKind, RetryPolicy, Timestamp},
};

/// What is called, and how often.
#[derive(Debug)]
pub(super) struct Retried {
    pub(super) callee: Callee,
    pub(super) policy: RetryPolicy,
    /// How long one attempt may take.
    pub(super) timeout: Option<Duration>,
    /// The line of the call: later attempts are asked for on its behalf.
    pub(super) location: &'static Location<'static>,
}

/// The attempts of one call so far.
#[derive(Debug)]
pub(super) struct Attempts {
    handle: Handle,
    call: Retried,
    began: Timestamp,
    /// The number of the attempt that runs, or that has just failed; 1 is the first call.
    attempt: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Running {
        call: Asked,
        deadline: Option<Asked>,
    },
    /// Waits for the time of the next attempt.
    Resting(Asked),
}

/// Something asked for. Dropped before its result was observed, it is released like a task.
#[derive(Debug)]
struct Asked {
    shared: Arc<Shared>,
    id: EventId,
}

impl Asked {
    fn poll(&self, waker: &Waker) -> Poll<Completion> {
        self.shared.poll(Key::Task(self.id), waker)
    }

    /// How many tasks had got a result before this one; `None` while it has none.
    fn order(&self) -> Option<u64> {
        self.shared.journal().peek(self.id).map(|(_, order)| order)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.shared.release(Key::Task(self.id));
    }
}

impl Attempts {
    /// Makes the first attempt; `None` when the session is gone.
    pub(super) fn begin(handle: Handle, call: Retried) -> Option<Self> {
        let began = handle.now();
        let phase = run(&handle, &call)?;
        Some(Self { handle, call, began, attempt: 1, phase })
    }

    /// Takes what came, and asks for the next wait or attempt if there is to be one.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Completion> {
        loop {
            let next = match &self.phase {
                Phase::Running { call, deadline } => {
                    let Poll::Ready(completion) = self.poll_running(call, deadline.as_ref(), waker) else {
                        return Poll::Pending;
                    };
                    let failure = match completion {
                        Ok(result) => return Poll::Ready(Ok(result)),
                        Err(failure) => failure,
                    };
                    match self.next_delay(&failure) {
                        Some(Duration::ZERO) => self.run_again(),
                        Some(delay) => self.rest(delay),
                        None => return Poll::Ready(Err(failure)),
                    }
                }
                Phase::Resting(timer) => {
                    std::task::ready!(timer.poll(waker)).ok();
                    self.run_again()
                }
            };
            // Only a session that is gone takes no more calls: its tasks never complete.
            let Some(next) = next else { return Poll::Pending };
            self.phase = next;
        }
    }

    /// Whether a poll would give the result. Observes nothing.
    pub(super) fn is_completed(&self) -> bool {
        let Phase::Running { call, deadline } = &self.phase else { return false };
        if deadline.as_ref().is_some_and(|deadline| came_first(deadline, call)) {
            return !self.is_to_be_retried(&self.timed_out());
        }
        let completion = self.shared().journal().peek(call.id).map(|(completion, _)| completion.clone());
        match completion {
            Some(Ok(_)) => true,
            // Out of the lock: the predicate is user code.
            Some(Err(failure)) => !self.is_to_be_retried(&failure),
            None => false,
        }
    }

    /// What came first decides, however late somebody looks.
    fn poll_running(&self, call: &Asked, deadline: Option<&Asked>, waker: &Waker) -> Poll<Completion> {
        let Some(deadline) = deadline else { return call.poll(waker) };
        if call.order().is_some() && !came_first(deadline, call) {
            return call.poll(waker);
        }
        if deadline.poll(waker).is_ready() {
            return Poll::Ready(Err(self.timed_out()));
        }
        call.poll(waker)
    }

    fn is_to_be_retried(&self, failure: &Failure) -> bool {
        let (attempt, policy) = (self.attempt, &self.call.policy);
        policy.next_delay(attempt, self.elapsed(), 0).is_some() && policy.allows(failure, attempt)
    }

    fn next_delay(&self, failure: &Failure) -> Option<Duration> {
        if !self.is_to_be_retried(failure) {
            return None;
        }
        let draw = if self.call.policy.has_jitter() { self.handle.random() } else { 0 };
        self.call.policy.next_delay(self.attempt, self.elapsed(), draw)
    }

    fn elapsed(&self) -> Duration {
        self.handle.now().duration_since(self.began)
    }

    fn rest(&self, delay: Duration) -> Option<Phase> {
        timer(&self.handle, delay, self.call.location).map(Phase::Resting)
    }

    fn run_again(&mut self) -> Option<Phase> {
        self.attempt = self.attempt.saturating_add(1);
        run(&self.handle, &self.call)
    }

    fn timed_out(&self) -> Failure {
        let Retried { callee, timeout, .. } = &self.call;
        let message = format!(
            "no result within {:?}, the timeout of the call; what was called may still be running, and its result \
             will be ignored",
            timeout.unwrap_or_default()
        );
        Failure::of_kind(FailureKind::TimedOut, "CallTimedOut", message).in_function(callee.name())
    }

    fn shared(&self) -> &Arc<Shared> {
        self.handle.shared()
    }
}

fn came_first(deadline: &Asked, call: &Asked) -> bool {
    match (deadline.order(), call.order()) {
        (Some(deadline), Some(call)) => deadline < call,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

fn run(handle: &Handle, call: &Retried) -> Option<Phase> {
    let id = handle.call_at(call.callee.clone(), call.location)?;
    let asked = Asked { shared: handle.shared().clone(), id };
    let deadline = match call.timeout {
        Some(timeout) => Some(timer(handle, timeout, call.location)?),
        None => None,
    };
    Some(Phase::Running { call: asked, deadline })
}

fn timer(handle: &Handle, delay: Duration, location: &'static Location<'static>) -> Option<Asked> {
    let fire_at = handle.now().saturating_add(delay);
    let id = handle.ask_at(TaskKind::Timer, EventKind::TimerCreated { fire_at }, location)?;
    Some(Asked { shared: handle.shared().clone(), id })
}
