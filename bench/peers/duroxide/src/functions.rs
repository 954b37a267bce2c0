//! The orchestrations and activities of the workloads, in duroxide's words.
//!
//! What they count is how the workloads know that something is done without asking the store.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use durable_bench_gauge::{Spread, Stamps, Stopwatch, Tally, hello};
use duroxide::{
    ActivityContext, OrchestrationContext, OrchestrationRegistry, runtime::registry::ActivityRegistry,
};
use tokio::sync::Notify;

/// Operations whose last activity has ended.
pub static DONE: Tally = Tally::new();
/// Greetings that were said.
pub static GREETED: Tally = Tally::new();
/// Told with each operation that is done.
pub static ONE_DONE: Notify = Notify::const_new();
/// When the steps of the sequence, or the orchestrations of `hello`, ended.
pub static STEPS: Stamps = Stamps::new();

/// When the orchestrations in flight were started.
static STARTED: Mutex<BTreeMap<String, Stopwatch>> = Mutex::new(BTreeMap::new());
/// How long the orchestrations that are done took.
static TIMES: Mutex<Vec<Duration>> = Mutex::new(Vec::new());
/// The clock of [`STEPS`], once the warm-up is over.
static CLOCK: OnceLock<Stopwatch> = OnceLock::new();

/// Starts the clock of [`STEPS`].
pub fn start_clock() {
    CLOCK.get_or_init(Stopwatch::start);
}

/// How long the orchestrations that are done took.
pub fn times() -> Spread {
    locked(&TIMES).iter().copied().collect()
}

/// Starts the clock of one orchestration.
pub fn begin(instance: &str) {
    locked(&STARTED).insert(instance.to_owned(), Stopwatch::start());
}

/// The orchestrations that were begun, and whose last activity has not ended.
pub fn unfinished() -> Vec<String> {
    locked(&STARTED).keys().cloned().collect()
}

/// Forgets everything that was counted so far.
pub fn forget() {
    DONE.reset();
    GREETED.reset();
    locked(&STARTED).clear();
    locked(&TIMES).clear();
}

fn end(instance: &str) {
    // An activity that runs again ends an orchestration that has been counted.
    if let Some(started) = locked(&STARTED).remove(instance) {
        locked(&TIMES).push(started.elapsed());
        done();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn done() {
    if let Some(clock) = CLOCK.get() {
        STEPS.mark(*clock);
    }
    DONE.add();
    ONE_DONE.notify_one();
}

/// The activities.
pub fn activities() -> ActivityRegistry {
    ActivityRegistry::builder()
        .register("SayHello", |ctx: ActivityContext, city: String| async move {
            GREETED.add();
            if city == hello::CITIES[4] {
                end(ctx.instance_id());
            }
            Ok(hello::greeting(&city))
        })
        .register_typed("Same", |_: ActivityContext, number: u64| async move {
            done();
            Ok(number)
        })
        .build()
}

/// The orchestrations.
pub fn orchestrations() -> OrchestrationRegistry {
    OrchestrationRegistry::builder()
        .register_typed("Hello", |ctx: OrchestrationContext, (): ()| async move {
            let mut greetings = Vec::new();
            for city in hello::CITIES {
                greetings.push(ctx.schedule_activity("SayHello", city).await?);
            }
            Ok(greetings)
        })
        .register_typed("FanOut", |ctx: OrchestrationContext, size: u64| async move {
            let calls = (0..size).map(|n| ctx.schedule_activity_typed::<u64, u64>("Same", &n)).collect();
            let numbers: Result<Vec<u64>, String> = ctx.join(calls).await.into_iter().collect();
            Ok(numbers?.into_iter().sum::<u64>())
        })
        .register_typed("Sequence", |ctx: OrchestrationContext, size: u64| async move {
            let mut sum: u64 = 0;
            for n in 0..size {
                sum += ctx.schedule_activity_typed::<u64, u64>("Same", &n).await?;
            }
            Ok(sum)
        })
        .build()
}
