//! What an instance waits for, in data and in words: the answer to "why is it stuck?".
//!
//! Pure: made of what is stored, and of what a worker that has the function adds. What is known from
//! where stands at [`Explanation`]. Must not know stores, clients or workers. Begin with
//! [`Explanation::of`].

mod text;

use std::collections::BTreeMap;

use crate::{
    history::{EventId, EventKind, History, HistoryEvent, LockOwner, TimerPurpose},
    model::{
        Attempt, EntityId, EventName, Failure, FunctionName, FunctionVersion, InstanceId, InstanceState,
        OperationName, RuntimeStatus, Timestamp,
    },
};

/// What an instance waits for. Its `Display` form is made for people; times in it are told relative to
/// [`at`](Self::at).
///
/// From the stored history, by any process: activities, attempts, timers and retries, sub-orchestrations,
/// operations and locks with whoever has the lock that it is stuck at ([`HeldUp`]), and the external events that were awaited at the end of the last episode. Of a call it is known that
/// its result is not in the history; it may be on its way, or the activity may be waiting for a free
/// worker. Histories that other programs wrote may lack what timers are for, and events.
///
/// A worker ([`Worker::explain`](crate::worker::Worker::explain)) replays the history with the function
/// it has, and adds: whether it has the function at all ([`handling`](Self::handling)), the line of code of
/// each wait, and what of it nobody waits for any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The instance as it stands.
    pub state: InstanceState,
    /// When it was asked about.
    pub at: Timestamp,
    /// What it waits for, in the order in which it was asked for; empty when it has ended.
    pub waits: Vec<Wait>,
    /// What a worker says about the instance's function.
    pub handling: Handling,
}

/// One thing an instance waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wait {
    /// What it is.
    pub what: Awaited,
    /// The number of the call or timer within the execution.
    pub task: Option<EventId>,
    /// Since when.
    pub since: Timestamp,
    /// The line that asked for it, as `file:line:column`, where a worker replayed it.
    pub place: Option<String>,
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Awaited {
    /// The result of an activity.
    Activity {
        /// Which one.
        name: FunctionName,
        /// Which version of it.
        version: Option<FunctionVersion>,
        /// Which attempt, by its retry policy.
        attempt: Attempt,
        /// When the call's timeout is over, if it has one.
        deadline: Option<Timestamp>,
    },
    /// The result of another orchestration; explain that one to learn why.
    Orchestration {
        /// Its orchestrator.
        name: FunctionName,
        /// Its instance.
        instance: InstanceId,
        /// When the call's timeout is over, if it has one.
        deadline: Option<Timestamp>,
    },
    /// The time of the next attempt of a failed call.
    Retry {
        /// What was called.
        name: FunctionName,
        /// The attempt that failed; 1 of 1 where the history does not say it, as of an orchestration.
        attempt: Attempt,
        /// Why.
        failure: Failure,
        /// When it is tried again.
        due: Timestamp,
    },
    /// The answer of an entity.
    Operation {
        /// Which entity.
        entity: EntityId,
        /// Which operation of it.
        operation: OperationName,
        /// The lock that it waits behind, if it does; not told by [`Explanation::of`].
        held_up: Option<HeldUp>,
    },
    /// The locks of a critical section.
    Locks {
        /// Of which entities, in the order in which they are taken.
        entities: Vec<EntityId>,
        /// The first one that somebody else has, if any; not told by [`Explanation::of`].
        held_up: Option<HeldUp>,
    },
    /// A timer; from the stored history alone also one that was cancelled by an older version.
    Timer {
        /// When it is due.
        due: Timestamp,
    },
    /// An external event.
    Event {
        /// Its name.
        name: EventName,
    },
    /// A worker that begins it.
    Start {
        /// The time before which it is not begun.
        due: Option<Timestamp>,
    },
    /// Somebody who resumes it; what else it waits for is listed too, and kept for it meanwhile.
    Resume {
        /// Why it was suspended.
        reason: String,
    },
    /// A worker that takes its next step: nothing else is open.
    Worker,
}

/// A lock that somebody else has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeldUp {
    /// Of which entity.
    pub entity: EntityId,
    /// The orchestration that has it; explain that one to learn why.
    pub owner: InstanceId,
    /// Since when.
    pub since: Timestamp,
}

