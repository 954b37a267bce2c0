//! What an execution has asked for, what came back, and what it has seen.
//!
//! Plain state behind one lock (`shared.rs`). Must never clone, wake or drop a waker, nor drop a
//! value of the user's: that may run user code which comes back here. It hands them out instead.

use std::{collections::BTreeMap, panic::Location, task::Waker};

use super::{
    action::Action,
    callee::Child,
    digest::{Digest, Observation},
    inbox::{Handover, Inbox, WaitId},
};
use crate::{
    entity::Sections,
    history::{EventId, EventKind},
    model::{Failure, InstanceId, Payload, Timestamp},
};

/// The state of one execution between two polls.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) now: Timestamp,
    pub(super) is_replaying: bool,
    pub(super) inbox: Inbox,
    /// This episode's actions, in the order in which they were asked for.
    pub(super) made: Vec<Action>,
    /// This episode's cancelled timers. A set: never matched, sorted before it is told.
    pub(super) cancelled: Vec<EventId>,
    /// The custom status, if it was set in this episode.
    pub(super) custom_status: Option<Payload>,
    /// The first wait that nobody outside was told of.
    pub(super) untold_wait: WaitId,
    /// What ends the execution whatever it does next. The first one stands.
    pub(super) fault: Option<Failure>,
    pub(super) digest: Digest,
    next: EventId,
    drawn: u64,
    tasks: BTreeMap<EventId, OpenTask>,
    /// The locks that are held or asked for.
    pub(super) sections: Sections,
    /// The sub-orchestrations among the open tasks.
    children: BTreeMap<EventId, InstanceId>,
    /// How the instance goes on as another execution, once this one has returned.
    pub(super) next_execution: Option<Box<Child>>,
    /// How many tasks have no result yet: the execution cannot complete before it is zero.
    open: usize,
    /// How many tasks have got a result.
    completions: u64,
    /// How many waiting handles hold a waker: at rest there must be one.
    armed: usize,
    /// A digest of the places in user code that constructed something.
    places: Digest,
}

#[derive(Debug)]
struct OpenTask {
    kind: TaskKind,
    /// The line of user code that asked.
    location: &'static Location<'static>,
    /// Whether user code still holds the handle.
    is_held: bool,
    state: TaskState,
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskKind {
    Activity,
    SubOrchestration,
    Timer,
    Operation,
    Lock,
}

#[derive(Debug)]
enum TaskState {
    Waiting(Option<Waker>),
    /// Its result, and how many tasks had got theirs before.
    Done(Completion, u64),
}

/// What came back for a task.
pub(super) type Completion = Result<Payload, Failure>;

/// What a handle waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Task(EventId),
    Wait(WaitId),
}

impl Journal {
    pub(super) fn new() -> Self {
        Self {
            now: Timestamp::UNIX_EPOCH,
            is_replaying: false,
            inbox: Inbox::default(),
            made: Vec::new(),
            cancelled: Vec::new(),
            custom_status: None,
            untold_wait: 0,
            fault: None,
            digest: Digest::START,
            next: EventId::FIRST,
            drawn: 0,
            tasks: BTreeMap::new(),
            sections: Sections::default(),
            children: BTreeMap::new(),
            next_execution: None,
            open: 0,
            completions: 0,
            armed: 0,
            places: Digest::START,
        }
    }

    /// The number of the next action.
    pub(super) fn next_id(&self) -> EventId {
        self.next
    }

    /// Records an action and gives it the next number.
    pub(super) fn act(&mut self, kind: EventKind, location: &'static Location<'static>) -> EventId {
        let id = self.next;
        self.next = id.next();
        self.sections.observe(id, &kind);
        self.made.push(Action { id, kind, location });
        self.note_place(location);
        id
    }

    /// Gives up the locks of a critical section, whether held or only asked for.
    pub(super) fn unlock(&mut self, section: EventId, location: &'static Location<'static>) {
        if let Some(kind) = self.sections.unlock(section) {
            self.act(kind, location);
        }
    }

