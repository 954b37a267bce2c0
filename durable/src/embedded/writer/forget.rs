//! Removing entities of which nothing need be kept.
//!
//! A message that comes later begins the entity anew, so none may be waiting: neither one that the queue
//! knows, nor one of the transaction under way. Begin with [`Writer::forget`].

use super::Writer;
use crate::embedded::{
    checkpoint::Settlement,
    error::Trouble,
    operation::Outcome,
    queue::Queue,
    rows::Key,
    store::{Arrival, Sent},
};

impl Writer {
    /// Removes the instance of `settlement`, whose checkpoint has just been written as the last of
    /// `outcomes`, unless a message waits for it.
    pub(super) fn forget(
        &mut self,
        settlement: &Settlement,
        arrivals: &[Arrival],
        outcomes: &mut [Result<Outcome, Trouble>],
    ) -> Result<(), Trouble> {
        let key = settlement.held.key;
        let is_told = arrivals.iter().any(|arrival| arrival.key() == key)
            || outcomes.iter().flatten().any(|outcome| outcome.tells(key))
            || self.shared.update(|queue| queue.has_messages_for(key));
        if let Some(Ok(Outcome::Saved { is_forgotten, .. })) = outcomes.last_mut()
            && !is_told
        {
            self.store.forget(&settlement.item.instance)?;
            *is_forgotten = true;
        }
        Ok(())
    }
}

impl Queue {
    /// Whether a message waits for an instance, now or until it becomes visible.
    fn has_messages_for(&self, key: Key) -> bool {
        self.timers.has_messages(key) || self.heads.get(&key).is_some_and(|head| !head.inbox.is_empty())
    }
}

impl Arrival {
    fn key(&self) -> Key {
        match self {
            Self::Instance { head, .. } => head.key,
            Self::Message { key, .. } => *key,
        }
    }
}

impl Outcome {
    /// Whether it sent the instance a message.
    fn tells(&self, key: Key) -> bool {
        let is_to = |sent: &Sent| match sent {
            Sent::Kept(added) | Sent::Entity(_, added) | Sent::Reopened(_, added) => added.key == key,
            Sent::Begun(accepted) => accepted.head.key == key,
        };
        match self {
            Self::Accepted(_) => false,
            Self::Sent(sent) => is_to(sent),
            Self::Saved { sent, .. } => sent.iter().flatten().any(is_to),
        }
    }
}
