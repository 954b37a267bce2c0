//! Runs activities: fetch, call the function, deliver its result.
//!
//! Each runs as a task of the tokio runtime, so it may await, block a little, or panic; whatever
//! happens becomes a result for its orchestration.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use super::{Host, Stop};
use crate::{
    context::ActivityContext,
    history::{EventKind, HistoryEvent},
    model::{Failure, FailureKind, FunctionName, Payload},
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
        let mut free = take_slots(&slots).await;
        match host.provider.fetch_activities(free.len()).await {
            Ok(items) if items.is_empty() => break,
            Ok(items) => {
                for item in items {
                    running.spawn(process(host.clone(), item, free.pop()));
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
    }
    let all = async { while running.join_next().await.is_some() {} };
    if tokio::time::timeout(host.options.grace_period, all).await.is_err() {
        tracing::warn!(
            "activities outlast the grace period; they are broken off and run again at the next start"
        );
        host.stop(Stop::Now);
        while running.join_next().await.is_some() {}
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

async fn process(host: Arc<Host>, item: ActivityWorkItem, slot: Option<OwnedSemaphorePermit>) {
    host.locks.hold(item.lock);
    let (instance, lock) = (item.instance.clone(), item.lock);
    let ended = async {
        tokio::select! {
            biased;
            kind = execute(&host, &item) => Some(kind),
            () = broken_off(&host) => None,
        }
    };
    // Outside of the call itself only the function's drop code can panic, when it is broken off.
    let ended = AssertUnwindSafe(ended).catch_unwind().await.unwrap_or_else(|panic| {
        let failure = Failure::panicked(&*panic);
        Some(EventKind::TaskFailed { task: item.scheduled.id, failure })
    });
    let settled = match ended {
        Some(kind) => {
            let result = HistoryEvent::new(host.provider.clock().now(), kind);
            host.provider.complete_activity(item, result).await
        }
        None => host.provider.abandon_activity(item, std::time::Duration::ZERO).await,
    };
    if let Err(error) = settled {
        tracing::error!(%instance, %error, "an activity's result could not be delivered; it runs again");
    }
    host.locks.release(lock);
    drop(slot);
}

async fn broken_off(host: &Host) {
    let mut stop = host.stopping.subscribe();
    // The sender lives in `host`, so this can only end by the wanted value.
    drop(stop.wait_for(|stop| *stop == Stop::Now).await);
}

/// Runs the function, and says what its orchestration is to be told.
async fn execute(host: &Host, item: &ActivityWorkItem) -> EventKind {
    let task = item.scheduled.id;
    let EventKind::TaskScheduled { name, version, input } = &item.scheduled.kind else {
        let failure = Failure::of_kind(FailureKind::Payload, "", "the work item schedules no activity");
        return EventKind::TaskFailed { task, failure };
    };
    let outcome = match host.registry.activity(name, version.as_ref()) {
        None => Err(unknown(name)),
        Some(function) => {
            let (instance, execution) = (item.instance.clone(), item.execution.clone());
            let context =
                ActivityContext::new(name.clone(), instance, execution, task.as_i32(), item.attempt);
            let call = async { function(context, input.clone()).await };
            within_limits(host, name, call).await
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
    call: impl Future<Output = Result<Payload, Failure>>,
) -> Result<Payload, Failure> {
    let caught = AssertUnwindSafe(call).catch_unwind();
    let ended = match host.options.activity_timeout {
        None => caught.await,
        Some(limit) => match tokio::time::timeout(limit, caught).await {
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

fn unknown(name: &FunctionName) -> Failure {
    let message = format!(
        "this worker has no activity `{name}`; annotate a function of that name with `#[activity]`, and make sure \
         its crate is linked (`use that_crate as _;`)"
    );
    Failure::of_kind(FailureKind::UnknownFunction, "UnknownFunction", message)
}
