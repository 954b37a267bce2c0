//! One checkpoint on its way: written down, matched with its work item, stored, then taken in by
//! the queue.
//!
//! Must not know transactions: the writer decides what is committed together. Begin with
//! [`Written`], then [`Settlement`].

use super::{
    error::Trouble,
    operation::Anew,
    queue::{Held, Queue, WaitingActivity},
    rows::{self, NameNumber, Row},
    store::{Kept, Sent, WrittenEpisode, WrittenMessage},
    timers::Due,
};
use crate::{
    history::{EventId, EventKind, HistoryEvent, TaskMessage, format},
    model::{InstanceId, RuntimeStatus, Timestamp},
    provider::{Checkpoint, OrchestrationWorkItem},
};

/// A checkpoint in its stored form. Made by whoever sends it, since the writer is busy.
#[derive(Debug)]
pub(super) struct Written {
    checkpoint: Checkpoint,
    events: Vec<u8>,
    /// How a new execution was started.
    started: Option<Vec<u8>>,
    /// Messages that must be stored: all but the instance's own timers, which recovery finds in the
    /// history.
    outgoing: Vec<WrittenMessage>,
    timers: Vec<Timer>,
    /// How many calls and timers the events ask for.
    opened: usize,
    opened_timers: Vec<EventId>,
    /// Those that the events answer or give up.
    closed: Vec<EventId>,
}

#[derive(Debug)]
struct Timer {
    id: EventId,
    fire_at: Timestamp,
    due: Timestamp,
}

/// A checkpoint together with the work item that it settles.
#[derive(Debug)]
pub(super) struct Settlement {
    pub(super) item: OrchestrationWorkItem,
    pub(super) held: Held,
    written: Written,
    replaces: bool,
    was: RuntimeStatus,
    name: NameNumber,
    last: Option<Row>,
    rewrites: Option<Row>,
    sequence: u32,
    open: u32,
    /// Sorted.
    cancelled: Vec<EventId>,
    cancelled_text: Option<Vec<u8>>,
    consumed: Vec<Row>,
}

impl Written {
    pub(super) fn new(item: &OrchestrationWorkItem, mut checkpoint: Checkpoint) -> Result<Self, Trouble> {
        let events = format::encode(&checkpoint.events)?;
        let started = (item.execution != checkpoint.execution).then(|| start_of(&checkpoint)).flatten();
        let started = started.map(rows::event_text).transpose()?;
        let (mut outgoing, mut timers) = (Vec::new(), Vec::new());
        for message in std::mem::take(&mut checkpoint.messages) {
            match own_timer(&item.instance, &message) {
                Some(timer) => timers.push(timer),
                None => outgoing.push(WrittenMessage::new(message)?),
            }
        }
        let (mut opened, mut opened_timers, mut closed) = (0, Vec::new(), Vec::new());
        for event in &checkpoint.events {
            match &event.kind {
                EventKind::TimerCreated { .. } => {
                    opened += 1;
                    opened_timers.push(event.id);
                }
                kind if kind.awaits_answer() => opened += 1,
                kind => closed.extend(kind.closes()),
            }
        }
        // They are written now; to let go of them is work, and the writer is busy.
        checkpoint.events = Vec::new();
        Ok(Self { checkpoint, events, started, outgoing, timers, opened, opened_timers, closed })
    }
}

/// How the execution of `checkpoint` began.
fn start_of(checkpoint: &Checkpoint) -> Option<&HistoryEvent> {
    checkpoint.events.iter().find(|event| {
        matches!(&event.kind, EventKind::ExecutionStarted(started) if started.execution == checkpoint.execution)
    })
}

fn own_timer(instance: &InstanceId, message: &TaskMessage) -> Option<Timer> {
    match message.event.kind {
        EventKind::TimerFired { timer, fire_at } if message.instance == *instance => {
            Some(Timer { id: timer, fire_at, due: message.visible_at.unwrap_or(fire_at) })
        }
        _ => None,
    }
}

impl WrittenMessage {
    pub(super) fn new(message: TaskMessage) -> Result<Self, Trouble> {
        let event = rows::event_text(&message.event)?;
        Ok(Self { message, event })
    }
}

impl Settlement {
    /// Takes the item out of the queue's hands and finds out where its history stands. Gives
    /// everything back when the item is no longer out.
    pub(super) fn new(
        queue: &mut Queue,
        item: OrchestrationWorkItem,
        written: Written,
    ) -> Result<Self, OrchestrationWorkItem> {
        let Some(held) = queue.held.remove(&item.lock) else { return Err(item) };
        let Some(head) = queue.heads.get(&held.key) else { return Err(item) };
        let replaces = written.checkpoint.replaces;
        let (sequence, open) = if replaces { (0, 0) } else { (head.sequence, head.open) };
        let (last, was, name) = (head.last, head.status, head.name);
        let stays = head.sequence == 1 && item.execution == written.checkpoint.execution;
        let rewrites = last.filter(|_| replaces && stays);
        let cancelled = cancelled_by(&written, &item, queue, &held);
        let mut closed: Vec<_> = written.closed.iter().chain(&cancelled).collect();
        closed.sort_unstable();
        closed.dedup();
        let open = open.saturating_add(length(written.opened)).saturating_sub(length(closed.len()));
        Ok(Self {
            replaces,
            was,
            name,
            last,
            rewrites,
            sequence: sequence.saturating_add(1),
            open,
            cancelled_text: rows::cancelled_text(&cancelled),
            cancelled,
            consumed: held.rows.iter().copied().flatten().collect(),
            item,
            held,
            written,
        })
    }