/// Whether whoever explains could continue the instance.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Handling {
    /// A client explains: it has no functions.
    Unknown,
    /// The worker has its orchestrator, and its history replays.
    Handled,
    /// The worker has no such orchestrator, or not in this version: it leaves the instance alone.
    Unhandled {
        /// The versions that it has; `None` for an unversioned function.
        versions: Vec<Option<FunctionVersion>>,
    },
    /// The worker has its orchestrator, and the history does not replay with it.
    Broken(Failure),
}

impl Explanation {
    /// What is known from the store: the instance's `state`, its `history`, and the time `at`.
    pub fn of(state: InstanceState, history: &History, at: Timestamp) -> Self {
        let waits = match state.runtime_status {
            RuntimeStatus::Completed | RuntimeStatus::Failed | RuntimeStatus::Terminated => Vec::new(),
            RuntimeStatus::Pending => {
                let what = Awaited::Start { due: state.scheduled_start };
                vec![Wait { what, task: None, since: state.created_time, place: None }]
            }
            RuntimeStatus::Running | RuntimeStatus::Suspended => live(&state, history),
        };
        Self { state, at, waits, handling: Handling::Unknown }
    }

    /// The entities whose locks may hold it up, in the order in which they are to be looked at.
    pub(crate) fn entities(&self) -> Vec<EntityId> {
        let of = |wait: &Wait| match &wait.what {
            Awaited::Operation { entity, .. } => vec![entity.clone()],
            Awaited::Locks { entities, .. } => entities.clone(),
            _ => Vec::new(),
        };
        self.waits.iter().flat_map(of).collect()
    }

    /// Adds who has the locks of the entities that it deals with, and since when.
    pub(crate) fn add_locks(&mut self, held: &BTreeMap<EntityId, (LockOwner, Timestamp)>) {
        let state = &self.state;
        let is_own = |owner: &LockOwner| {
            owner.instance == state.instance_id
                && owner.execution.as_ref().is_none_or(|execution| *execution == state.execution_id)
        };
        let held_by_another = |entity: &EntityId| {
            let (owner, since) = held.get(entity).filter(|(owner, _)| !is_own(owner))?;
            Some(HeldUp { entity: entity.clone(), owner: owner.instance.clone(), since: *since })
        };
        for wait in &mut self.waits {
            match &mut wait.what {
                Awaited::Operation { entity, held_up, .. } => *held_up = held_by_another(entity),
                // It has those before, and is not known to those behind.
                Awaited::Locks { entities, held_up } => *held_up = entities.iter().find_map(held_by_another),
                _ => {}
            }
        }
    }

    /// Adds what a replay has found: `tasks` and `events` are what is waited for, each with its line.
    pub(crate) fn add_replay(
        &mut self,
        tasks: &BTreeMap<EventId, String>,
        events: impl IntoIterator<Item = (EventName, String)>,
    ) {
        self.handling = Handling::Handled;
        self.waits.retain(|wait| wait.task.is_none_or(|task| tasks.contains_key(&task)));
        for wait in &mut self.waits {
            wait.place = wait.task.and_then(|task| tasks.get(&task).cloned());
        }
        let stored = |wait: &Wait| matches!(wait.what, Awaited::Event { .. });
        let mut told: Vec<Wait> = self.waits.extract_if(.., |wait| stored(wait)).collect();
        for (name, place) in events {
            let what = Awaited::Event { name };
            let known = told.iter().position(|wait| wait.what == what).map(|index| told.remove(index));
            let since = known.map_or(self.state.last_updated_time, |wait| wait.since);
            self.waits.push(Wait { what, task: None, since, place: Some(place) });
        }
    }
}

/// What an instance waits for that has begun and not ended.
fn live(state: &InstanceState, history: &History) -> Vec<Wait> {
    let mut waits = Vec::new();
    if state.runtime_status == RuntimeStatus::Suspended {
        let reason = state.output.read().unwrap_or_default();
        let suspended = |event: &&HistoryEvent| matches!(event.kind, EventKind::ExecutionSuspended { .. });
        let since = history.events().iter().rev().find(suspended);
        let since = since.map_or(state.last_updated_time, |event| event.timestamp);
        waits.push(Wait { what: Awaited::Resume { reason }, task: None, since, place: None });
    }
    let asked = tasks(history).into_iter().chain(events(history));
    let before = waits.len();
    waits.extend(asked);
    if waits.len() == before && before == 0 {
        waits.push(Wait { what: Awaited::Worker, task: None, since: state.last_updated_time, place: None });
    }
    waits
}

