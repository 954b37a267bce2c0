//! The work of a hub, in memory: which instances have news, which activities wait, what is out.
//!
//! Pure: no store, no clock, no thread; the time comes as an argument. Everything here follows from
//! what is durable (recovery rebuilds it) or can be done again (an activity's result that no
//! checkpoint has consumed). Begin with [`Queue`]; `settle.rs` holds how work comes back.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    mem,
};

use super::{
    rows::{Key, NameNumber, Row, StoredHead},
    timers::{Due, Timers},
    waiters::{Waiter, Waiters},
};
use crate::{
    history::{EventId, EventKind, HistoryEvent, TaskMessage},
    model::{ExecutionId, InstanceId, InstanceState, RuntimeStatus, Timestamp},
    provider::{ActivityWorkItem, CheckpointTag, LockToken, OrchestrationWorkItem, Past},
};

/// All work of a hub that this process works.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) phase: Phase,
    /// Set when nothing will ever change again.
    pub(super) is_closed: bool,
    pub(super) heads: HashMap<Key, Head>,
    pub(super) keys: HashMap<InstanceId, Key>,
    ready: VecDeque<Key>,
    activities: VecDeque<WaitingActivity>,
    pub(super) held: HashMap<LockToken, Held>,
    pub(super) held_activities: HashSet<LockToken>,
    pub(super) timers: Timers,
    /// Whether ended instances are kept no longer, and nobody has been told yet.
    pub(super) is_purge_due: bool,
    pub(super) waiters: Waiters,
    /// Those whose wait is over, to be told by the writer.
    pub(super) met: Vec<Met>,
    /// Stored messages that nobody will consume, to be removed with the next transaction.
    pub(super) leftovers: Vec<Row>,
    last_token: u64,
    /// How often work has ended: a fetch ends with the work for which it was made.
    endings: u64,
    news: News,
}

/// Whether this process works the hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// It never has: the queue is empty, and fetches wait.
    #[default]
    NotBegun,
    Working,
    /// It hands out nothing more, and waits for what is out.
    Ending,
    /// It has stopped: the queue is empty, and fetches find nothing.
    Ended,
}

/// A live instance. Small, because millions may be parked: no history, no input.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: InstanceId,
    pub(super) execution: ExecutionId,
    pub(super) tag: Option<CheckpointTag>,
    pub(super) last: Option<Row>,
    pub(super) sequence: u32,
    pub(super) open: u32,
    pub(super) name: NameNumber,
    pub(super) attempt: u32,
    pub(super) status: RuntimeStatus,
    pub(super) stage: Stage,
    pub(super) inbox: Vec<Delivered>,
}

/// What the queue does with an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is new.
    Resting,
    /// It waits to be fetched.
    Ready,
    /// It must not be handed out before its time.
    Delayed,
    /// It is out.
    Locked,
}

/// A message that has reached its instance.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) message: TaskMessage,
    /// Where it is stored, to be removed by the checkpoint that consumes it.
    pub(super) row: Option<Row>,
}

/// An activity that waits to be fetched.
#[derive(Debug)]
pub(super) struct WaitingActivity {
    pub(super) instance: InstanceId,
    pub(super) execution: ExecutionId,
    pub(super) scheduled: HistoryEvent,
    pub(super) attempt: u32,
}

/// An instance that is out, and where the messages that went with it are stored.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Key,
    pub(super) rows: Vec<Option<Row>>,
}

/// Those whose wait for an instance is over.
#[derive(Debug)]
pub(super) struct Met {
    pub(super) instance: InstanceId,
    /// How it stood then; read from the store when absent.
    pub(super) state: Option<InstanceState>,
    pub(super) waiters: Vec<Waiter>,
}

/// Who must be woken after a change.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct News {
    pub(super) orchestrations: bool,
    pub(super) activities: bool,
}

/// What a fetch finds.
#[derive(Debug)]
pub(super) enum Offer<T> {
    Items(Vec<T>),
    Nothing,
    Over,
}

impl Queue {
    /// Takes over what recovery found, and keeps who waits.
    pub(super) fn begin(&mut self, recovered: Self) {
        let before = mem::replace(self, recovered);
        self.phase = Phase::Working;
        self.waiters = before.waiters;
        self.last_token = before.last_token;
        self.endings = before.endings;
        self.news = News { orchestrations: !self.ready.is_empty(), activities: !self.activities.is_empty() };
    }

