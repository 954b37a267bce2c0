//! An event on its way to an instance.

use crate::{
    history::HistoryEvent,
    model::{ExecutionId, InstanceId, Timestamp},
};

/// An event addressed to an instance.
///
/// A store may deliver it more than once and, between different senders, in any order; the
/// receiving episode recognises what is late or double.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskMessage {
    /// Whom it is for.
    pub instance: InstanceId,
    /// Which execution of it; `None` for whichever is current, as for external events.
    pub execution: Option<ExecutionId>,
    /// What is to become part of the history.
    pub event: HistoryEvent,
    /// Not to be delivered before this time.
    pub visible_at: Option<Timestamp>,
}
