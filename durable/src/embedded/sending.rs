//! What becomes of a message when it is written: who is there to get it, or begins with it.
//!
//! Must not know the queue. Begin with [`deliver`].

use super::{
    error::Trouble,
    store::{Sent, Store, WrittenMessage},
};
use crate::{
    history::EventKind,
    provider::{NewInstance, ProviderErrorKind, Reuse},
};

/// A start begins its instance, unless one of that id is live; an order to rewind makes its instance
/// live again; anything else is for an instance that is live.
pub(super) fn deliver(store: &mut dyn Store, written: &WrittenMessage) -> Result<Sent, Trouble> {
    let event = &written.message.event;
    match &event.kind {
        EventKind::ExecutionStarted(started) => {
            let started = (**started).clone();
            let new = NewInstance { started, at: event.timestamp, reuse: Reuse::WhenEnded };
            match store.create_instance(&new) {
                Ok(accepted) => return Ok(Sent::Begun(Box::new(accepted))),
                Err(trouble) if trouble.kind == ProviderErrorKind::AlreadyExists => {}
                Err(trouble) => return Err(trouble),
            }
        }
        EventKind::ExecutionRewound { .. } => {
            if let Some(head) = store.reopen(&written.message.instance)? {
                return Ok(Sent::Reopened(Box::new(head), store.add_message(written)?));
            }
        }
        _ => {}
    }
    store.add_message(written).map(Sent::Kept)
}

/// Tells the worker's process what was sent.
pub(super) fn announce(store: &mut dyn Store, sent: &Sent) -> Result<(), Trouble> {
    match sent {
        Sent::Begun(accepted) => store.announce(accepted.head.key, None),
        Sent::Kept(added) => store.announce(added.key, Some(added.row)),
        Sent::Reopened(head, added) => {
            store.announce(head.key, None)?;
            store.announce(added.key, Some(added.row))
        }
    }
}
