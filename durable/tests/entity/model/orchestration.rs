//! An orchestration of the model: a program of locks, calls and signals, run by its own history.

use std::collections::BTreeSet;

use durable::{
    entity::{Sections, message},
    history::{EventId, EventKind, ExecutionStarted, HistoryEvent, TaskMessage},
    model::{EntityId, ExecutionId, InstanceId, Payload, Timestamp},
};

use super::mutants::Mutant;

/// One step of a program; entities by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Lock(Vec<usize>),
    /// Within the section that is open, or outside any.
    Call(usize),
    Signal(usize),
    Unlock,
}

/// An operation that an execution sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) entity: usize,
    pub(super) section: Option<EventId>,
    pub(super) task: EventId,
}

#[derive(Debug, Clone)]
pub(super) struct Orchestration {
    pub(super) started: ExecutionStarted,
    program: Vec<Act>,
    at: usize,
    next: EventId,
    history: Vec<HistoryEvent>,
    sections: Sections,
    /// The section that was asked for, and the entities it is for.
    section: Option<(EventId, BTreeSet<usize>)>,
    pub(super) is_inside: bool,
    open_calls: BTreeSet<EventId>,
    pub(super) has_ended: bool,
    executions: usize,
}

impl Orchestration {
    pub(super) fn new(number: usize, program: Vec<Act>) -> Self {
        let started = ExecutionStarted {
            name: "program".into(),
            version: None,
            input: Payload::null(),
            instance: InstanceId::new(format!("o{number}")).unwrap(),
            execution: ExecutionId::new(format!("o{number}-0")),
            generation: 0,
            tags: std::collections::BTreeMap::new(),
            scheduled_start: None,
            parent: None,
            retention: None,
            behaviour: 0,
        };
        Self {
            started,
            program,
            at: 0,
            next: EventId::FIRST,
            history: Vec::new(),
            sections: Sections::default(),
            section: None,
            is_inside: false,
            open_calls: BTreeSet::new(),
            has_ended: false,
            executions: 0,
        }
    }

    /// Whether it can take its next step without a message.
    pub(super) fn is_ready(&self, entities: &[EntityId]) -> bool {
        let is_waiting_for_lock = self.section.is_some() && !self.is_inside;
        if self.has_ended || is_waiting_for_lock {
            return false;
        }
        match (self.program.get(self.at), &self.section) {
            (Some(Act::Call(entity)), Some((section, _))) => {
                self.sections.may_call(*section, &entities[*entity]).is_ok()
            }
            // What is called before a section and awaited in it may wait for one that waits for the section:
            // no rule can see that, so programs await it before (docs/critical-sections.md).
            (Some(Act::Lock(_)), _) => self.open_calls.is_empty(),
            (Some(_), _) => true,
            (None, _) => self.open_calls.is_empty(),
        }
    }

    pub(super) fn is_waiting_for_lock(&self) -> bool {
        !self.has_ended && self.section.is_some() && !self.is_inside
    }

    /// The section it is in, with its entities.
    pub(super) fn inside(&self) -> Option<&(EventId, BTreeSet<usize>)> {
        self.section.as_ref().filter(|_| self.is_inside && !self.has_ended)
    }

