//! The host that fetches work items and runs functions: the only layer with threads and tasks.
//!
//! Orchestrators run on threads of the worker's own, which never enter an async runtime; activities
//! run on the tokio runtime in which the worker was started. Begin with [`Worker`].

mod activities;
mod entities;
mod explain;
mod http;
mod options;
mod orchestrations;
mod renewal;
mod unhandled;
mod watchdog;
#[cfg(feature = "http-client")]
mod web;

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use futures::{FutureExt, future::Either};
use tokio::{runtime::Handle, sync::watch};

pub use options::{MissingVersion, WorkerBuilder, WorkerOptions};
#[cfg(feature = "http-client")]
pub use web::WebClient;

use crate::{
    context::Services,
    error::Error,
    history::{EventKind, HistoryEvent, TaskMessage},
    model::{FunctionName, FunctionVersion},
    provider::{ActivityWorkItem, CheckpointTag, Provider},
    registry::{OrchestratorFn, Registry},
    replay::{ForeignWakeHook, SessionOptions},
    session::Sessions,
    tracking::Tracker,
};

/// Runs the functions of a registry on the work of one hub.
///
/// Dropping it stops fetching and leaves what runs to end by itself, activities within the grace
/// period; [`shut_down`](Self::shut_down) waits for that.
#[derive(Debug)]
pub struct Worker {
    host: Arc<Host>,
    threads: Vec<JoinHandle<()>>,
    activities: Option<tokio::task::JoinHandle<()>>,
    attendants: Vec<tokio::task::JoinHandle<()>>,
    runtime: Handle,
}

/// What the loops of one worker share.
struct Host {
    provider: Arc<dyn Provider>,
    registry: Registry,
    options: WorkerOptions,
    tracker: Tracker,
    services: Services,
    session_options: SessionOptions,
    sessions: Sessions,
    entities: entities::Entities,
    locks: renewal::HeldLocks,
    watchdog: watchdog::Watchdog,
    /// Whether the worker is on its way out.
    stopping: watch::Sender<bool>,
    /// Activities whose tasks went before they were settled.
    broken_off: Mutex<Vec<ActivityWorkItem>>,
}

impl Host {
    fn new(
        provider: Arc<dyn Provider>,
        registry: Registry,
        options: WorkerOptions,
        tracker: Tracker,
        services: Services,
        runtime: &Handle,
    ) -> Self {
        Self {
            session_options: SessionOptions {
                verify: options.always_replay,
                log_replays: options.log_replays,
                max_payload: options.max_payload,
                on_foreign_wake: Some(prodder(&provider, runtime)),
            },
            sessions: Sessions::new(options.session_bytes),
            entities: entities::Entities::new(&registry, &services, &options, runtime),
            locks: renewal::HeldLocks::default(),
            watchdog: watchdog::Watchdog::new(options.orchestrator_threads),
            stopping: watch::Sender::new(false),
            broken_off: Mutex::default(),
            provider,
            registry,
            options,
            tracker,
            services,
        }
    }

