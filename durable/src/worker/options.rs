//! What a worker may use, and how it treats what it runs.

use std::{sync::Arc, time::Duration};

use super::{Worker, http::Outside};
use crate::{
    context::Services,
    error::Error,
    http::{HttpClient, TokenSource},
    model::TaskHubName,
    provider::Provider,
    registry::{Registry, VersionMatch},
    replay::SessionOptions,
    tracking::Tracker,
};

/// What a worker may use, and how it treats what it runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerOptions {
    /// How many activities run at once (R2:PERF-18).
    pub max_activities: usize,
    /// How many entities run operations at once.
    pub max_entities: usize,
    /// How many operations of one entity run in one turn, whose end is one checkpoint (R2:PERF-9); 1 for each
    /// by itself.
    pub entity_batch: usize,
    /// How many orchestrations are between fetch and checkpoint at once (R2:PERF-18). Waiting ones
    /// do not count (R2:PERF-19).
    pub max_orchestrations: usize,
    /// On how many threads orchestrators are polled; never more than `max_orchestrations`.
    pub orchestrator_threads: usize,
    /// About how many bytes of suspended orchestrators are kept between episodes, and as many of entities
    /// between turns; 0 keeps none.
    pub session_bytes: usize,
    /// Verify mode: every episode replays the whole history and compares (R2:PERF-14).
    pub always_replay: bool,
    /// Whether what orchestrators log while they replay is let through (R3:DIAG-8).
    pub log_replays: bool,
    /// How long an activity may run; `None` for as long as it likes (R2:PERF-7).
    pub activity_timeout: Option<Duration>,
    /// The largest payload in bytes.
    pub max_payload: usize,
    /// How often one work item may be handed out before its instance fails.
    pub max_attempts: u32,
    /// How long a shutdown waits for running activities.
    pub grace_period: Duration,
    /// With which versions of an orchestrator instances are run.
    pub version_match: VersionMatch,
    /// What becomes of instances whose version this worker lacks.
    pub missing_version: MissingVersion,
}

/// What becomes of an instance whose orchestrator a worker has, but in no version that may run it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingVersion {
    /// It waits for a worker that has its version; the log says so.
    #[default]
    LeaveAlone,
    /// It fails, with a failure that names its version and those that there are.
    Fail,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
        Self {
            max_activities: 256 * cores,
            max_entities: 256 * cores,
            entity_batch: 5000,
            max_orchestrations: 8192,
            orchestrator_threads: cores,
            session_bytes: 16 * 1024 * 1024,
            always_replay: cfg!(debug_assertions),
            log_replays: false,
            activity_timeout: None,
            max_payload: SessionOptions::DEFAULT_MAX_PAYLOAD,
            max_attempts: 10,
            grace_period: Duration::from_secs(30),
            version_match: VersionMatch::default(),
            missing_version: MissingVersion::default(),
        }
    }
}

impl WorkerOptions {
    /// The same options with at least one of everything, and no thread beyond the limits.
    fn within_reason(mut self) -> Self {
        self.max_activities = self.max_activities.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self.max_entities = self.max_entities.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self.entity_batch = self.entity_batch.max(1);
        self.max_orchestrations = self.max_orchestrations.max(1);
        // Each thread has at least one at a time: with more threads the limit could not hold.
        self.orchestrator_threads = self.orchestrator_threads.clamp(1, self.max_orchestrations);
        self.max_attempts = self.max_attempts.max(1);
        self
    }
}

/// Sets up a [`Worker`]: `hub.worker().max_activities(8).start().await?`.
#[must_use = "a worker does nothing until it is started"]
pub struct WorkerBuilder {
    hub: TaskHubName,
    provider: Arc<dyn Provider>,
    registry: Option<Registry>,
    options: WorkerOptions,
    tracker: Tracker,
    services: Services,
    outside: Outside,
}