    /// Records an action that something will answer.
    pub(super) fn ask(
        &mut self,
        task: TaskKind,
        kind: EventKind,
        location: &'static Location<'static>,
    ) -> EventId {
        let child = match &kind {
            EventKind::SubOrchestrationInstanceCreated(child) => Some(child.instance.clone()),
            _ => None,
        };
        let id = self.act(kind, location);
        self.children.extend(child.map(|child| (id, child)));
        self.tasks
            .insert(id, OpenTask { kind: task, location, is_held: true, state: TaskState::Waiting(None) });
        self.open += 1;
        id
    }

    /// Notes where in user code something was constructed. By its address, which names the line
    /// within this process: places are compared by sessions of one process only, and never stored.
    pub(super) fn note_place(&mut self, location: &'static Location<'static>) {
        self.places.mix(std::ptr::from_ref(location).addr() as u64);
    }

    /// The next value of the counter behind uuids and random numbers.
    pub(super) fn draw(&mut self) -> u64 {
        let count = self.drawn;
        self.drawn += 1;
        self.digest.observe(Observation::Drawn(count));
        count
    }

    /// Whether a result for this task is awaited: it was asked for, and has none yet.
    pub(super) fn awaits(&self, id: EventId, kind: TaskKind) -> bool {
        matches!(
            self.tasks.get(&id),
            Some(OpenTask { kind: awaited, state: TaskState::Waiting(_), .. }) if *awaited == kind
        )
    }

    /// Takes a task's result. A result nobody awaits changes nothing.
    pub(super) fn complete(&mut self, id: EventId, kind: TaskKind, result: Completion) -> Option<Waker> {
        if !self.awaits(id, kind) {
            return None;
        }
        self.open -= 1;
        if kind == TaskKind::SubOrchestration {
            self.children.remove(&id);
        }
        let task = self.tasks.get_mut(&id)?;
        if !task.is_held {
            self.tasks.remove(&id);
            return None;
        }
        match std::mem::replace(&mut task.state, TaskState::Done(result, self.completions)) {
            TaskState::Waiting(waker) => {
                self.completions += 1;
                self.disarm(waker)
            }
            TaskState::Done(..) => None,
        }
    }

    pub(super) fn raise(&mut self, name: &crate::model::EventName, data: Payload) -> Option<Waker> {
        let waker = self.inbox.arrive(name, data);
        self.disarm(waker)
    }

    fn disarm(&mut self, waker: Option<Waker>) -> Option<Waker> {
        self.armed -= usize::from(waker.is_some());
        waker
    }

    /// Whether the handle's result is there.
    pub(super) fn is_done(&self, key: Key) -> bool {
        match key {
            Key::Task(id) => {
                matches!(self.tasks.get(&id), Some(OpenTask { state: TaskState::Done(..), .. }))
            }
            Key::Wait(id) => self.inbox.is_given(id),
        }
    }

    /// A task's result, still to be observed, and how many tasks had got theirs before it.
    pub(super) fn peek(&self, id: EventId) -> Option<(&Completion, u64)> {
        match &self.tasks.get(&id)?.state {
            TaskState::Done(result, order) => Some((result, *order)),
            TaskState::Waiting(_) => None,
        }
    }

    /// Gives user code the result, once.
    pub(super) fn observe(&mut self, key: Key) -> Option<Completion> {
        match key {
            Key::Task(id) => {
                if !matches!(self.tasks.get(&id)?.state, TaskState::Done(..)) {
                    return None;
                }
                let TaskState::Done(result, _) = self.tasks.remove(&id)?.state else { return None };
                self.digest.observe(Observation::Task(id.as_i32()));
                Some(result)
            }
            Key::Wait(id) => {
                let arrived = self.inbox.take(id)?;
                self.digest.observe(Observation::Event(arrived.arrival));
                Some(Ok(arrived.data))
            }
        }
    }

    /// Whether the handle already holds a waker that wakes the same.
    pub(super) fn holds(&mut self, key: Key, waker: &Waker) -> bool {
        self.waker_of(key).and_then(|held| held.as_ref()).is_some_and(|held| held.will_wake(waker))
    }

    /// Keeps a waker for the handle; gives back the one to drop.
    pub(super) fn arm(&mut self, key: Key, waker: Waker) -> Option<Waker> {
        let Some(held) = self.waker_of(key) else { return Some(waker) };
        let old = held.replace(waker);
        self.armed += usize::from(old.is_none());
        old
    }

