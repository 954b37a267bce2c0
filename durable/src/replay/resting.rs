//! Where an orchestration rests, for who asks from outside: what it waits for, and on which lines.
//!
//! Reads, and changes nothing that user code could see. Begin with [`Session::open_tasks`].

use std::{collections::BTreeMap, panic::Location};

use super::Session;
use crate::{history::EventId, model::EventName};

/// A wait for an external event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenWait {
    /// The event's name.
    pub event: EventName,
    /// The line of user code that waits.
    pub location: &'static Location<'static>,
}

impl Session {
    /// The activity calls and timers without a result, with the lines of user code that asked for
    /// them. Cancelled timers are not among them.
    pub fn open_tasks(&self) -> BTreeMap<EventId, &'static Location<'static>> {
        self.shared.journal().open().collect()
    }

    /// The external events that are waited for by waits that were begun since this was last asked, and
    /// not while replaying: to tell each of them once.
    pub fn take_new_waits(&mut self) -> Vec<EventName> {
        let mut journal = self.shared.journal();
        let next = journal.inbox.next_wait();
        let first = std::mem::replace(&mut journal.untold_wait, next);
        journal.inbox.waiting(first).map(|(event, _)| event.clone()).collect()
    }

    /// The waits for external events, in the order in which they were begun.
    pub fn open_waits(&self) -> Vec<OpenWait> {
        let journal = self.shared.journal();
        let waits = journal.inbox.waiting(0);
        waits.map(|(event, location)| OpenWait { event: event.clone(), location }).collect()
    }
}
