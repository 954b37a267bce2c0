//! Locks and signals whose order of waking is not fixed by the history (replay.md, R16 and R17).

use durable::prelude::*;

#[orchestrator]
async fn shares(_ctx: OrchestrationContext) -> Result<u32, Failure> {
    let fair_by_the_clock = async_lock::Mutex::new(0);
    let fair_too = async_lock::RwLock::new(0);
    let by_chance = tokio::sync::Barrier::new(2);
    by_chance.wait().await;
    Ok(*fair_by_the_clock.lock().await + *fair_too.read().await)
}

fn main() {}
