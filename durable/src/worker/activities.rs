//! Runs activities: fetch, call the function, deliver its result.
//!
//! Each runs as a task of the tokio runtime, so it may await, block a little, or panic; whatever
//! happens becomes a result for its orchestration.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use tracing::{Instrument, instrument::Instrumented};

use super::{Host, unhandled};
use crate::{
    context::ActivityContext,
    history::{EventKind, HistoryEvent},
    http::HTTP_ACTIVITY,
    model::{Failure, FailureKind, FunctionName, FunctionVersion, Payload},
    provider::ActivityWorkItem,
};

/// How many items one fetch takes.
const BATCH: usize = 64;
/// For how long a fetch that failed rests.
const REST: std::time::Duration = std::time::Duration::from_millis(500);

/// Runs until fetches return empty, then waits for what still runs.
pub(super) async fn run(host: Arc<Host>) {
    let slots = Arc::new(Semaphore::new(host.options.max_activities));
    let mut running = JoinSet::new();
    loop {
        let mut free = tokio::select! {
            biased;
            // Also when activities that never end hold every slot.
            () = host.stopped() => break,
            free = take_slots(&slots) => free,
        };
        match host.provider.fetch_activities(free.len()).await {
            Ok(items) if items.is_empty() => break,
            Ok(items) => {
                for item in items {
                    running.spawn(process(Running::new(&host, item), free.pop()));
                }
            }
            // A store that is out of reach keeps nobody from leaving.
            Err(_) if host.is_stopping() => break,
            Err(error) => {
                tracing::error!(%error, "cannot fetch activities; trying again");
                tokio::time::sleep(REST).await;
            }
        }
        while running.try_join_next().is_some() {}
        give_back_broken(&host).await;
    }
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(host.options.grace_period, all).await.is_err() {
        tracing::warn!(
            "activities outlast the grace period; they are broken off and run again at the next start"
        );
        running.shutdown().await;
    }
    give_back_broken(&host).await;
}

/// An activity that is out. If its task goes before it is settled, the item is kept to be given back.
struct Running {
    host: Arc<Host>,
    item: Option<ActivityWorkItem>,
}

impl Running {
    fn new(host: &Arc<Host>, item: ActivityWorkItem) -> Self {
        host.locks.hold(item.lock);
        Self { host: host.clone(), item: Some(item) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(item) = self.item.take() {
            self.host.broken_off().push(item);
        }
    }
}

/// Gives back the items of tasks that were broken off.
async fn give_back_broken(host: &Host) {
    let broken = std::mem::take(&mut *host.broken_off());
    for item in broken {
        let (instance, lock) = (item.instance.clone(), item.lock);
        if let Err(error) = host.provider.abandon_activity(item, std::time::Duration::ZERO).await {
            tracing::error!(%instance, %error, "an activity could not be given back; it comes again by itself");
        }
        host.locks.release(lock);
    }
}

/// Waits for a free slot, and takes more if there are.
async fn take_slots(slots: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let mut taken: Vec<_> = slots.clone().acquire_owned().await.into_iter().collect();
    while taken.len() < BATCH {
        match slots.clone().try_acquire_owned() {
            Ok(slot) => taken.push(slot),
            Err(_) => break,
        }
    }
    taken
}

async fn process(running: Running, slot: Option<OwnedSemaphorePermit>) {
    let Some(item) = &running.item else { return };
    running.host.tracker.activity_started(item);
    // Outside of the call itself only the function's drop code can panic, when its time is up.
    let executed = AssertUnwindSafe(execute(&running.host, item)).catch_unwind().await;
    let kind = executed.unwrap_or_else(|panic| {
        let failure = Failure::panicked(&*panic);
        EventKind::TaskFailed { task: item.scheduled.id, failure }
    });
    // Boxed, so that a running activity does not carry the memory of settling it.
    Box::pin(settle(running, kind)).await;
    drop(slot);
}

async fn settle(mut running: Running, kind: EventKind) {
    let Some(item) = running.item.take() else { return };
    let (instance, lock) = (item.instance.clone(), item.lock);
    let provider = &running.host.provider;
    running.host.tracker.activity_ended(&item, &kind);
    let result = HistoryEvent::new(provider.clock().now(), kind);
    if let Err(error) = provider.complete_activity(item, result).await {
        tracing::error!(%instance, %error, "an activity's result could not be delivered; it runs again");
    }
    running.host.locks.release(lock);
}

/// Runs the function, and says what its orchestration is to be told.
async fn execute(host: &Host, item: &ActivityWorkItem) -> EventKind {
    let task = item.scheduled.id;
    let EventKind::TaskScheduled { name, version, input, attempt } = &item.scheduled.kind else {
        let failure = Failure::of_kind(FailureKind::Payload, "", "the work item schedules no activity");
        return EventKind::TaskFailed { task, failure };
    };
    let outcome = match host.registry.activity(name, version.as_ref()) {
        None => Err(unknown(host, name, version.as_ref())),
        Some(function) => {
            let (instance, execution) = (item.instance.clone(), item.execution.clone());
            let context =
                ActivityContext::new(name.clone(), instance, execution, task.as_i32(), item.attempt)
                    .with_policy_attempt(*attempt)
                    .with_services(host.services.clone());
            // Started here and boxed by the registry: a running activity is parked in little memory.
            let span =
                tracing::info_span!("activity", instance = %item.instance, %name, task = task.as_i32());
            match span.in_scope(|| catch_unwind(AssertUnwindSafe(|| function(context, input.clone())))) {
                Ok(call) => within_limits(host, name, call.instrument(span)).await,
                Err(panic) => Err(Failure::panicked(&*panic)),
            }
        }
    };
    match outcome {
        Ok(result) => EventKind::TaskCompleted { task, result },
        Err(failure) => EventKind::TaskFailed { task, failure: failure.in_function(name) },
    }
}

async fn within_limits(
    host: &Host,
    name: &FunctionName,
    call: Instrumented<BoxFuture<'static, Result<Payload, Failure>>>,
) -> Result<Payload, Failure> {
    let caught = AssertUnwindSafe(call).catch_unwind();
    let ended = match host.options.activity_timeout {
        None => caught.await,
        // Boxed, so that activities without a limit do not carry a timer's memory.
        Some(limit) => match Box::pin(tokio::time::timeout(limit, caught)).await {
            Ok(ended) => ended,
            Err(_) => {
                let message = format!("it ran longer than the {limit:?} that the worker allows");
                return Err(Failure::of_kind(FailureKind::TimedOut, "TimedOut", message));
            }
        },
    };
    let output = ended.unwrap_or_else(|panic| Err(Failure::panicked(&*panic)))?;
    output.within(host.options.max_payload, &format!("the result of activity `{name}`"))
}

fn unknown(host: &Host, name: &FunctionName, version: Option<&FunctionVersion>) -> Failure {
    if let Some(known) = unhandled::in_words(host.registry.activity_versions(name)) {
        return unhandled::missing_version("activity", name, version, &known);
    }
    let message = if *name == HTTP_ACTIVITY {
        "this worker has no HTTP client, which `ctx.call_http(..)` needs: give it one with \
         `hub.worker().http_client(..)`, or turn on the feature `http-client` of `durable`"
            .to_owned()
    } else {
        format!(
            "this worker has no activity `{name}`; annotate a function of that name with `#[activity]`, and make \
             sure its crate is linked (`use that_crate as _;`)"
        )
    };
    Failure::of_kind(FailureKind::UnknownFunction, "UnknownFunction", message)
}
