//! The erased form of an entity's code: what a macro, or a function with its own dispatch, fills in.
//!
//! Must not know queues or locks. Begin with [`EntityExecutor`].

use futures::future::BoxFuture;

use crate::{
    history::{ExecutionStarted, OperationRequest},
    model::{EntityId, Failure, OperationName, Payload, Timestamp},
};

/// The code of one kind of entity.
pub trait EntityExecutor: Send + Sync {
    /// Brings an entity into memory. `state` is what was saved last; `None` when it has none yet, or was
    /// deleted. Called once a batch, and again after a failed operation.
    ///
    /// Cheap and without fail: a state that cannot be read fails the operations that need it, and stays
    /// stored as it is (R3:ENT-49); `delete` needs none.
    fn load(&self, entity: &EntityId, state: Option<Payload>) -> Box<dyn LiveEntity>;
}

/// An entity in memory, with its state as the type that its operations know.
pub trait LiveEntity: Send {
    /// Runs one operation and gives the entity back, changed as the operation left it. What a failed
    /// operation did to it is thrown away, so it need not tidy up; it may panic.
    fn operate(self: Box<Self>, operation: OperationRequest) -> BoxFuture<'static, Operated>;

    /// Another one like it, to go back to; `None` if that is not possible. Then the state is written as
    /// JSON after each operation that may change it.
    fn copy(&self) -> Option<Box<dyn LiveEntity>>;

    /// The state as it is to be stored; `None` when the entity has none.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn save(&self) -> Result<Option<Payload>, Failure>;

    /// Whether the operation never changes the state: nothing is kept to undo it then.
    fn is_read_only(&self, operation: &OperationName) -> bool {
        let _ = operation;
        false
    }
}

/// What an operation leaves behind.
pub struct Operated {
    /// The entity.
    pub entity: Box<dyn LiveEntity>,
    /// What the caller gets.
    pub result: Result<Payload, Failure>,
    /// What the operation sent, in order. Sent only if it succeeded.
    pub sent: Vec<Sent>,
}

/// Something that an operation sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A signal to an entity, itself included (R2:ENT-39).
    Signal {
        /// Which entity.
        entity: EntityId,
        /// Which operation.
        operation: OperationName,
        /// With what.
        input: Payload,
        /// When it is to run, if not at once.
        due: Option<Timestamp>,
    },
    /// The start of an orchestration that nobody waits for (R3:ENT-15).
    Start(Box<ExecutionStarted>),
}

impl std::fmt::Debug for Operated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operated")
            .field("result", &self.result)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}
