//! Broken engines, to see that the fuzzer notices: each does one thing wrong while it runs live, or
//! always, by standing between the engine and the program.
//!
//! Nothing here is part of the engine; begin with [`Mutant`].

use std::{
    mem,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use durable::{
    model::{EventName, Failure, Payload},
    replay::Task,
};
use futures::future::BoxFuture;

use super::program::Program;

/// What is broken (replay.md, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Nothing, although everything goes through the same wrappers: the control.
    Nothing,
    /// Every live resume polls once more than it must.
    SpuriousPolls,
    /// One live resume of a program polls once more, and nobody counts it.
    OneSpuriousPoll,
    /// Every seventh wake is lost.
    WakeSkipped,
    /// Every ninth message is recorded, but not applied to the live session.
    EventDropped,
    /// The messages of one episode are all applied before the orchestrator is polled.
    BatchBeforePolling,
    /// A task remembers the first waker it was polled with, and ignores all others.
    FirstWakerKept,
    /// A wake within a poll is forgotten.
    NoSelfWakeLoop,
    /// What an end owes is not sent.
    LocksKeptAtTheEnd,
    /// Locks that the program gives up are not released.
    UnlocksForgotten,
    /// A request that is taken back is followed by releases to all its entities at once.
    WithdrawalsOvertake,
}

/// The event that ends each episode of [`Mutant::BatchBeforePolling`] and its control.
pub(super) const FLUSH: EventName = EventName::literal("flush");

/// The program's root future, with the mutant around it.
pub(super) struct Tampered {
    program: Arc<Program>,
    mutant: Mutant,
    root: BoxFuture<'static, Result<Payload, Failure>>,
    relay: Arc<Relay>,
    flush: Task<u64>,
    polls: usize,
    owes_poll: bool,
}

/// The waker that the program sees.
#[derive(Debug)]
struct Relay {
    outer: Mutex<Waker>,
    is_woken: AtomicBool,
    is_polling: AtomicBool,
    is_deferring: AtomicBool,
    drops_self_wakes: bool,
    skips_wakes: bool,
    wakes: AtomicUsize,
}

impl Wake for Relay {
    fn wake(self: Arc<Self>) {
        if self.drops_self_wakes && self.is_polling.load(Ordering::Relaxed) {
            return;
        }
        if self.skips_wakes && self.wakes.fetch_add(1, Ordering::Relaxed) % 7 == 6 {
            return;
        }
        self.is_woken.store(true, Ordering::Relaxed);
        if !self.is_deferring.load(Ordering::Relaxed) {
            let outer = self.outer.lock().unwrap().clone();
            outer.wake();
        }
    }
}

impl Tampered {
    pub(super) fn new(
        program: Arc<Program>,
        mutant: Mutant,
        root: BoxFuture<'static, Result<Payload, Failure>>,
    ) -> Self {
        let relay = Relay {
            outer: Mutex::new(Waker::noop().clone()),
            is_woken: AtomicBool::new(true),
            is_polling: AtomicBool::new(false),
            is_deferring: AtomicBool::new(false),
            drops_self_wakes: mutant == Mutant::NoSelfWakeLoop,
            skips_wakes: mutant == Mutant::WakeSkipped,
            wakes: AtomicUsize::new(0),
        };
        let flush = program.handle.wait(FLUSH);
        Self { program, mutant, root, relay: Arc::new(relay), flush, polls: 0, owes_poll: false }
    }

    fn is_live(&self) -> bool {
        !self.program.handle.is_replaying()
    }
}

impl Future for Tampered {
    type Output = Result<Payload, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.relay.outer.lock().unwrap().clone_from(cx.waker());
        let mut flushed = false;
        while Pin::new(&mut self.flush).poll(cx).is_ready() {
            flushed = true;
            self.flush = self.program.handle.wait(FLUSH);
        }
        let defers = self.mutant == Mutant::BatchBeforePolling && self.is_live();
        if self.polls > 0 && defers && !flushed {
            return Poll::Pending;
        }
        self.relay.is_deferring.store(false, Ordering::Relaxed);
        let relay = Waker::from(self.relay.clone());
        let mut inner = Context::from_waker(&relay);
        let is_owed = mem::take(&mut self.owes_poll);
        let is_hidden = self.mutant == Mutant::OneSpuriousPoll && self.is_live() && self.polls == 4;
        let mut spurious = usize::from(is_owed) + usize::from(is_hidden);
        loop {
            let is_woken = self.relay.is_woken.swap(false, Ordering::Relaxed);
            if !is_woken && spurious == 0 {
                break;
            }
            spurious -= usize::from(!is_woken);
            self.polls += 1;
            self.relay.is_polling.store(true, Ordering::Relaxed);
            let result = self.root.as_mut().poll(&mut inner);
            self.relay.is_polling.store(false, Ordering::Relaxed);
            if result.is_ready() {
                return result;
            }
        }
        if self.mutant == Mutant::SpuriousPolls && self.is_live() && !is_owed {
            self.owes_poll = true;
            cx.waker().wake_by_ref();
        }
        self.relay.is_deferring.store(defers, Ordering::Relaxed);
        Poll::Pending
    }
}
