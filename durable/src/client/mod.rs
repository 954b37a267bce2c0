//! Starting and watching orchestrations from outside.
//!
//! Needs a provider and nothing else: a process that only starts orchestrations has no registry
//! and no worker. Begin with [`Client`].

mod admin;
mod again;
mod control;
mod entities;
mod entity_admin;
mod explain;
mod reply;
mod run;
mod wait;

use std::{collections::BTreeMap, sync::Arc};

use uuid::Uuid;

pub use entity_admin::{CleanedEntities, EntitySnapshot, EntitySnapshots, HeldLock, LockWait};
pub(crate) use explain::{add_locks, stored};
pub use reply::Reply;
pub use run::Run;

use crate::{
    call::{CallableFromClient, Event, RunId, StartRequest, Startable},
    error::Error,
    history::{BEHAVIOUR, EventKind, ExecutionStarted, History, HistoryEvent, TaskMessage},
    model::{ExecutionId, FunctionName, FunctionVersion, InstanceId, InstanceState, Storable, Timestamp},
    provider::{NewInstance, Provider},
    tracking::Tracker,
};

/// Starts, asks and messages the orchestrations of one hub. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    provider: Arc<dyn Provider>,
    max_payload: usize,
    tracker: Tracker,
    default_versions: Arc<DefaultVersions>,
}

/// For each orchestrator the version in which it is started by its name alone.
pub(crate) type DefaultVersions = BTreeMap<FunctionName, FunctionVersion>;

impl Client {
    /// A client of the hub that `provider` keeps. Payloads above `max_payload` bytes are refused.
    pub fn new(provider: Arc<dyn Provider>, max_payload: usize) -> Self {
        Self { provider, max_payload, tracker: Tracker::default(), default_versions: Arc::default() }
    }

    /// The same client, which tells what it starts by `tracker`.
    #[must_use]
    pub fn tracked_by(mut self, tracker: Tracker) -> Self {
        self.tracker = tracker;
        self
    }

    /// The same client, which starts `name` in `version` where neither the start nor the function says
    /// which one.
    #[must_use]
    pub fn default_version(
        mut self,
        name: impl Into<FunctionName>,
        version: impl Into<FunctionVersion>,
    ) -> Self {
        Arc::make_mut(&mut self.default_versions).insert(name.into(), version.into());
        self
    }

    pub(crate) fn default_versions(mut self, versions: Arc<DefaultVersions>) -> Self {
        self.default_versions = versions;
        self
    }

    /// Starts an orchestration: `client.start(hello_sequence::with(cities)).await?`.
    ///
    /// When it returns, the start is durable: a crash or power cut does not lose it. The id is 32
    /// hexadecimal digits unless `.instance_id(..)` chose one (R1:ORCH-4).
    ///
    /// # Errors
    /// A bad id, an input that cannot be stored, a provider error; `AlreadyExists` when a live
    /// instance has the id (DECISIONS 17).
    pub fn start<S: Startable>(&self, start: S) -> Reply<'_, Run<S::Output>> {
        let request = start.into_start();
        Reply::new(async move {
            let new = self.new_instance(request)?;
            self.tracker.scheduled(&new.started);
            let state = self.provider.create_instance(new).await?;
            Ok(Run::new(self.clone(), state.instance_id))
        })
    }

    /// There only for what the compiler says about it: a client cannot call.
    #[doc(hidden)]
    pub fn call<C: CallableFromClient>(&self, _: C) {}

    fn new_instance(&self, request: StartRequest) -> Result<NewInstance, Error> {
        let StartRequest {
            name,
            version,
            is_by_name,
            input,
            instance,
            tags,
            scheduled_start,
            retention,
            reuse,
            ..
        } = request;
        let version = version.or_else(|| self.default_versions.get(&name).filter(|_| is_by_name).cloned());
        let now = self.provider.clock().now();
        let instance = match instance {
            Some(chosen) => chosen?,
            None => InstanceId::new(fresh_id(now))?,
        };
        let input = input.map_err(|source| Error::Input { function: name.clone(), source })?;
        let input =
            input.within(self.max_payload, "the input of the orchestration").map_err(Error::Payload)?;
        let started = ExecutionStarted {
            name,
            version,
            input,
            instance,
            execution: ExecutionId::new(fresh_id(now)),
            generation: 0,
            tags,
            scheduled_start,
            retention,
            parent: None,
            behaviour: BEHAVIOUR,
        };
        Ok(NewInstance { started, at: now, reuse })
    }

    /// An instance that exists, by its typed id: `client.run(transfer::at("order-17"))?`.
    ///
    /// # Errors
    /// When the text is not an instance id; whether the instance exists is not asked.
    pub fn run<O: Storable>(&self, id: impl Into<RunId<O>>) -> Result<Run<O>, Error> {
        Ok(Run::new(self.clone(), id.into().into_instance_id()?))
    }

    /// Raises an external event. When it returns, the event is durable; it waits for the
    /// orchestration if nobody waits for it (R1:EVT-9, EVT-10).
    ///
    /// # Errors
    /// `NotFound` when there is no such instance, `Ended` when it has ended (DECISIONS 5).
    #[expect(clippy::needless_pass_by_value, reason = "like every payload, data is given away")]
    pub fn raise<T: Storable>(
        &self,
        run: impl AsRef<InstanceId>,
        event: impl Into<Event<T>>,
        data: T,
    ) -> Reply<'_, ()> {
        let name = event.into().name().clone();
        let input = data.encode().map_err(|error| Error::Payload(error.into()));
        let instance = run.as_ref().clone();
        Reply::new(async move {
            let input = input?.within(self.max_payload, "the data of the event").map_err(Error::Payload)?;
            let event =
                HistoryEvent::new(self.provider.clock().now(), EventKind::EventRaised { name, input });
            let message = TaskMessage { instance, execution: None, event, visible_at: None };
            Ok(self.provider.send(message).await?)
        })
    }

    /// The instance as it stands; `None` when there is none.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn state(&self, instance: &InstanceId) -> Result<Option<InstanceState>, Error> {
        Ok(self.provider.read_state(instance).await?)
    }

    /// The history of the instance's current execution (R1:ORCH-22); without what functions were given
    /// and gave: [`History::without_payloads`] (R2:MGT-11).
    ///
    /// # Errors
    /// `NotFound`; `Corrupt` when it cannot be read.
    pub async fn history(&self, instance: &InstanceId) -> Result<History, Error> {
        Ok(self.provider.read_history(instance).await?)
    }

    pub(crate) fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }
}

/// 32 hexadecimal digits. They grow with time, so that instances made one after the other stand
/// side by side in a store's index.
fn fresh_id(now: Timestamp) -> String {
    let milliseconds = u64::try_from(now.as_microseconds() / 1000).unwrap_or(0);
    let (_, random) = Uuid::new_v4().as_u64_pair();
    let mut tail = [0; 10];
    tail[..8].copy_from_slice(&random.to_be_bytes());
    tail[8..].copy_from_slice(&Uuid::new_v4().as_bytes()[..2]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid().simple().to_string()
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}
