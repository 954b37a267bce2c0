//! The rules of entities: which operation runs next, who holds which lock, and what is undone.
//!
//! Pure: values in, values out. Must not know stores, runtimes or the time. Three parts, each usable
//! alone:
//!
//! - [`Turn`]: one work item of an entity. Messages in; operations to run, and afterwards the state to
//!   keep and the messages to send. Owner and queue of the lock are part of that state.
//! - [`Batch`]: a turn's operations, run one after the other over an [`EntityExecutor`]; a failed one
//!   leaves no trace.
//! - [`Sections`]: an orchestration's side: which locks it holds, what it may do meanwhile, and what is
//!   to be released when it ends, however it ends.
//!
//! `docs/critical-sections.md` has the protocol in one picture, and why no lock is ever lost.

mod batch;
mod critical_section;
mod executor;
pub mod message;
mod scheduler;
mod sorter;
mod state;

pub use batch::{Batch, BatchEnd, OperationEnd};
pub use critical_section::{LockRule, Sections};
pub use executor::{EntityExecutor, LiveEntity, Operated, Sent};
pub use scheduler::{Presence, Turn, TurnEnd, TurnOptions};
pub use sorter::Sorter;
pub use state::{AwaitedLock, EntityLock, EntityState};