    /// Whether nothing need be kept of the instance.
    pub(super) fn is_forgettable(&self) -> bool {
        self.written.checkpoint.is_forgettable
    }

    /// What the store keeps.
    pub(super) fn episode(&self) -> WrittenEpisode<'_> {
        let Written { checkpoint, events, started, .. } = &self.written;
        WrittenEpisode {
            key: self.held.key,
            replaces: self.replaces,
            execution: &checkpoint.execution,
            was: self.was,
            name: self.name,
            started: started.as_deref(),
            last: self.last,
            rewrites: self.rewrites,
            sequence: self.sequence,
            open: self.open,
            events,
            cancelled: self.cancelled_text.as_deref(),
            change: &checkpoint.change,
            consumed: &self.consumed,
        }
    }

    /// Whether the instance has ended with it.
    pub(super) fn has_ended(&self) -> bool {
        self.written.checkpoint.change.status.is_terminal()
    }

    /// The messages that the store keeps, in the order in which they were sent.
    pub(super) fn outgoing(&self) -> &[WrittenMessage] {
        &self.written.outgoing
    }

    /// Lets the queue follow, now that the checkpoint is durable. `sent` says for each outgoing
    /// message what became of it, if it found anybody; `is_forgotten`, whether the instance has been removed;
    /// `anew`, with what it begins again.
    pub(super) fn apply(
        self,
        queue: &mut Queue,
        kept: Kept,
        sent: Vec<Option<Sent>>,
        is_forgotten: bool,
        anew: Option<Box<Anew>>,
        now: Timestamp,
    ) {
        let key = self.held.key;
        let Written { checkpoint, outgoing, timers, .. } = self.written;
        let instance = self.item.instance;
        let is_cancelled = |timer| self.cancelled.binary_search(&timer).is_ok();
        if let Some(head) = queue.heads.get_mut(&key) {
            head.execution = checkpoint.execution.clone();
            head.tag = Some(checkpoint.tag);
            head.last = Some(kept.last);
            head.sequence = self.sequence;
            head.open = self.open;
            head.attempt = 0;
            head.status = checkpoint.change.status;
            head.inbox.retain(|delivered| !fired_by(&delivered.message).is_some_and(is_cancelled));
        }
        for timer in &self.cancelled {
            queue.timers.cancel(key, *timer);
        }
        // An entity has none, and perhaps many messages to come.
        if self.replaces && !instance.is_entity() {
            queue.forget_own_timers(key);
        }
        let has_ended = is_forgotten || checkpoint.change.status.is_terminal();
        if has_ended {
            queue.remove_instance(key);
            queue.expect_purge(kept.purge_at);
        } else {
            for Timer { id, fire_at, due } in timers {
                if !is_cancelled(id) {
                    queue.timers.add(due, Due::Timer { key, timer: id, fire_at });
                }
            }
        }
        for scheduled in checkpoint.activities {
            let (instance, execution) = (instance.clone(), checkpoint.execution.clone());
            queue.add_activity(WaitingActivity { instance, execution, scheduled, attempt: 0 });
        }
        for orphan in checkpoint.orphans {
            let (instance, execution) = (instance.clone(), orphan.execution);
            let scheduled = orphan.scheduled;
            queue.add_activity(WaitingActivity { instance, execution, scheduled, attempt: 0 });
        }
        for (message, sent) in outgoing.into_iter().zip(sent) {
            if let Some(sent) = sent {
                queue.take_sent(message.message, sent, now);
            }
        }
        if !has_ended {
            queue.rest(key);
        }
        let (ended, begun) = anew.map_or_else(Default::default, |anew| (anew.ended, anew.begun));
        queue.notice(&instance, checkpoint.change.status, ended);
        for (message, sent) in begun {
            queue.take_sent(message, sent, now);
        }
    }
}

/// The timers that are open until now, and that nobody waits for from now on, sorted: there may be
/// many thousands.
fn cancelled_by(written: &Written, item: &OrchestrationWorkItem, queue: &Queue, held: &Held) -> Vec<EventId> {
    let mut cancelled = written.checkpoint.cancelled_timers.clone();
    if cancelled.is_empty() {
        return cancelled;
    }
    let inbox = queue.heads.get(&held.key).map(|head| head.inbox.as_slice()).unwrap_or_default();
    let arrived = item.messages.iter().chain(inbox.iter().map(|delivered| &delivered.message));
    let mut open: Vec<_> =
        arrived.filter_map(fired_by).chain(written.opened_timers.iter().copied()).collect();
    open.sort_unstable();
    cancelled.sort_unstable();
    cancelled.dedup();
    cancelled.retain(|timer| queue.timers.has_timer(held.key, *timer) || open.binary_search(timer).is_ok());
    cancelled
}

/// The timer whose message this is.
fn fired_by(message: &TaskMessage) -> Option<EventId> {
    match message.event.kind {
        EventKind::TimerFired { timer, .. } => Some(timer),
        _ => None,
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
