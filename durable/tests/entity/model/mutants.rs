//! Broken variants of the protocol, to see that the model notices: each bends messages or what is kept,
//! outside the product's code.

use durable::{
    entity::EntityState,
    history::{EntityRequest, EventKind, RequestBody, TaskMessage},
    model::Payload,
};

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutant {
    /// Nothing.
    None,
    /// Locks are taken in the order in which the orchestrator named them.
    Unsorted,
    /// An execution that ends releases nothing.
    NoRelease,
    /// An execution that ends releases only what it holds, not what it waits for.
    NoReleaseWhileWaiting,
    /// A release that should follow the request is only sent to the first entity.
    ReleaseStops,
    /// A release that should follow the request is sent to all entities at once.
    ReleaseOvertakes,
    /// An entity releases whatever the instance holds, be it another section.
    ReleaseOfAnySection,
    /// An entity does not look at the section of an operation unless it holds the lock.
    NoFence,
    /// Operations do not say which section they belong to.
    SectionForgotten,
    /// Messages have no places: doubles are not recognised.
    NoPlaces,
    /// An owner that is gone is taken for live.
    NobodyIsGone,
    /// Who waits is not kept with the entity.
    QueueForgotten,
    /// The lock is not kept with the entity.
    LockForgotten,
    /// What sent messages had for places is not kept with the entity.
    PlacesForgotten,
    /// A full batch forgets what it did not get to.
    BacklogForgotten,
}

impl Mutant {
    pub(super) const ALL: [Self; 14] = [
        Self::Unsorted,
        Self::NoRelease,
        Self::NoReleaseWhileWaiting,
        Self::ReleaseStops,
        Self::ReleaseOvertakes,
        Self::ReleaseOfAnySection,
        Self::NoFence,
        Self::SectionForgotten,
        Self::NoPlaces,
        Self::NobodyIsGone,
        Self::QueueForgotten,
        Self::LockForgotten,
        Self::PlacesForgotten,
        Self::BacklogForgotten,
    ];

    /// Bends what an orchestration sends.
    pub(super) fn sent(self, message: TaskMessage, resent: &mut Vec<TaskMessage>) {
        let mut message = message;
        if let EventKind::EntityRequested(request) = &mut message.event.kind
            && let RequestBody::Release(release) = &mut request.body
        {
            if self == Self::ReleaseOvertakes {
                for entity in std::mem::take(&mut release.path) {
                    let mut other = durable::entity::message::to_entity(
                        &entity,
                        None,
                        RequestBody::Release(release.clone()),
                        message.event.timestamp,
                    );
                    if let EventKind::EntityRequested(other) = &mut other.event.kind {
                        other.sender = request.sender.clone();
                    }
                    resent.push(other);
                }
            }
            if self == Self::ReleaseStops {
                release.path.clear();
            }
        }
        resent.push(message);
    }

    /// Bends what an entity receives.
    pub(super) fn received(self, message: &mut TaskMessage, saved: &EntityState) {
        let EventKind::EntityRequested(request) = &mut message.event.kind else { return };
        let EntityRequest { sender, body, .. } = &mut **request;
        let lock = saved.lock();
        match body {
            RequestBody::Operation(operation) => {
                let holds = lock.zip(sender.as_ref()).is_some_and(|(lock, sender)| {
                    lock.owner.instance == sender.instance
                        && lock.owner.execution == sender.execution
                        && Some(&lock.owner.section) == operation.section.as_ref()
                });
                if self == Self::SectionForgotten || (self == Self::NoFence && !holds) {
                    operation.section = None;
                }
            }
            RequestBody::Release(release) if self == Self::ReleaseOfAnySection => {
                if let Some(lock) = lock.filter(|lock| lock.owner.instance == release.owner.instance) {
                    release.owner = lock.owner.clone();
                }
            }
            RequestBody::Lock(_)
            | RequestBody::Release(_)
            | RequestBody::Break(_)
            | RequestBody::Continue => {}
        }
        if self == Self::NoPlaces {
            request.place = None;
        }
    }

    /// Bends what is kept of an entity.
    pub(super) fn kept(self, state: &EntityState) -> String {
        let mut kept: serde_json::Value = Payload::of(state).unwrap().read().unwrap();
        let forgotten = match self {
            Self::QueueForgotten => "waiting",
            Self::LockForgotten => "lock",
            Self::PlacesForgotten => "sorter",
            Self::BacklogForgotten => "backlog",
            _ => "",
        };
        kept.as_object_mut().unwrap().remove(forgotten);
        kept.to_string()
    }
}
