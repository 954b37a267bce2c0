//! The orchestrations and activities of the workloads, in duroxide's words.
//!
//! What they count is how the workloads know that something is done without asking the store.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use durable_bench_gauge::{Spread, Stamps, Stopwatch, Tally, hello};
use duroxide::{
    ActivityContext, OrchestrationContext, OrchestrationRegistry, runtime::registry::ActivityRegistry,
};
use tokio::sync::Notify;

/// Operations whose last activity has ended.
pub static DONE: Tally = Tally::new();
/// Told with each operation that is done.
pub static ONE_DONE: Notify = Notify::const_new();
/// When the steps of the sequence were taken.
pub static STEPS: Stamps = Stamps::new();
/// When the orchestrations in flight were started.
pub static STARTED: LazyLock<Mutex<HashMap<String, Stopwatch>>> = LazyLock::new(Mutex::default);
/// How long the orchestrations that are done took.
pub static TIMES: Mutex<Vec<std::time::Duration>> = Mutex::new(Vec::new());

static SINCE: LazyLock<Stopwatch> = LazyLock::new(Stopwatch::start);

/// Starts the clock of [`STEPS`].
pub fn start_clock() {
    LazyLock::force(&SINCE);
}

/// How long the orchestrations that are done took.
pub fn times() -> Spread {
    TIMES.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
}

fn done() {
    DONE.add();
    ONE_DONE.notify_one();
}

/// The activities.
pub fn activities() -> ActivityRegistry {
    ActivityRegistry::builder()
        .register("SayHello", |ctx: ActivityContext, city: String| async move {
            if city == hello::CITIES[4] {
                let started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
                let took = started.get(ctx.instance_id()).map(Stopwatch::elapsed);
                TIMES.lock().unwrap_or_else(PoisonError::into_inner).extend(took);
                done();
            }
            Ok(hello::greeting(&city))
        })
        .register_typed("Same", |_: ActivityContext, number: u64| async move {
            STEPS.mark(*SINCE);
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
