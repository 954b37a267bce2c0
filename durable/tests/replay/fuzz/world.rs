//! The world around a program: answers what it asks for, in random order and none too politely.
//!
//! Draws from one generator, so that a seed repeats it. Begin with [`World::batch`].

use durable::{
    history::{EventId, EventKind},
    http::{HTTP_ACTIVITY, HttpRequest, HttpResponse},
    model::{Failure, Payload, Timestamp},
    replay::EpisodeEnd,
};

use super::{
    entities::FRAGILE,
    program::{EVENTS, SHAKY},
    random::{Random, mix},
};
use crate::script::start;

/// What is under way to the instance.
#[derive(Debug)]
pub(super) struct World {
    random: Random,
    seed: u64,
    has_started: bool,
    is_suspended: bool,
    /// Answers that somebody is waiting for.
    answers: Vec<EventKind>,
    /// What was said before, or too late.
    echoes: Vec<EventKind>,
    /// Whether somebody will end the instance from outside.
    will_terminate: bool,
    /// How many external events there were: each has a number larger than those before.
    events: u64,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Random::new(mix(seed, 2)),
            seed,
            will_terminate: Random::new(mix(seed, 7)).chance(8),
            has_started: false,
            is_suspended: false,
            answers: Vec::new(),
            echoes: Vec::new(),
            events: 0,
        }
    }

    /// Whether nothing is left that could let the program go on, except external events.
    pub(super) fn is_exhausted(&self) -> bool {
        self.has_started && !self.is_suspended && self.answers.is_empty()
    }

    /// Whether the instance may be ended from outside.
    pub(super) fn will_terminate(&self) -> bool {
        self.will_terminate
    }

    pub(super) fn time(&mut self, episode: u64) -> Timestamp {
        // Sometimes earlier than before, as clocks of several machines are.
        crate::script::at((episode * 10 + self.random.below(25) as u64).saturating_sub(12))
    }

    /// The messages of one episode.
    pub(super) fn batch(&mut self) -> Vec<EventKind> {
        let largest = if self.random.chance(30) { 40 } else { 4 };
        let count = self.random.between(1, largest);
        let mut batch = Vec::new();
        while batch.len() < count {
            batch.push(self.message());
        }
        batch
    }

    fn message(&mut self) -> EventKind {
        let reason = String::new;
        if !self.has_started && self.random.chance(80) {
            self.has_started = true;
            return start();
        }
        match self.random.below(100) {
            0..2 => {
                self.is_suspended = true;
                EventKind::ExecutionSuspended { reason: reason() }
            }
            2..6 => self.resume(),
            6 => EventKind::GenericEvent { data: reason() },
            99 if self.will_terminate && self.has_started => {
                EventKind::ExecutionTerminated { reason: reason(), recursive: self.random.chance(50) }
            }
            7..12 => self.echo(),
            12..20 => self.external_event(),
            _ if !self.has_started => self.external_event(),
            _ => match self.random.take(&mut self.answers) {
                Some(answer) => {
                    self.echoes.push(answer.clone());
                    answer
                }
                None if self.is_suspended => self.resume(),
                None => self.external_event(),
            },
        }
    }

    fn resume(&mut self) -> EventKind {
        self.is_suspended = false;
        EventKind::ExecutionResumed { reason: String::new() }
    }

    fn echo(&mut self) -> EventKind {
        if self.has_started && self.random.chance(5) {
            return start();
        }
        match self.echoes.is_empty() {
            true => self.external_event(),
            false => self.echoes[self.random.below(self.echoes.len())].clone(),
        }
    }

    fn external_event(&mut self) -> EventKind {
        let name = EVENTS[self.random.below(EVENTS.len())].clone();
        self.events += 1;
        let number = self.events << 24 | self.random.next() >> 40;
        EventKind::EventRaised { name, input: Payload::of(&number).unwrap() }
    }

    /// Whether a duplicate is given to the session although it does not expect it.
    pub(super) fn insists(&mut self) -> bool {
        self.random.chance(50)
    }

    /// Forgets what nobody of the next execution asked for: the worker drops it by its execution id.
    pub(super) fn begin_anew(&mut self) {
        self.answers.clear();
        self.echoes.clear();
    }

    /// Takes up what an episode asked for.
    pub(super) fn learn(&mut self, end: &EpisodeEnd) {
        for action in &end.actions {
            self.answers.extend(self.answer(action.id, &action.kind));
            action.kind.closes().into_iter().for_each(|task| self.come_late(task));
        }
        end.cancelled_timers.iter().for_each(|timer| self.come_late(*timer));
    }

    /// Nobody waits for the answer any more.
    fn come_late(&mut self, task: EventId) {
        if let Some(at) = self.answers.iter().position(|answer| answer.answers() == Some(task)) {
            let late = self.answers.swap_remove(at);
            self.echoes.push(late);
        }
    }

    fn answer(&self, id: EventId, asked: &EventKind) -> Option<EventKind> {
        match asked {
            EventKind::TaskScheduled { name, input, .. } if *name == HTTP_ACTIVITY => {
                Some(self.http_answer(id, &input.read().unwrap()))
            }
            EventKind::TaskScheduled { name, input, .. } => {
                let input: u64 = input.read().unwrap();
                let result = mix(mix(self.seed, u64::from(id.as_i32().cast_unsigned())), input) >> 32;
                if *name == SHAKY && result.is_multiple_of(3) {
                    return Some(EventKind::TaskFailed { task: id, failure: Failure::new("bad luck") });
                }
                Some(EventKind::TaskCompleted { task: id, result: Payload::of(&result).unwrap() })
            }
            EventKind::SubOrchestrationInstanceCreated(child) if !child.is_detached => {
                let input: u64 = child.input.read().unwrap();
                let result = mix(mix(self.seed, u64::from(id.as_i32().cast_unsigned())), input) >> 32;
                if child.name == SHAKY && result.is_multiple_of(3) {
                    let failure = Failure::new("bad luck below");
                    return Some(EventKind::SubOrchestrationInstanceFailed { task: id, failure });
                }
                let result = Payload::of(&result).unwrap();
                Some(EventKind::SubOrchestrationInstanceCompleted { task: id, result })
            }
            EventKind::EntityOperationCalled { operation, input, .. } => {
                let input: u64 = input.read().unwrap();
                let result = mix(mix(self.seed, u64::from(id.as_i32().cast_unsigned())), input) >> 32;
                if *operation == FRAGILE && result.is_multiple_of(3) {
                    let failure = Failure::new("bad luck inside");
                    return Some(EventKind::EntityOperationFailed { task: id, failure });
                }
                let result = Payload::of(&result).unwrap();
                Some(EventKind::EntityOperationCompleted { task: id, result })
            }
            EventKind::EntityLockRequested { .. } => Some(EventKind::EntityLockGranted { task: id }),
            EventKind::TimerCreated { fire_at, .. } => {
                Some(EventKind::TimerFired { timer: id, fire_at: *fire_at })
            }
            _ => None,
        }
    }

    /// Done, busy, broken, accepted with and without a place to ask, or no answer at all.
    fn http_answer(&self, id: EventId, request: &HttpRequest) -> EventKind {
        let drawn = mix(mix(self.seed, u64::from(id.as_i32().cast_unsigned())), request.uri().len() as u64);
        let accepted = HttpResponse::new(202).header("location", format!("next/{}", drawn % 7));
        let answer = match drawn % 8 {
            0 | 1 => accepted,
            2 => accepted.header("retry-after", (drawn % 90).to_string()),
            3 => HttpResponse::new(202),
            4 => HttpResponse::new(503).header("retry-after", "9"),
            5 => return EventKind::TaskFailed { task: id, failure: Failure::new("no route") },
            _ => HttpResponse::new(200).content("x".repeat((drawn % 50) as usize)),
        };
        EventKind::TaskCompleted { task: id, result: Payload::of(&answer).unwrap() }
    }
}
