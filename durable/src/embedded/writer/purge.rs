//! Removing ended instances, a few in each transaction, or more while nobody waits.
//!
//! In a transaction of its own: who waits for the end of an instance is told it before that can go. Must
//! not know SQL. Begin with [`Writer::purge`].

use std::collections::VecDeque;

use super::{Writer, warn};
use crate::{
    embedded::{
        error::Trouble,
        operation::answer,
        place::{DUE, FEW, MANY, Place},
    },
    model::InstanceId,
    provider::ProviderError,
};

/// How long what is due is left after a failure: a full disk does not become free at once.
const REST: std::time::Duration = std::time::Duration::from_secs(60);

impl Writer {
    /// Removes one instance; whether there was one.
    pub(super) fn purge(&mut self, id: &InstanceId) -> Result<u64, ProviderError> {
        let removed = self.in_transaction(|writer| writer.store.purge(id).map(u64::from));
        removed.map_err(|trouble| trouble.on("purge", id.as_str()))
    }

    /// Goes on with the first purge under way, until somebody waits for this thread; whether there was one.
    pub(super) fn purge_some_found(&mut self) -> bool {
        let Some(mut purge) = self.purges.pop_front() else { return false };
        let removed = self.in_transaction(|writer| writer.remove_until_awaited(&mut purge.found));
        match removed.map_err(|trouble| trouble.on("purge", self.hub.as_str())) {
            Err(error) => answer(purge.reply, Err(error)),
            Ok(removed) => {
                purge.removed += removed;
                if purge.found.is_empty() {
                    answer(purge.reply, Ok(purge.removed));
                } else if !purge.reply.is_closed() {
                    self.purges.push_front(purge);
                }
            }
        }
        true
    }

    /// Removes one transaction's worth. The more, the longer nobody waits: what many leave behind takes the disk
    /// less time than what few do many times, and whoever begins to wait waits for all of it.
    fn remove_until_awaited(&mut self, found: &mut VecDeque<Place>) -> Result<u64, Trouble> {
        let mut removed = 0;
        let mut left = self.pace.min(found.len());
        while left > 0 {
            let few: Vec<_> = found.drain(..left.min(FEW)).collect();
            left -= few.len();
            removed += self.store.purge_found(&few)?;
            if self.shared.has_writes() {
                self.pace = (self.pace / 2).max(FEW);
                return Ok(removed);
            }
        }
        self.pace = (self.pace * 2).min(MANY);
        Ok(removed)
    }

    /// Removes some of what is kept no longer, and has itself told when there is more.
    pub(super) fn purge_due(&mut self) {
        let now = self.shared.clock.now();
        let next = if self.works { self.purge_some(now) } else { Ok(None) };
        let next = next.unwrap_or_else(|trouble| {
            warn(&trouble.on("purge what is due in", self.hub.as_str()));
            Some(now.saturating_add(REST))
        });
        self.shared.update(|queue| {
            queue.expect_purge(next);
            self.shared.finish_writes(1);
        });
    }

    fn purge_some(
        &mut self,
        now: crate::model::Timestamp,
    ) -> Result<Option<crate::model::Timestamp>, Trouble> {
        let removed = self.in_transaction(|writer| writer.store.purge_due(now, DUE))?;
        tracing::debug!(hub = self.hub, removed, "purged what was due");
        self.store.next_purge()
    }

    fn in_transaction<T>(
        &mut self,
        purge: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let done = self.store.begin().and_then(|()| {
            let done = purge(self)?;
            self.store.commit()?;
            Ok(done)
        });
        if done.is_err() {
            self.store.rollback();
        }
        done
    }
}
