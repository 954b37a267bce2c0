//! What the provider, its writer and its alarm share: the queue under its lock, and how to wake
//! each other.
//!
//! Begin with [`Shared::update`], the only way to change the queue.

use std::{
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::{Notify, futures::Notified};

use super::{
    commits::CommitCounter,
    queue::{Offer, Phase, Queue},
    store::Reader,
};
use crate::{clock::Clock, model::Timestamp};

/// How long the alarm trusts its clock at most: the machine may have slept, or been set.
const TRUST: Duration = Duration::from_secs(1);

pub(super) struct Shared {
    queue: Mutex<Queue>,
    alarm: Condvar,
    orchestrations: Notify,
    activities: Notify,
    /// Writes that were asked for, and whose effects the queue has not seen.
    in_flight: AtomicUsize,

    pub(super) commits: CommitCounter,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reader: Box<dyn Reader>,
}

/// Which kind of work a fetch waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Orchestrations,
    Activities,
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>, reader: Box<dyn Reader>) -> Self {
        Self {
            queue: Mutex::default(),
            alarm: Condvar::new(),
            orchestrations: Notify::new(),
            activities: Notify::new(),
            in_flight: AtomicUsize::new(0),

            commits: CommitCounter::default(),
            clock,
            reader,
        }
    }

    /// Changes the queue, and wakes whoever must know.
    pub(super) fn update<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = self.lock();
        let first = queue.next_alarm();
        let answer = change(&mut queue);
        let news = queue.take_news();
        let is_sooner = match (first, queue.next_alarm()) {
            (Some(before), Some(now)) => now < before,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let wakes_alarm = is_sooner || queue.is_closed || self.may_skip(&queue);
        drop(queue);
        if news.orchestrations {
            self.orchestrations.notify_one();
        }
        if news.activities {
            self.activities.notify_one();
        }
        if wakes_alarm {
            self.alarm.notify_one();
        }
        answer
    }

    /// Counts a write that is on its way to the writer.
    pub(super) fn expect_write(&self) {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts writes whose effects the queue has seen. Called within [`update`](Self::update), so
    /// that nobody finds the queue idle before.
    pub(super) fn finish_writes(&self, count: usize) {
        self.in_flight.fetch_sub(count, Ordering::SeqCst);
    }

    pub(super) fn has_writes(&self) -> bool {
        self.in_flight.load(Ordering::SeqCst) > 0
    }

    /// Lets every fetch look again.
    pub(super) fn wake_fetches(&self) {
        self.orchestrations.notify_waiters();
        self.activities.notify_waiters();
    }

    /// Waits until `take` finds something; nothing once work has ended.
    pub(super) async fn fetch<T>(&self, kind: Kind, take: impl Fn(&mut Queue) -> Offer<T>) -> Vec<T> {
        let mut made_for = None;
        loop {
            // Made before the look at the queue: what changes after it is not missed.
            let changed = self.changed(kind);
            let offer = self.update(|queue| {
                let endings = queue.endings();
                if *made_for.get_or_insert(endings) == endings { take(queue) } else { Offer::Over }
            });
            match offer {
                Offer::Items(items) => return items,
                Offer::Over => return Vec::new(),
                Offer::Nothing => changed.await,
            }
        }
    }

    /// Lets what is due happen when it is due, until the queue is closed. Runs on a thread of its own.
    ///
    /// `purge` tells the writer that ended instances are kept no longer.
    pub(super) fn run_alarm(&self, purge: impl Fn()) {
        loop {
            let is_purge_due = self.update(|queue| {
                if queue.phase == Phase::Working {
                    queue.fire_due(self.clock.now());
                }
                // Counted before anybody could find the queue idle.
                let is_purge_due = mem::take(&mut queue.is_purge_due);
                if is_purge_due {
                    self.expect_write();
                }
                is_purge_due
            });
            if is_purge_due {
                purge();
            }
            let queue = self.lock();
            if queue.is_closed {
                return;
            }
            match queue.next_alarm() {
                Some(due) if due <= self.clock.now() || self.skip_to(due, &queue) => {}
                Some(due) => self.sleep_until(due, queue),
                None => drop(self.alarm.wait(queue)),
            }
        }
    }

    /// Moves a clock that can be moved, when nothing else is left to do.
    fn skip_to(&self, due: Timestamp, queue: &Queue) -> bool {
        if !self.is_quiet(queue) {
            return false;
        }
        self.clock.skip_to(due)
    }

    fn sleep_until(&self, due: Timestamp, queue: MutexGuard<'_, Queue>) {
        let delay = due.duration_since(self.clock.now()).min(TRUST);
        drop(self.alarm.wait_timeout(queue, delay));
    }

    fn may_skip(&self, queue: &Queue) -> bool {
        self.clock.can_skip() && queue.next_alarm().is_some() && self.is_quiet(queue)
    }

    /// Whether nothing can happen before the next alarm, and there is one worth going to.
    fn is_quiet(&self, queue: &Queue) -> bool {
        queue.timers.has_more_than_a_purge() && queue.is_idle() && !self.has_writes()
    }

    fn changed(&self, kind: Kind) -> Notified<'_> {
        match kind {
            Kind::Orchestrations => self.orchestrations.notified(),
            Kind::Activities => self.activities.notified(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
