//! What a session and the handles it gave out share: the journal behind its lock, and the waker of
//! the root future.
//!
//! The only place that calls wakers, and never under the lock.

use std::{
    fmt,
    panic::Location,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Poll, Wake, Waker},
};

use super::{
    SessionOptions,
    journal::{Completion, Journal, Key},
    mismatch,
};
use crate::history::ExecutionStarted;

/// The shared part of one loaded session.
pub(super) struct Shared {
    pub(super) started: Arc<ExecutionStarted>,
    pub(super) options: SessionOptions,
    journal: Mutex<Journal>,
    /// The thread that is resuming the session now; 0 when none is.
    resuming: AtomicUsize,
    is_woken: AtomicBool,
    /// Something other than the history woke the orchestrator.
    is_foreign: AtomicBool,
    /// The session was unloaded: handles and wakers that outlive it do nothing.
    is_dead: AtomicBool,
}

/// How a handle may be used right now.
pub(super) enum Access {
    /// Its session is being polled, on this thread.
    Usable,
    /// Its session was unloaded: whatever is asked has no effect.
    Dead,
}

thread_local! {
    static THREAD_MARK: u8 = const { 0 };
}

/// A number that no two living threads share; never 0.
fn this_thread() -> usize {
    THREAD_MARK.with(|mark| std::ptr::from_ref(mark).addr())
}

impl Shared {
    pub(super) fn new(started: Arc<ExecutionStarted>, options: SessionOptions) -> Self {
        Self {
            started,
            options,
            journal: Mutex::new(Journal::new()),
            resuming: AtomicUsize::new(0),
            is_woken: AtomicBool::new(false),
            is_foreign: AtomicBool::new(false),
            is_dead: AtomicBool::new(false),
        }
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks this thread as the one that resumes the session, until the guard is dropped.
    pub(super) fn resume(&self) -> Resuming<'_> {
        self.resuming.store(this_thread(), Ordering::Release);
        Resuming(self)
    }

    pub(super) fn request_poll(&self) {
        self.is_woken.store(true, Ordering::Relaxed);
    }

    pub(super) fn take_woken(&self) -> bool {
        self.is_woken.swap(false, Ordering::Relaxed)
    }

    pub(super) fn was_woken_from_outside(&self) -> bool {
        self.is_foreign.load(Ordering::Acquire)
    }

    pub(super) fn die(&self) {
        self.is_dead.store(true, Ordering::Release);
    }

    /// Whether a handle may be used here and now. Used elsewhere, the execution fails (replay rule 1).
    pub(super) fn access(&self, location: Option<&'static Location<'static>>) -> Access {
        if self.resuming.load(Ordering::Acquire) == this_thread() && !self.is_dead.load(Ordering::Acquire) {
            return Access::Usable;
        }
        if !self.is_dead.load(Ordering::Acquire) {
            self.journal().fail(|| mismatch::used_outside(&self.started.name, location));
            self.report_foreign_use();
        }
        Access::Dead
    }

    fn report_foreign_use(&self) {
        if !self.is_foreign.swap(true, Ordering::AcqRel)
            && let Some(hook) = &self.options.on_foreign_wake
        {
            hook(&self.started.instance);
        }
    }

    pub(super) fn poll(&self, key: Key, waker: &Waker) -> Poll<Completion> {
        if let Access::Dead = self.access(None) {
            return Poll::Pending;
        }
        {
            let mut journal = self.journal();
            if let Some(result) = journal.observe(key) {
                return Poll::Ready(result);
            }
            if journal.holds(key, waker) {
                return Poll::Pending;
            }
        }
        let waker = waker.clone();
        let old = self.journal().arm(key, waker);
        drop(old);
        Poll::Pending
    }

    /// User code dropped a handle. Without effect once the session is unloaded.
    pub(super) fn release(&self, key: Key) {
        if let Access::Usable = self.access(None) {
            let handover = self.journal().release(key);
            if let Some(waker) = handover.wake {
                waker.wake();
            }
            drop(handover.discard);
        }
    }
}

/// While it lives, the session is being resumed on this thread.
pub(super) struct Resuming<'a>(&'a Shared);

impl Drop for Resuming<'_> {
    fn drop(&mut self) {
        self.0.resuming.store(0, Ordering::Release);
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.is_dead.load(Ordering::Acquire) {
            return;
        }
        if self.resuming.load(Ordering::Acquire) == this_thread() {
            self.request_poll();
        } else {
            self.report_foreign_use();
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("instance", &self.started.instance).finish_non_exhaustive()
    }
}