fn tasks(history: &History) -> Vec<Wait> {
    let cancelled: Vec<EventId> = rests(history).flat_map(|(_, rest)| rest.cancelled.clone()).collect();
    let open: Vec<_> =
        history.open_tasks().into_iter().filter(|event| !cancelled.contains(&event.id)).collect();
    let deadline_of = |call: EventId| {
        open.iter().find_map(|event| match event.kind {
            EventKind::TimerCreated { fire_at, purpose: TimerPurpose::Timeout { task } } if task == call => {
                Some(fire_at)
            }
            _ => None,
        })
    };
    let awaited = |event: &HistoryEvent| match &event.kind {
        EventKind::TaskScheduled { name, version, attempt, .. } => Some(Awaited::Activity {
            name: name.clone(),
            version: version.clone(),
            attempt: *attempt,
            deadline: deadline_of(event.id),
        }),
        EventKind::SubOrchestrationInstanceCreated(child) => Some(Awaited::Orchestration {
            name: child.name.clone(),
            instance: child.instance.clone(),
            deadline: deadline_of(event.id),
        }),
        EventKind::EntityOperationCalled { entity, operation, .. } => {
            Some(Awaited::Operation { entity: entity.clone(), operation: operation.clone(), held_up: None })
        }
        EventKind::EntityLockRequested { entities } => {
            Some(Awaited::Locks { entities: entities.clone(), held_up: None })
        }
        EventKind::TimerCreated { fire_at, purpose } => match purpose {
            TimerPurpose::Sleep => Some(Awaited::Timer { due: *fire_at }),
            TimerPurpose::Retry { task } => Some(retry(history, *task, *fire_at)),
            // Told with its call.
            TimerPurpose::Timeout { .. } => None,
        },
        _ => None,
    };
    let wait = |event: &&HistoryEvent| {
        let what = awaited(event)?;
        Some(Wait { what, task: Some(event.id), since: event.timestamp, place: None })
    };
    open.iter().filter_map(wait).collect()
}

/// The wait for the next attempt of the call `task`.
fn retry(history: &History, task: EventId, due: Timestamp) -> Awaited {
    let call = history.events().iter().find_map(|event| match &event.kind {
        EventKind::TaskScheduled { name, attempt, .. } if event.id == task => Some((name.clone(), *attempt)),
        EventKind::SubOrchestrationInstanceCreated(child) if event.id == task => {
            Some((child.name.clone(), Attempt::ONLY))
        }
        _ => None,
    });
    let failure = history.events().iter().find_map(|event| match &event.kind {
        EventKind::TaskFailed { failure, .. } | EventKind::SubOrchestrationInstanceFailed { failure, .. }
            if event.kind.answers() == Some(task) =>
        {
            Some(failure.clone())
        }
        _ => None,
    });
    match call {
        Some((name, attempt)) => {
            // Only a call that took longer than its timeout is tried again without a failure of its own.
            let failure = failure.unwrap_or_else(|| Failure::new("no result within the timeout of the call"));
            Awaited::Retry { name, attempt, failure, due }
        }
        None => Awaited::Timer { due },
    }
}

/// The external events that were awaited at the end of the last episode, each since the episode from
/// which on it was awaited without a break.
fn events(history: &History) -> Vec<Wait> {
    let newest_first: Vec<_> = rests(history).collect();
    let Some((_, last)) = newest_first.first() else { return Vec::new() };
    let mut waits = Vec::new();
    for (index, name) in last.events.iter().enumerate() {
        let earlier_of_name = last.events[..index].iter().filter(|other| *other == name).count();
        let awaits = |rest: &crate::history::Rest| {
            rest.events.iter().filter(|other| *other == name).count() > earlier_of_name
        };
        let since = newest_first.iter().take_while(|(_, rest)| awaits(rest)).last().map(|(at, _)| *at);
        let what = Awaited::Event { name: name.clone() };
        waits.extend(since.map(|since| Wait { what, task: None, since, place: None }));
    }
    waits
}

/// What each episode's end tells, newest first.
fn rests(history: &History) -> impl Iterator<Item = (Timestamp, &crate::history::Rest)> {
    history.events().iter().rev().filter_map(|event| match &event.kind {
        EventKind::OrchestratorCompleted { rest, .. } => Some((event.timestamp, rest)),
        _ => None,
    })
}
