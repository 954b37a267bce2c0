//! Leaving a hub to others, once nothing is out any more.
//!
//! Begin with [`Writer::release_if_ended`].

use super::{Writer, warn};
use crate::embedded::{error::Trouble, operation::answer, queue::Queue, store::WrittenMessage};

impl Writer {
    /// Leaves the hub to others once nothing is out any more.
    pub(super) fn release_if_ended(&mut self) {
        if !self.works {
            return;
        }
        let shared = self.shared.clone();
        let may = shared.update(|queue| queue.may_be_released() && !shared.has_writes());
        if !may {
            return;
        }
        if let Err(trouble) = self.keep_loose_results() {
            // Their activities run again.
            self.store.rollback();
            warn(&trouble.on("keep the last results of activities in", self.hub.as_str()));
        }
        self.works = false;
        // The next worker removes them; their numbers may then be given to messages of its own.
        self.leftovers.clear();
        self.shared.update(Queue::end);
        self.store.release();
    }

    /// What is out may take long and is not waited for; writes under way come next, and are.
    pub(super) fn tell_leaving(&mut self) {
        if !(self.works && self.shared.update(|queue| queue.may_be_released())) {
            self.leaving.drain(..).for_each(|reply| answer(reply, Ok(())));
        }
    }

    fn keep_loose_results(&mut self) -> Result<(), Trouble> {
        let results = self.shared.update(Queue::loose_results);
        if results.is_empty() {
            return Ok(());
        }
        self.store.begin()?;
        for result in results {
            self.add_outgoing(&WrittenMessage::new(result)?)?;
        }
        self.store.commit()
    }
}
