//! Beginning and ending to work a hub.
//!
//! Must not know SQL. Begin with [`Writer::begin_work`].

use std::mem;

use super::{Writer, warn};
use crate::{
    embedded::{
        error::Trouble,
        operation::answer,
        queue::{Phase, Queue},
        recovery::recover,
        store::WrittenMessage,
    },
    provider::{ProviderError, ProviderErrorKind},
};

impl Writer {
    pub(super) fn begin_work(&mut self) -> Result<(), ProviderError> {
        const OPERATION: &str = "begin to work";
        let holder = match self.shared.update(|queue| queue.phase) {
            Phase::Working => Some("a worker of this process works this hub"),
            // Not resumed: its loops could not be told from those of the new one.
            Phase::Ending => Some("a worker of this process is still leaving this hub"),
            Phase::NotBegun | Phase::Ended => None,
        };
        if let Some(holder) = holder {
            let held = ProviderErrorKind::Held(holder.to_owned());
            return Err(Trouble::new(held).on(OPERATION, self.hub.as_str()));
        }
        self.recover().map_err(|trouble| {
            self.store.rollback();
            self.store.release();
            trouble.on(OPERATION, self.hub.as_str())
        })?;
        self.works = true;
        self.tell_waiters();
        Ok(())
    }

    fn recover(&mut self) -> Result<(), Trouble> {
        let now = self.shared.clock.now();
        self.store.hold(now)?;
        self.store.begin()?;
        // The scan sees everything, announced or not.
        self.store.take_arrivals()?;
        let mut recovered = recover(&mut *self.store, now)?;
        self.store.mark_seen()?;
        self.store.commit()?;
        self.leftovers = mem::take(&mut recovered.leftovers);
        self.shared.update(|queue| queue.begin(recovered));
        Ok(())
    }

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