    /// The orchestrator that runs instances of this name and version here.
    fn orchestrator(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> Option<&OrchestratorFn> {
        self.registry.orchestrator_for(name, version, self.options.version_match)
    }

    fn broken_off(&self) -> MutexGuard<'_, Vec<ActivityWorkItem>> {
        self.broken_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Returns when the worker is on its way out.
    async fn stopped(&self) {
        // The sender lives in `self`, so this can only end by the wanted value.
        drop(self.stopping.subscribe().wait_for(|stopping| *stopping).await);
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// A checkpoint name that no worker of this process has used. A provider may serve several, or one
/// after the other: a name that came twice would revive a session that stands elsewhere.
fn next_tag() -> CheckpointTag {
    static TAGS: AtomicU64 = AtomicU64::new(1);
    CheckpointTag(TAGS.fetch_add(1, Ordering::Relaxed))
}

/// Causes an episode of an instance that was woken by something outside its history, so that the
/// mistake becomes its failure: no event would come. Whoever keeps a waker keeps this; it must not
/// keep the store open.
fn prodder(provider: &Arc<dyn Provider>, runtime: &Handle) -> ForeignWakeHook {
    let (provider, runtime) = (Arc::downgrade(provider), runtime.clone());
    Arc::new(move |instance| {
        let Some(provider) = provider.upgrade() else { return };
        let data = "woken by something other than its history".to_owned();
        let event = HistoryEvent::new(provider.clock().now(), EventKind::GenericEvent { data });
        let message = TaskMessage { instance: instance.clone(), execution: None, event, visible_at: None };
        runtime.spawn(async move {
            if let Err(error) = provider.send(message).await {
                tracing::error!(%error, "an orchestration was woken from outside, and cannot be told");
            }
        });
    })
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("registry", &self.registry).finish_non_exhaustive()
    }
}

impl Worker {
    pub(crate) async fn start(
        provider: Arc<dyn Provider>,
        registry: Registry,
        options: WorkerOptions,
        tracker: Tracker,
        services: Services,
    ) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(|_| Error::Worker {
            reason: "activities need a tokio runtime: call `start` inside `#[tokio::main]`".into(),
            source: None,
        })?;
        provider.create().await?;
        provider.begin_work().await?;
        for (kind, name, version) in registry.functions() {
            let version = version.map(AsRef::<str>::as_ref);
            tracing::info!(kind = kind.as_str(), %name, version, "registered");
        }
        let host = Arc::new(Host::new(provider, registry, options, tracker, services, &runtime));
        let threads = (0..host.options.orchestrator_threads)
            .map(|number| orchestrations::spawn(host.clone(), number))
            .collect::<Result<Vec<_>, _>>();
        let threads = match threads {
            Ok(threads) => threads,
            Err(error) => {
                host.provider.end_work().await;
                let reason = "the system refuses another thread".into();
                return Err(Error::Worker { reason, source: Some(error) });
            }
        };
        let activities = Some(runtime.spawn(activities::run(host.clone())));
        let mut attendants = vec![runtime.spawn(watchdog::run(host.clone()))];
        if let Some(lasts) = host.provider.lock_duration() {
            attendants.push(runtime.spawn(renewal::run(host.clone(), lasts)));
        }
        Ok(Self { host, threads, activities, attendants, runtime })
    }

    /// Fetches nothing more, lets running episodes and activities end, and returns when their
    /// results are stored. Activities that take longer than the grace period
    /// ([`WorkerBuilder::grace_period`]) are broken off and run again at the next start. Nothing is lost.
    ///
    /// # Errors
    /// When a thread of the worker ended by a panic, which is a bug of this library.
    pub async fn shut_down(mut self) -> Result<(), Error> {
        self.host.stop();
        self.host.provider.end_work().await;
        if let Some(activities) = self.activities.take() {
            settle(activities.await)?;
        }
        let threads = std::mem::take(&mut self.threads);
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).collect::<Vec<_>>()
        });
        // They wait for operations of entities, which may take for ever.
        let joined =
            match futures::future::select(joined, pin!(tokio::time::sleep(self.host.options.grace_period)))
                .await
            {
                Either::Left((joined, _)) => joined,
                Either::Right(((), joined)) => {
                    self.host.entities.break_off();
                    joined.await
                }
            };
        let clean = settle(joined)?.iter().all(Result::is_ok);
        // Now that nothing is out, the results of the last activities become durable.
        self.host.provider.flush().await;
        for attendant in self.attendants.drain(..) {
            attendant.abort();
            // Only when it is gone has it let go of the store, which can then be closed.
            drop(attendant.await);
        }
        if clean { Ok(()) } else { Err(broken("an orchestrator thread panicked")) }
    }
}

fn settle<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, Error> {
    joined.map_err(|error| broken(&error.to_string()))
}

fn broken(what: &str) -> Error {
    Error::Worker {
        reason: format!("{what}; nothing is lost, and this is a bug: please report it"),
        source: None,
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // They run until told, also when a shutdown was given up half-way.
        self.attendants.iter().for_each(tokio::task::JoinHandle::abort);
        // After `shut_down` there is nothing left to stop. Otherwise the loops end by themselves once
        // their fetches return empty.
        if self.activities.is_some() {
            self.host.stop();
            let provider = self.host.provider.clone();
            let (host, grace) = (Arc::downgrade(&self.host), self.host.options.grace_period);
            self.runtime.spawn(async move {
                tokio::time::sleep(grace).await;
                if let Some(host) = host.upgrade() {
                    host.entities.break_off();
                }
            });
            let mut ending = async move { provider.end_work().await }.boxed();
            // Begun here and now: begun later it could end the work of a worker started since.
            if (&mut ending).now_or_never().is_none() {
                self.runtime.spawn(ending);
            }
        }
    }
}
