//! Rebuilds the queue from what is stored.
//!
//! One scan of the live instances, and for each that waits for something, its history from the end
//! back to the oldest thing it waits for. Must not know who asks. Begin with [`recover`].

use std::collections::{HashMap, HashSet};

use super::{
    error::Trouble,
    queue::{Delivered, Queue, WaitingActivity},
    rows::{self, Key, StoredHead},
    store::Store,
    timers::Due,
};
use crate::{
    history::{EventId, EventKind, HistoryEvent, TaskMessage, format},
    model::Timestamp,
    provider::ProviderErrorKind,
};

/// The queue as it follows from the store: every live instance with its messages, its open
/// activities and its open timers; and when the next ended one is kept no longer.
///
/// An instance whose history is damaged is handed out with nothing new: whoever reads its history
/// meets the damage and can say so, and all others go on.
pub(super) fn recover(store: &mut dyn Store, now: Timestamp) -> Result<Queue, Trouble> {
    let mut queue = Queue::default();
    let heads = store.live()?;
    let mut generations = HashMap::with_capacity(heads.len());
    for head in &heads {
        generations.insert(head.key, head.generation);
        add_instance(store, &mut queue, head, now)?;
    }
    deliver_messages(store, &mut queue, &generations, now)?;
    for head in heads.iter().filter(|head| head.open > 0) {
        if let Some(trouble) = damage(add_open_tasks(store, &mut queue, head))? {
            let error = trouble.on("read the open tasks of", head.id.as_str());
            tracing::error!(instance = %head.id, %error, "the history is damaged");
            queue.make_ready(head.key);
        }
    }
    queue.expect_purge(store.next_purge()?);
    Ok(queue)
}

/// What is damaged stays so, and concerns one instance; any other trouble may pass, and whatever was
/// skipped for it would be missed until the next recovery.
fn damage(done: Result<(), Trouble>) -> Result<Option<Trouble>, Trouble> {
    match done {
        Ok(()) => Ok(None),
        Err(trouble) if matches!(trouble.kind, ProviderErrorKind::Corrupt(_)) => Ok(Some(trouble)),
        Err(trouble) => Err(trouble),
    }
}

fn add_instance(
    store: &mut dyn Store,
    queue: &mut Queue,
    head: &StoredHead,
    now: Timestamp,
) -> Result<(), Trouble> {
    if head.sequence > 0 {
        queue.add_instance(head.clone());
        return Ok(());
    }
    let started = store.started(head.key).map(|started| queue.add_start(head.clone(), started, now));
    if let Some(trouble) = damage(started)? {
        let error = trouble.on("begin", head.id.as_str());
        tracing::error!(instance = %head.id, %error, "the instance stays as it is");
    }
    Ok(())
}

fn deliver_messages(
    store: &mut dyn Store,
    queue: &mut Queue,
    generations: &HashMap<Key, u32>,
    now: Timestamp,
) -> Result<(), Trouble> {
    for stored in store.messages()? {
        let row = Some(stored.row);
        let head = queue.heads.get(&stored.instance);
        let Some(head) = head.filter(|_| generations.get(&stored.instance) == Some(&stored.generation))
        else {
            queue.leftovers.extend(row);
            continue;
        };
        match stored.read(&head.id) {
            Ok(message) => queue.deliver(stored.instance, Delivered { message, row }, now),
            Err(trouble) => {
                let (id, error) = (head.id.clone(), trouble.on("deliver a message to", head.id.as_str()));
                tracing::error!(instance = %id, %error, "the message stays where it is");
            }
        }
    }
    Ok(())
}

/// Dispatches what the instance waits for, except for what has been answered by a message that is
/// still in its inbox.
fn add_open_tasks(store: &mut dyn Store, queue: &mut Queue, head: &StoredHead) -> Result<(), Trouble> {
    let tasks = open_tasks(store, head)?;
    let inbox = queue.heads.get(&head.key).map(|found| found.inbox.as_slice()).unwrap_or_default();
    // An execution before this one may get answers as well; their tasks have the same numbers.
    let for_it = |message: &TaskMessage| message.execution.as_ref().is_none_or(|of| *of == head.execution);
    let answers = inbox.iter().map(|delivered| &delivered.message).filter(|message| for_it(message));
    let answered: HashSet<EventId> = answers.filter_map(|message| message.event.kind.answers()).collect();
    for task in tasks.into_iter().filter(|task| !answered.contains(&task.id)) {
        match task.kind {
            EventKind::TimerCreated { fire_at, .. } => {
                queue.timers.add(fire_at, Due::Timer { key: head.key, timer: task.id, fire_at });
            }
            EventKind::TaskScheduled { .. } => queue.add_activity(WaitingActivity {
                instance: head.id.clone(),
                execution: head.execution.clone(),
                scheduled: task,
                attempt: 0,
            }),
            // What was begun is an instance of its own, and answers by itself.
            _ => {}
        }
    }
    Ok(())
}

/// What the instance waits for, oldest first. Reads no further back than it must: the instance's
/// row says how many there are.
fn open_tasks(store: &mut dyn Store, head: &StoredHead) -> Result<Vec<HistoryEvent>, Trouble> {
    let mut open = Vec::new();
    let mut closed = HashSet::<EventId>::new();
    let mut next = head.last;
    let mut sequence = head.sequence;
    while open.len() < head.open as usize
        && let Some(row) = next
    {
        let episode = store.episode(row)?;
        if episode.instance != head.key || episode.sequence != sequence {
            return Err(Trouble::corrupt(format!("row {row} is not its episode {sequence}")));
        }
        closed.extend(rows::cancelled_of(episode.cancelled.as_deref())?);
        for event in format::decode(&episode.events)?.into_iter().rev() {
            match &event.kind {
                kind if kind.awaits_answer() => {
                    if !closed.contains(&event.id) {
                        open.push(event);
                    }
                }
                kind => closed.extend(kind.closes()),
            }
        }
        next = episode.previous;
        sequence = sequence.saturating_sub(1);
    }
    open.reverse();
    Ok(open)
}
