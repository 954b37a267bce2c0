//! What becomes of a message when it is written: who is there to get it, or begins with it.
//!
//! Must not know the queue. Begin with [`deliver`].

use super::{
    error::Trouble,
    store::{Sent, Store, WrittenMessage},
};
use crate::{
    history::{EventKind, ExecutionStarted},
    model::EntityId,
    provider::{NewInstance, ProviderErrorKind, Reuse},
};

/// A start begins its instance, unless one of that id is live; an order to rewind makes its instance
/// live again; a message to an entity begins it if there is none; anything else is for an instance that is live.
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
        EventKind::EntityRequested(_) => return to_entity(store, written),
        _ => {}
    }
    store.add_message(written).map(Sent::Kept)
}

/// The first message to an entity begins it (R2:ENT-41).
fn to_entity(store: &mut dyn Store, written: &WrittenMessage) -> Result<Sent, Trouble> {
    match store.add_message(written) {
        Ok(added) => return Ok(Sent::Kept(added)),
        Err(trouble) if trouble.kind == ProviderErrorKind::NotFound => {}
        Err(trouble) => return Err(trouble),
    }
    let message = &written.message;
    let entity = EntityId::of_instance(&message.instance);
    let entity = entity.ok_or_else(|| Trouble::new(ProviderErrorKind::NotFound))?;
    let (started, at) = (ExecutionStarted::of_entity(&entity), message.event.timestamp);
    let accepted = store.create_instance(&NewInstance { started, at, reuse: Reuse::Never })?;
    Ok(Sent::Entity(Box::new(accepted), store.add_message(written)?))
}

/// Tells the worker's process what was sent.
pub(super) fn announce(store: &mut dyn Store, sent: &Sent) -> Result<(), Trouble> {
    match sent {
        Sent::Begun(accepted) => store.announce(accepted.head.key, None),
        Sent::Kept(added) => store.announce(added.key, Some(added.row)),
        Sent::Entity(accepted, added) => {
            store.announce(accepted.head.key, None)?;
            store.announce(added.key, Some(added.row))
        }
        Sent::Reopened(head, added) => {
            store.announce(head.key, None)?;
            store.announce(added.key, Some(added.row))
        }
    }
}
