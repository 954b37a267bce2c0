//! A task hub: the door to everything an application keeps.
//!
//! Turns an address into a provider and hands out clients and workers. Begin with [`TaskHub::open`].

use std::{fmt, path::Path, sync::Arc, time::Duration};

use crate::{
    client::{Client, DefaultVersions},
    clock::SystemClock,
    embedded::{Durability, EmbeddedProvider, Options},
    error::Error,
    model::{FunctionName, FunctionVersion, TaskHubName},
    provider::{HubStore, Provider, ProviderError, ProviderErrorKind},
    replay::SessionOptions,
    tracking::{Source, Tracker},
    worker::{WorkerBuilder, WorkerOptions},
};

/// All stored things of one application, apart from every other (R2:HUB-1). Cheap to clone.
#[derive(Clone)]
pub struct TaskHub {
    name: TaskHubName,
    provider: Arc<dyn Provider>,
    max_payload: usize,
    tracker: Tracker,
    default_versions: Arc<DefaultVersions>,
}

impl TaskHub {
    /// Opens a hub by its address, and makes it when there is none (R2:HUB-24).
    ///
    /// - `sqlite:bank.db`: a file, relative to the working directory. Durable; one process works it,
    ///   others may open it as clients.
    /// - `memory:`: nothing but memory, gone with the process.
    ///
    /// # Errors
    /// A [`ProviderError`]: the address is not one of these, or the file is not a hub, is damaged, or
    /// cannot be read or written.
    pub async fn open(address: impl AsRef<str>) -> Result<Self, Error> {
        Self::options().open(address.as_ref()).await
    }

    /// A hub with other than the usual options.
    pub fn options() -> TaskHubOptions {
        TaskHubOptions {
            name: TaskHubName::DEFAULT.to_owned(),
            durability: Durability::Full,
            max_payload: SessionOptions::DEFAULT_MAX_PAYLOAD,
            tracking: Source::default(),
            default_versions: DefaultVersions::default(),
            retention: None,
        }
    }

    /// A hub in a store of your own.
    pub fn with_provider(provider: Arc<dyn Provider>) -> Self {
        let name = TaskHubName::default();
        let max_payload = SessionOptions::DEFAULT_MAX_PAYLOAD;
        Self { name, provider, max_payload, tracker: Tracker::default(), default_versions: Arc::default() }
    }

    /// The hub's name, by which logs tell hubs apart.
    pub fn name(&self) -> &TaskHubName {
        &self.name
    }

    /// A client of this hub.
    pub fn client(&self) -> Client {
        Client::new(self.provider.clone(), self.max_payload)
            .tracked_by(self.tracker.clone())
            .default_versions(self.default_versions.clone())
    }

    /// A worker for this hub, to be started. It runs every annotated function of this program.
    pub fn worker(&self) -> WorkerBuilder {
        let options = WorkerOptions { max_payload: self.max_payload, ..WorkerOptions::default() };
        WorkerBuilder::new(self.provider.clone())
            .in_hub(self.name.clone())
            .options(options)
            .tracked_by(self.tracker.clone())
    }

    /// Removes the hub and everything in it (R3:DIAG-31).
    ///
    /// # Errors
    /// `Held` while a worker works it; a provider error.
    pub async fn delete(self) -> Result<(), Error> {
        Ok(self.provider.delete().await?)
    }
}

/// How a hub is opened: `TaskHub::options().durability(Durability::Relaxed).open("sqlite:bank.db")`.
#[derive(Debug, Clone)]
#[must_use = "options do nothing until `open`"]
pub struct TaskHubOptions {
    name: String,
    durability: Durability,
    max_payload: usize,
    tracking: Source,
    default_versions: DefaultVersions,
    retention: Option<Duration>,
}

impl TaskHubOptions {
    /// Names the hub; `DurableFunctionsHub` unless told otherwise (DECISIONS 1). 3 to 45 letters and
    /// digits, the first a letter: checked by [`open`](Self::open).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What "acknowledged" means for a file: by default, safe against a power cut.
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Refuses payloads of more than `bytes` bytes of JSON, in clients and workers; 1 MiB by default.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.max_payload = bytes;
        self
    }

    /// Starts the orchestrator `name` in `version` where a start gives the name alone
    /// ([`Call::orchestration`](crate::call::Call::orchestration)). Instances that run keep their version.
    pub fn default_version(
        mut self,
        name: impl Into<FunctionName>,
        version: impl Into<FunctionVersion>,
    ) -> Self {
        self.default_versions.insert(name.into(), version.into());
        self
    }

    /// The application's name in tracking events (R3:DIAG-2).
    pub fn app_name(mut self, name: impl Into<String>) -> Self {
        self.tracking.app = name.into();
        self
    }

    /// The deployment slot's name in tracking events (R3:DIAG-2).
    pub fn slot_name(mut self, name: impl Into<String>) -> Self {
        self.tracking.slot = name.into();
        self
    }

    /// Tells inputs and outputs whole in tracking events, instead of their sizes (R3:DIAG-9). They may
    /// hold what nobody should read in a log: off by default.
    pub fn track_payloads(mut self, on: bool) -> Self {
        self.tracking.payloads = on;
        self
    }

    /// Purges orchestrations this long after they have ended, unless their start said otherwise
    /// ([`OrchestrationCall::retention`](crate::call::OrchestrationCall::retention)); by default they are
    /// kept until somebody purges them.
    ///
    /// Decided for each when it ends, by the process whose worker ends it: another age later
    /// changes nothing for those that have ended. What falls due while no worker runs is purged by the next.
    pub fn retention(mut self, age: Duration) -> Self {
        self.retention = Some(age);
        self
    }

    /// Opens the hub, see [`TaskHub::open`].
    ///
    /// # Errors
    /// See [`TaskHub::open`]; also when the name is not a hub's.
    pub async fn open(self, address: impl AsRef<str>) -> Result<TaskHub, Error> {
        let address = address.as_ref();
        let name = TaskHubName::new(self.name)?;
        let options =
            Options { durability: self.durability, clock: Arc::new(SystemClock), retention: self.retention };
        let provider: Arc<dyn Provider> = match address.split_once(':') {
            Some(("memory", "")) => Arc::new(EmbeddedProvider::in_memory_with(options)?),
            Some(("sqlite", path)) if !path.is_empty() => {
                Arc::new(EmbeddedProvider::open(Path::new(path), options)?)
            }
            _ => return Err(bad_address(address).into()),
        };
        HubStore::create(&*provider).await?;
        let tracker = Tracker::new(Source { hub: name.clone(), ..self.tracking });
        let default_versions = Arc::new(self.default_versions);
        Ok(TaskHub { name, provider, max_payload: self.max_payload, tracker, default_versions })
    }
}

fn bad_address(address: &str) -> ProviderError {
    let expected = "write `sqlite:<file>` for a hub in a file, or `memory:` for one in memory".to_owned();
    ProviderError::new(ProviderErrorKind::BadAddress(expected), "open", address)
}

impl fmt::Debug for TaskHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHub").field("name", &self.name).finish_non_exhaustive()
    }
}