    /// Hands out nothing more.
    pub(super) fn end_handing_out(&mut self) {
        self.endings += 1;
        self.phase = match self.phase {
            Phase::Working | Phase::Ending => Phase::Ending,
            Phase::NotBegun | Phase::Ended => Phase::Ended,
        };
    }

    /// How often work has ended.
    pub(super) fn endings(&self) -> u64 {
        self.endings
    }

    /// Forgets all work, and keeps who waits.
    pub(super) fn end(&mut self) {
        let before = mem::take(self);
        self.phase = Phase::Ended;
        self.waiters = before.waiters;
        self.last_token = before.last_token;
        self.endings = before.endings;
        self.is_closed = before.is_closed;
    }

    /// Takes in a live instance with nothing new.
    pub(super) fn add_instance(&mut self, stored: StoredHead) {
        let StoredHead { key, id, execution, status, last, sequence, open, name, .. } = stored;
        self.keys.insert(id.clone(), key);
        let head = Head {
            id,
            execution,
            tag: None,
            last,
            sequence,
            open,
            name,
            attempt: 0,
            status,
            stage: Stage::Resting,
            inbox: Vec::new(),
        };
        self.heads.insert(key, head);
    }

    /// Takes in an instance that has not begun: its first message is `started`, and until the time
    /// it was scheduled for it rests.
    pub(super) fn add_start(&mut self, stored: StoredHead, started: HistoryEvent, now: Timestamp) {
        let (key, instance) = (stored.key, stored.id.clone());
        let execution = Some(stored.execution.clone());
        let starts_at = match &started.kind {
            EventKind::ExecutionStarted(begun) => begun.scheduled_start.filter(|at| *at > now),
            _ => None,
        };
        self.add_instance(stored);
        if let Some(at) = starts_at {
            self.delay(key, at);
        }
        let message = TaskMessage { instance, execution, event: started, visible_at: starts_at };
        self.put_in_inbox(key, Delivered { message, row: None });
    }

    /// Delivers a message to a live instance, now or when it becomes visible. One to an instance
    /// that has ended meanwhile is dropped (DECISIONS 5).
    pub(super) fn deliver(&mut self, key: Key, delivered: Delivered, now: Timestamp) {
        match delivered.message.visible_at.filter(|at| *at > now) {
            Some(at) if self.heads.contains_key(&key) => {
                self.timers.add(at, Due::Message { key, delivered: Box::new(delivered) });
            }
            _ => self.put_in_inbox(key, delivered),
        }
    }

    fn put_in_inbox(&mut self, key: Key, delivered: Delivered) {
        match self.heads.get_mut(&key) {
            Some(head) => {
                let ends_delay = head.stage == Stage::Delayed && head.is_ended_by(&delivered);
                head.inbox.push(delivered);
                if ends_delay {
                    self.end_delay(key);
                }
                self.make_ready(key);
            }
            None => self.leftovers.extend(delivered.row),
        }
    }

    /// Lets an instance be fetched, unless it is out or has to wait.
    pub(super) fn make_ready(&mut self, key: Key) {
        if let Some(head) = self.heads.get_mut(&key)
            && head.stage == Stage::Resting
        {
            head.stage = Stage::Ready;
            self.ready.push_back(key);
            self.news.orchestrations = true;
        }
    }

    /// Keeps an instance from being fetched before `at`.
    pub(super) fn delay(&mut self, key: Key, at: Timestamp) {
        if let Some(head) = self.heads.get_mut(&key) {
            head.stage = Stage::Delayed;
            self.timers.add(at, Due::Instance(key));
        }
    }

    pub(super) fn add_activity(&mut self, activity: WaitingActivity) {
        self.activities.push_back(activity);
        self.news.activities = true;
    }

    /// Lets everything happen that is due.
    pub(super) fn fire_due(&mut self, now: Timestamp) {
        while let Some(due) = self.timers.take_due(now) {
            match due {
                Due::Timer { key, timer, fire_at } => self.fire(key, timer, fire_at),
                Due::Message { key, delivered } => self.put_in_inbox(key, *delivered),
                Due::Instance(key) => self.rest(key),
                Due::Activity(activity) => self.add_activity(*activity),
                Due::Purge => self.is_purge_due = true,
            }
        }
    }

    /// Delivers the message of a durable timer.
    fn fire(&mut self, key: Key, timer: EventId, fire_at: Timestamp) {
        let Some(head) = self.heads.get(&key) else { return };
        let message = TaskMessage {
            instance: head.id.clone(),
            execution: Some(head.execution.clone()),
            event: HistoryEvent::new(fire_at, EventKind::TimerFired { timer, fire_at }),
            visible_at: Some(fire_at),
        };
        self.put_in_inbox(key, Delivered { message, row: None });
    }

