//! Calls and timers that a verb of several steps asks for, on behalf of the line that used the verb.

use std::panic::Location;

use super::{
    Callee, Handle,
    journal::{Key, TaskKind},
    task::{Subject, Task},
};
use crate::{
    history::{EventKind, TimerPurpose},
    model::{Attempt, Timestamp},
};

impl Handle {
    /// Calls for the line `location`.
    pub(crate) fn call_for<T>(&self, location: &'static Location<'static>, callee: Callee) -> Task<T> {
        let subject = callee.subject();
        match self.call_at(callee, Attempt::ONLY, location) {
            Some(id) => Task::waiting(self.shared().clone(), Key::Task(id), subject),
            None => Task::inert(),
        }
    }

    /// Sets a timer for the line `location`.
    pub(crate) fn timer_for(&self, location: &'static Location<'static>, fire_at: Timestamp) -> Task<()> {
        let kind = EventKind::TimerCreated { fire_at, purpose: TimerPurpose::Sleep };
        match self.ask_at(TaskKind::Timer, kind, location) {
            Some(id) => Task::waiting(self.shared().clone(), Key::Task(id), Subject::Timer),
            None => Task::inert(),
        }
    }
}
