//! What has happened: the events of an execution, in the field's own terms.
//!
//! Pure data. Must not know who asks or where it is stored. Begin with [`HistoryEvent`], then
//! [`History`]; [`mod@format`] is how both are written down.

mod event;
pub mod format;
#[allow(clippy::module_inception, reason = "the folder's main type has a file of its name")]
mod history;
mod message;
mod start;

pub use event::{BEHAVIOUR, EventId, EventKind, HistoryEvent};
pub use history::History;
pub use message::TaskMessage;
pub use start::{ExecutionStarted, NAMESPACE, ParentInstance, SubOrchestration};
