//! Calls and timers that a verb of several steps asks for, on behalf of the line that used the verb.

use std::panic::Location;

use super::{
    Handle,
    journal::{Key, TaskKind},
    task::{Subject, Task},
};
use crate::{
    history::EventKind,
    model::{FunctionName, Payload, Timestamp},
};

impl Handle {
    /// Calls an activity for the line `location`.
    pub(crate) fn call_for<T>(
        &self,
        location: &'static Location<'static>,
        name: FunctionName,
        input: Payload,
    ) -> Task<T> {
        let subject = Subject::Activity(name.clone());
        let kind = EventKind::TaskScheduled { name, version: None, input };
        self.ask_for(location, TaskKind::Activity, kind, subject)
    }

    /// Sets a timer for the line `location`.
    pub(crate) fn timer_for(&self, location: &'static Location<'static>, fire_at: Timestamp) -> Task<()> {
        self.ask_for(location, TaskKind::Timer, EventKind::TimerCreated { fire_at }, Subject::Timer)
    }

    fn ask_for<T>(
        &self,
        location: &'static Location<'static>,
        task: TaskKind,
        kind: EventKind,
        subject: Subject,
    ) -> Task<T> {
        match self.ask_at(task, kind, location) {
            Some(id) => Task::waiting(self.shared().clone(), Key::Task(id), subject),
            None => Task::inert(),
        }
    }
}