    /// Takes the next step: what it sends, and the operation among it. The end of the program is the end
    /// of the execution.
    pub(super) fn step(
        &mut self,
        entities: &[EntityId],
        number: u64,
        mutant: Mutant,
        now: Timestamp,
    ) -> (Vec<TaskMessage>, Option<Sent>) {
        let Some(act) = self.program.get(self.at).cloned() else { return (self.end(mutant, now), None) };
        self.at += 1;
        let (operation, input) = ("run".into(), Payload::of(&number).unwrap());
        let task = self.next;
        match act {
            Act::Lock(set) => {
                let mut kind = self.sections.lock(set.iter().map(|at| entities[*at].clone())).unwrap();
                if let EventKind::EntityLockRequested { entities: locked } = &mut kind
                    && mutant == Mutant::Unsorted
                {
                    let mut named = Vec::new();
                    for at in &set {
                        if !named.contains(&entities[*at]) {
                            named.push(entities[*at].clone());
                        }
                    }
                    *locked = named;
                }
                self.section = Some((task, set.into_iter().collect()));
                (self.act(kind, now), None)
            }
            Act::Call(entity) => {
                let section = self.section.as_ref().map(|(section, _)| *section);
                let kind = EventKind::EntityOperationCalled {
                    entity: entities[entity].clone(),
                    operation,
                    input,
                    section,
                };
                self.open_calls.insert(task);
                (self.act(kind, now), Some(Sent { number, entity, section, task }))
            }
            Act::Signal(entity) => {
                let kind = EventKind::EntityOperationSignaled {
                    entity: entities[entity].clone(),
                    operation,
                    input,
                    due: None,
                };
                (self.act(kind, now), Some(Sent { number, entity, section: None, task }))
            }
            Act::Unlock => (self.unlock(now), None),
        }
    }

    /// Drops the section, or the request for it: whatever the program would have done in it is left out.
    pub(super) fn give_up(&mut self, now: Timestamp) -> Vec<TaskMessage> {
        let rest = self.program[self.at..].iter().position(|act| *act == Act::Unlock);
        self.at = rest.map_or(self.program.len(), |rest| self.at + rest + 1);
        self.unlock(now)
    }

    /// Takes a message; late and double ones change nothing.
    pub(super) fn receive(&mut self, message: &TaskMessage) {
        let is_for_it = message.execution.as_ref().is_none_or(|of| *of == self.started.execution);
        if !is_for_it || self.has_ended {
            return;
        }
        match &message.event.kind {
            EventKind::EntityLockGranted { task } => {
                let is_awaited =
                    self.section.as_ref().is_some_and(|(section, _)| section == task) && !self.is_inside;
                if !is_awaited {
                    return;
                }
                self.is_inside = true;
            }
            EventKind::EntityOperationCompleted { task, .. }
            | EventKind::EntityOperationFailed { task, .. } => {
                if !self.open_calls.remove(task) {
                    return;
                }
            }
            other => panic!("an orchestration got {}", other.name()),
        }
        self.sections.observe(EventId::NONE, &message.event.kind);
        self.history.push(message.event.clone());
    }

    /// Ends the execution as the engine does when there is no session: by its history.
    pub(super) fn end(&mut self, mutant: Mutant, now: Timestamp) -> Vec<TaskMessage> {
        assert_eq!(Sections::of(&self.history), self.sections, "history and session differ");
        let releases = match (mutant, self.is_waiting_for_lock()) {
            (Mutant::NoRelease, _) | (Mutant::NoReleaseWhileWaiting, true) => Vec::new(),
            _ => Sections::of(&self.history).releases(&self.started, now),
        };
        self.has_ended = true;
        self.is_inside = false;
        releases
    }

    /// Ends the execution in a way that nobody notices: its history cannot be read any more.
    pub(super) fn vanish(&mut self) {
        self.has_ended = true;
        self.is_inside = false;
    }

    /// Begins another execution of the instance, which has ended.
    pub(super) fn begin_anew(&mut self) {
        let mut started = self.started.clone();
        started.execution = ExecutionId::new(format!("{}-{}", started.instance, self.executions + 1));
        let fresh = Self::new(0, std::mem::take(&mut self.program));
        *self = Self { started, executions: self.executions + 1, ..fresh };
    }

    fn unlock(&mut self, now: Timestamp) -> Vec<TaskMessage> {
        self.is_inside = false;
        let Some((section, _)) = self.section.take() else { return Vec::new() };
        let kind = self.sections.unlock(section).unwrap();
        self.act(kind, now)
    }

    fn act(&mut self, kind: EventKind, now: Timestamp) -> Vec<TaskMessage> {
        let event = HistoryEvent::action(self.next, now, kind);
        self.next = self.next.next();
        self.sections.observe(event.id, &event.kind);
        let messages = message::requests(&self.started, &event);
        self.history.push(event);
        messages
    }
}