impl WorkerBuilder {
    /// A worker for the hub that `provider` keeps, with every annotated function of this program.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        let (hub, options, tracker, services, outside) = Default::default();
        Self { hub, provider, registry: None, options, tracker, services, outside }
    }

    pub(crate) fn in_hub(mut self, name: TaskHubName) -> Self {
        self.hub = name;
        self
    }

    /// Lends `service` to activities and entities, which ask for it by its type:
    /// [`ActivityContext::service`](crate::context::ActivityContext::service) (R3:BIND-22),
    /// [`EntityContext::service`](crate::context::EntityContext::service) (R3:ENT-54). Orchestrators get none: on replay it might answer otherwise.
    pub fn service<T: Send + Sync + 'static>(mut self, service: T) -> Self {
        self.services = self.services.with(service);
        self
    }

    /// Tells what becomes of instances by `tracker`.
    pub fn tracked_by(mut self, tracker: Tracker) -> Self {
        self.tracker = tracker;
        self
    }

    /// Runs the functions of `registry` instead of every annotated one.
    pub fn functions(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Replaces all options at once.
    pub fn options(mut self, options: WorkerOptions) -> Self {
        self.options = options;
        self
    }

    /// Runs at most this many activities at once; at least one.
    pub fn max_activities(mut self, most: usize) -> Self {
        self.options.max_activities = most;
        self
    }

    /// Lets at most this many entities run operations at once; at least one.
    pub fn max_entities(mut self, most: usize) -> Self {
        self.options.max_entities = most;
        self
    }

    /// Runs at most this many operations of one entity in one turn, whose end is one checkpoint (R2:PERF-9);
    /// 5000 by default, 1 for each operation by itself. Many are faster, and after a crash run again together.
    pub fn entity_batch(mut self, most: usize) -> Self {
        self.options.entity_batch = most;
        self
    }

    /// Has at most this many orchestrations between fetch and checkpoint; at least one.
    pub fn max_orchestrations(mut self, most: usize) -> Self {
        self.options.max_orchestrations = most;
        self
    }

    /// Keeps about this many bytes of suspended orchestrators between episodes; 0 keeps none.
    pub fn session_bytes(mut self, bytes: usize) -> Self {
        self.options.session_bytes = bytes;
        self
    }

    /// Replays the whole history in every episode and compares: finds orchestrators that are not
    /// deterministic. On by default in debug builds (R2:PERF-14).
    pub fn always_replay(mut self, on: bool) -> Self {
        self.options.always_replay = on;
        self
    }

    /// Lets through what orchestrators log while they replay.
    pub fn log_replays(mut self, on: bool) -> Self {
        self.options.log_replays = on;
        self
    }

    /// Fails an activity that runs longer than `limit` (R2:PERF-8).
    pub fn activity_timeout(mut self, limit: Duration) -> Self {
        self.options.activity_timeout = Some(limit);
        self
    }

    /// Refuses payloads of more than `bytes` bytes of JSON; 1 MiB by default.
    pub fn max_payload(mut self, bytes: usize) -> Self {
        self.options.max_payload = bytes;
        self
    }

    /// Lets a shutdown wait this long for running activities; 30 seconds by default.
    pub fn grace_period(mut self, duration: Duration) -> Self {
        self.options.grace_period = duration;
        self
    }

    /// With which versions of an orchestrator instances are run; by default only with their own.
    pub fn version_match(mut self, rule: VersionMatch) -> Self {
        self.options.version_match = rule;
        self
    }

    /// What becomes of instances whose version this worker lacks; by default they are left alone.
    pub fn missing_version(mut self, then: MissingVersion) -> Self {
        self.options.missing_version = then;
        self
    }

    /// Sends the requests of `ctx.call_http(..)` by `client` (R2:HTTP-33). Without one, they are sent by
    /// the client of the feature `http-client` if that is on, else they fail.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.outside.client = Some(Arc::new(client));
        self
    }

    /// Gets the tokens of requests that name the token source `name` from `source` (R2:HTTP-26).
    pub fn token_source(mut self, name: impl Into<String>, source: impl TokenSource) -> Self {
        self.outside.tokens.insert(name.into(), Arc::new(source));
        self
    }

    /// Starts the worker. Activities run on the tokio runtime in which this is called.
    ///
    /// # Errors
    /// When two functions have one name, when there is no runtime, and when the hub cannot be
    /// opened or another worker holds it.
    pub async fn start(self) -> Result<Worker, Error> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::discover()?,
        };
        let options = self.options.within_reason();
        let registry = self.outside.or_default(options.max_payload)?.add_to(registry);
        let worker = Worker::start(self.provider, registry, options, self.tracker, self.services).await?;
        tracing::info!(hub = %self.hub, "the worker has started");
        Ok(worker)
    }
}

impl std::fmt::Debug for WorkerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
