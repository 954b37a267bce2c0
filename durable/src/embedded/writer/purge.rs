//! Removing ended instances, a few in each transaction.
//!
//! In a transaction of its own: who waits for the end of an instance is told it before that can go. Must
//! not know SQL. Begin with [`Writer::purge`].

use super::{Writer, warn};
use crate::{
    embedded::{error::Trouble, operation::Purge, place::SLICE},
    provider::ProviderError,
};

/// How long what is due is left after a failure: a full disk does not become free at once.
const REST: std::time::Duration = std::time::Duration::from_secs(60);

impl Writer {
    /// Removes what was asked for; how many instances.
    pub(super) fn purge(&mut self, purge: &Purge) -> Result<u64, ProviderError> {
        let removed = self.in_transaction(|writer| match purge {
            Purge::One(id) => writer.store.purge(id).map(u64::from),
            Purge::Found(places) => writer.store.purge_found(places),
        });
        let subject = match purge {
            Purge::One(id) => id.as_str(),
            Purge::Found(_) => &self.hub,
        };
        removed.map_err(|trouble| trouble.on("purge", subject))
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
        let removed = self.in_transaction(|writer| writer.store.purge_due(now, SLICE))?;
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