    /// Ends an instance's turn or its delay: it is ready again if something is new.
    pub(super) fn rest(&mut self, key: Key) {
        if let Some(head) = self.heads.get_mut(&key) {
            head.stage = Stage::Resting;
            if !head.inbox.is_empty() {
                self.make_ready(key);
            }
        }
    }

    /// Hands out up to `most` instances with news.
    pub(super) fn fetch_orchestrations(&mut self, most: usize) -> Offer<OrchestrationWorkItem> {
        if self.has_ended() {
            return Offer::Over;
        }
        let keys: Vec<_> = self.ready.drain(..most.min(self.ready.len())).collect();
        // Items are large: room for all of them at once.
        let mut items = Vec::with_capacity(keys.len());
        items.extend(keys.into_iter().filter_map(|key| self.lock(key)));
        self.news.orchestrations |= !self.ready.is_empty();
        if items.is_empty() { Offer::Nothing } else { Offer::Items(items) }
    }

    fn lock(&mut self, key: Key) -> Option<OrchestrationWorkItem> {
        let lock = self.next_token();
        let head = self.heads.get_mut(&key)?;
        head.stage = Stage::Locked;
        head.attempt = head.attempt.saturating_add(1);
        let (messages, rows) = mem::take(&mut head.inbox)
            .into_iter()
            .map(|delivered| (delivered.message, delivered.row))
            .unzip();
        self.held.insert(lock, Held { key, rows });
        let past = match (head.sequence, head.tag) {
            (0, _) => Past::Empty,
            (_, Some(tag)) => Past::At(tag),
            (_, None) => Past::Stored,
        };
        let (instance, execution) = (head.id.clone(), head.execution.clone());
        Some(OrchestrationWorkItem { instance, execution, past, messages, lock, attempt: head.attempt })
    }

    /// Hands out up to `most` activities.
    pub(super) fn fetch_activities(&mut self, most: usize) -> Offer<ActivityWorkItem> {
        if self.has_ended() {
            return Offer::Over;
        }
        let waiting: Vec<_> = self.activities.drain(..most.min(self.activities.len())).collect();
        let items: Vec<_> = waiting.into_iter().map(|activity| self.lock_activity(activity)).collect();
        self.news.activities |= !self.activities.is_empty();
        if items.is_empty() { Offer::Nothing } else { Offer::Items(items) }
    }

    fn lock_activity(&mut self, activity: WaitingActivity) -> ActivityWorkItem {
        let lock = self.next_token();
        self.held_activities.insert(lock);
        let WaitingActivity { instance, execution, scheduled, attempt } = activity;
        ActivityWorkItem { instance, execution, scheduled, lock, attempt: attempt.saturating_add(1) }
    }

    fn next_token(&mut self) -> LockToken {
        self.last_token += 1;
        LockToken(self.last_token)
    }

    /// Takes note of where an instance stands: those who waited for it are to be told. `state` is what
    /// they are told if it has changed since.
    pub(super) fn notice(
        &mut self,
        instance: &InstanceId,
        status: RuntimeStatus,
        state: Option<InstanceState>,
    ) {
        let waiters = self.waiters.take_met(instance, status);
        if !waiters.is_empty() {
            self.met.push(Met { instance: instance.clone(), state, waiters });
        }
    }

    pub(super) fn take_news(&mut self) -> News {
        mem::take(&mut self.news)
    }

    pub(super) fn head_of(&self, instance: &InstanceId) -> Option<(Key, &Head)> {
        let key = self.keys.get(instance)?;
        self.heads.get(key).map(|head| (*key, head))
    }

    /// When something is to happen next.
    pub(super) fn next_alarm(&self) -> Option<Timestamp> {
        self.timers.first().filter(|_| self.phase == Phase::Working)
    }

    /// Whether nothing is out.
    pub(super) fn is_settled(&self) -> bool {
        self.held.is_empty() && self.held_activities.is_empty()
    }

    /// Whether nothing can happen before the next timer.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Working
            && self.is_settled()
            && self.ready.is_empty()
            && self.activities.is_empty()
    }

    fn has_ended(&self) -> bool {
        self.is_closed || matches!(self.phase, Phase::Ending | Phase::Ended)
    }
}