    fn waker_of(&mut self, key: Key) -> Option<&mut Option<Waker>> {
        match key {
            Key::Task(id) => match &mut self.tasks.get_mut(&id)?.state {
                TaskState::Waiting(waker) => Some(waker),
                TaskState::Done(..) => None,
            },
            Key::Wait(id) => self.inbox.waker_of(id),
        }
    }

    /// User code dropped the handle: a timer is cancelled, a call goes on unheard, a wait is
    /// withdrawn and its unobserved event given back (DECISIONS 8).
    pub(super) fn release(&mut self, key: Key) -> Handover {
        let handover = match key {
            Key::Task(id) => Handover { wake: None, discard: self.release_task(id) },
            Key::Wait(id) => self.inbox.withdraw(id),
        };
        self.armed -= usize::from(handover.wake.is_some()) + usize::from(handover.discard.is_some());
        handover
    }

    fn release_task(&mut self, id: EventId) -> Option<Waker> {
        let task = self.tasks.get_mut(&id)?;
        let location = task.location;
        match (&mut task.state, task.kind) {
            (
                TaskState::Waiting(waker),
                TaskKind::Activity | TaskKind::SubOrchestration | TaskKind::Operation,
            ) => {
                task.is_held = false;
                waker.take()
            }
            (TaskState::Waiting(waker), TaskKind::Lock) => {
                let waker = waker.take();
                self.tasks.remove(&id);
                self.open -= 1;
                self.unlock(id, location);
                waker
            }
            (TaskState::Done(..), TaskKind::Lock) => {
                self.tasks.remove(&id);
                self.unlock(id, location);
                None
            }
            (TaskState::Waiting(waker), TaskKind::Timer) => {
                let waker = waker.take();
                self.tasks.remove(&id);
                self.open -= 1;
                self.cancelled.push(id);
                waker
            }
            (TaskState::Done(..), _) => {
                self.tasks.remove(&id);
                None
            }
        }
    }

    pub(super) fn has_open_tasks(&self) -> bool {
        self.open > 0
    }

    /// The sub-orchestrations that have not answered.
    pub(super) fn children(&self) -> &BTreeMap<EventId, InstanceId> {
        &self.children
    }

    pub(super) fn can_be_woken(&self) -> bool {
        self.armed > 0
    }

    /// The tasks without a result, with the lines that asked for them.
    pub(super) fn open(&self) -> impl Iterator<Item = (EventId, &'static Location<'static>)> {
        let is_open = |task: &OpenTask| matches!(task.state, TaskState::Waiting(_));
        self.tasks.iter().filter(move |(_, task)| is_open(task)).map(|(id, task)| (*id, task.location))
    }

    /// How many tasks and waits it keeps.
    pub(super) fn size(&self) -> usize {
        self.tasks.len() + self.inbox.size()
    }

    /// Ends the execution with `failure`, unless something did before.
    pub(super) fn fail(&mut self, failure: impl FnOnce() -> Failure) {
        if self.fault.is_none() {
            self.fault = Some(failure());
        }
    }

    /// A hash of everything that two runs at the same point must have in common: what was seen, open
    /// tasks, waits, buffered events, counters, and the places in user code that led here.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut digest = self.digest;
        for (id, task) in &self.tasks {
            let state = match task.state {
                TaskState::Waiting(_) => 0,
                TaskState::Done(..) => 1,
            };
            digest
                .mix(u64::from(id.as_i32().cast_unsigned()) << 3 | state << 2 | u64::from(task.is_held) << 1);
        }
        self.inbox.fingerprint().for_each(|word| digest.mix(word));
        digest.mix(u64::from(self.next.as_i32().cast_unsigned()));
        digest.mix(self.drawn);
        digest.mix(self.places.value());
        digest.value()
    }

    /// Forgets everything that was asked for. The wakers are to be dropped outside the lock.
    pub(super) fn clear(&mut self) -> Vec<Waker> {
        self.armed = 0;
        self.open = 0;
        self.children.clear();
        let waiting = std::mem::take(&mut self.tasks).into_values().filter_map(|task| match task.state {
            TaskState::Waiting(waker) => waker,
            TaskState::Done(..) => None,
        });
        waiting.chain(self.inbox.drain_wakers()).collect()
    }
}
