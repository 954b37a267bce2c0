//! A hub as a whole: to begin its work, to make and to delete it.
//!
//! Must not know SQL. Begin with [`Writer::begin_work`].

use std::mem;

use super::Writer;
use crate::{
    embedded::{error::Trouble, queue::Phase, recovery::recover},
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

    pub(super) fn create_hub(&mut self) -> Result<(), ProviderError> {
        self.store.create_hub().map_err(|trouble| trouble.on("create", self.hub.as_str()))
    }

    pub(super) fn delete_hub(&mut self) -> Result<(), ProviderError> {
        let refused =
            self.works.then(|| Trouble::new(ProviderErrorKind::Held("this process works the hub".into())));
        let deleted = refused.map_or_else(|| self.store.delete_hub(), Err);
        deleted.map_err(|trouble| trouble.on("delete", self.hub.as_str()))?;
        self.shared.update(|queue| queue.waiters.dismiss_all());
        Ok(())
    }
}
