//! What entities receive: operations, and the built-in lock requests and releases.
//!
//! Values only; what an entity does with them is decided in `entity`. Begin with [`EntityRequest`].

use serde::{Deserialize, Serialize};

use super::EventId;
use crate::model::{EntityId, ExecutionId, InstanceId, OperationName, Payload, Timestamp};

/// A message to an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityRequest {
    /// Who sent it; `None` for clients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<Sender>,
    /// Its place among the messages of this sender to this entity, where the store needs it to put
    /// them in order and to recognise doubles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What it asks for.
    pub body: RequestBody,
}

/// An instance that sends messages to entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Which instance.
    pub instance: InstanceId,
    /// Which execution of it; entities have none that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionId>,
}

/// The place of a message in the sequence from one sender to one receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Later than every earlier one of the sequence.
    pub at: Timestamp,
    /// The one before it, if the sender still knew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Timestamp>,
}

/// What a message asks an entity for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestBody {
    /// To run an operation.
    Operation(OperationRequest),
    /// To be locked for a critical section, and to pass the request on (R2:ENT-53).
    Lock(LockRequest),
    /// To end a lock, or to forget the request for it.
    Release(LockRelease),
    /// To end a lock against its owner's will.
    Break(LockBreak),
    /// To go on with what waits in its queue; entities send it to themselves.
    Continue,
}

/// One operation to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationRequest {
    /// Which operation.
    pub operation: OperationName,
    /// With what.
    pub input: Payload,
    /// The call that waits for the answer; `None` for a signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<RequestId>,
    /// The critical section the call is made in. Such a call runs while the section holds the
    /// entity's lock, and at no other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<RequestId>,
    /// Not to be run before this time (R2:ENT-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// A request that passes from entity to entity and takes one lock after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRequest {
    /// Who is to hold the locks.
    pub owner: LockOwner,
    /// All entities of the section, sorted, each once.
    pub set: Vec<EntityId>,
    /// Where in `set` the receiver stands.
    #[serde(default)]
    pub position: usize,
}

/// The critical section that holds a lock, or waits for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOwner {
    /// The orchestration.
    pub instance: InstanceId,
    /// The execution of it; unknown in messages of other implementations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<ExecutionId>,
    /// The number of the lock request within the execution.
    pub section: RequestId,
}

/// A lock that is no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRelease {
    /// Whose lock.
    pub owner: LockOwner,
    /// The entities after the receiver that the request may have been passed on to: the release
    /// follows it. Empty once the lock was granted: then each entity is told directly.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<EntityId>,
}

/// An order to end a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockBreak {
    /// Whose lock; `None` for whoever holds it when the order arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<LockOwner>,
}

/// What the answer to a request names, so that the asker knows which question it answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    /// The number of the action that asked, within the sender's execution.
    Task(EventId),
    /// A text of another implementation's making, to be given back as it is.
    Foreign(String),
}

impl LockOwner {
    /// Whether both name one critical section.
    pub fn is(&self, other: &Self) -> bool {
        let is_same_execution = match (&self.execution, &other.execution) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        };
        is_same_execution && self.instance == other.instance && self.section == other.section
    }
}

impl EntityRequest {
    /// A request of `sender`, in no particular place.
    pub fn new(sender: Option<Sender>, body: RequestBody) -> Self {
        Self { sender, place: None, body }
    }
}

impl std::fmt::Display for LockOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.section {
            RequestId::Task(id) => write!(f, "critical section {id} of `{}`", self.instance),
            RequestId::Foreign(id) => write!(f, "critical section {id} of `{}`", self.instance),
        }
    }
}
