//! The contract with storage: a provider stores, the engine decides.
//!
//! A provider keeps one task hub. It hands out work, takes checkpoints and delivers messages; it
//! never interprets an orchestration. What it promises:
//!
//! - **Acknowledged is durable.** When a method returns `Ok`, its effect survives a crash.
//! - **One at a time.** Of one instance at most one work item is out at any moment.
//! - **Nothing is lost, some things come twice.** Every message is delivered at least once; a
//!   duplicate, a late answer or a message for an older execution is recognised by the episode that
//!   gets it. Between one sender and one instance, messages keep their order.
//! - **A checkpoint is all or nothing** as later work items see it. A store without a transaction
//!   over everything writes outgoing messages first, then history, then the instance, and removes
//!   the consumed messages last.
//! - **Nothing is busy.** A fetch waits until there is work, and costs nothing meanwhile.
//!
//! The futures of [`WorkStore`] are polled on plain threads outside any runtime: a provider that
//! needs one spawns onto its own. The conformance suite of `durable-testkit` checks every promise.
//! Begin with [`WorkStore`].

mod admin;
mod checkpoint;
mod entities;
mod error;
mod instances;
mod page;
mod query;
mod work;

use std::sync::Arc;

use async_trait::async_trait;

pub use admin::{AdminStore, PurgeResult};
pub use checkpoint::{Checkpoint, CheckpointTag, InstanceChange, OrphanedActivity};
pub use entities::{EntityFilter, EntityPage, EntityQuery, StoredEntity};
pub use error::{ProviderError, ProviderErrorKind};
pub use instances::{InstanceStore, NewInstance, Reuse, WaitFor};
pub use page::PageToken;
pub use query::{InstanceFilter, InstanceQuery, Page, Payloads, StatusCounts};
pub use work::{ActivityWorkItem, LockToken, OrchestrationWorkItem, Past, WorkStore};

use crate::clock::Clock;

/// A store of one task hub.
pub trait Provider: AdminStore + HubStore + InstanceStore + WorkStore {
    /// The clock by which timers fall due.
    fn clock(&self) -> Arc<dyn Clock>;
}

/// The hub as a whole.
#[async_trait]
pub trait HubStore: Send + Sync + 'static {
    /// Makes the hub, with everything it needs. Nothing happens when it exists (R2:HUB-24).
    ///
    /// # Errors
    /// When the store cannot be reached or written, or holds something of another format.
    async fn create(&self) -> Result<(), ProviderError>;

    /// Removes the hub and all it holds (R2:HUB-25). Nothing happens when there is none.
    ///
    /// # Errors
    /// `Held` while a worker works the hub.
    async fn delete(&self) -> Result<(), ProviderError>;

    /// Whether the hub has been made.
    ///
    /// # Errors
    /// When the store cannot be reached.
    async fn exists(&self) -> Result<bool, ProviderError>;
}
