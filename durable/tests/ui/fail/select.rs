//! Races without a fixed poll order, also inside other macros and closures.

use durable::{context::OrchestrationContext, orchestrator};
use futures::future::ready;

#[orchestrator]
async fn of_tokio(_ctx: OrchestrationContext) {
    tokio::select! {
        _ = ready(1) => {}
        _ = ready(2) => {}
    }
}

#[orchestrator]
async fn of_futures(_ctx: OrchestrationContext) {
    let _ = || async {
        tokio::join!(async {
            futures::select! {
                _ = ready(1) => {}
            }
        })
    };
}

fn main() {}
