//! What an orchestrator may do, and what it is permitted.

use std::collections::{BTreeMap, HashMap};

use durable::{activity, context::OrchestrationContext, model::Failure, orchestrator};

#[activity]
async fn work(n: u8) -> u8 {
    n
}

/// Fixed poll order: a bare `select!` is durable's, also where tokio's is imported.
#[orchestrator]
async fn races(ctx: OrchestrationContext) -> Result<u8, Failure> {
    #[allow(unused_imports)]
    use tokio::select;
    let (mut left, mut right) = (ctx.call(work::with(1)), ctx.call(work::with(2)));
    let first = select! {
        answer = &mut left => answer?,
        answer = &mut right => answer?,
    };
    let (second, third) = tokio::join!(
        async {
            durable::select! { answer = left => answer, else => unreachable!() }
        },
        async {
            tokio::select! { biased; answer = right => answer, }
        },
    );
    let fourth = (|| async { futures::select_biased! { answer = ctx.call(work::with(1)) => answer } })().await;
    Ok(first + second? + third? + fourth?)
}

#[orchestrator(allow(clock, random, env, io, hash_order, sleep, spawn, thread, poll_order))]
async fn permitted(_ctx: OrchestrationContext) -> usize {
    let started = std::time::Instant::now();
    let table = HashMap::from([(1, 2)]);
    let _ = (started, std::env::var("HOME"), std::fs::read("x"));
    table.iter().count()
}

/// Look-ups in a hash table have no order; seeded randomness repeats.
#[orchestrator]
async fn harmless(ctx: OrchestrationContext, prices: HashMap<String, u8>) -> Result<u8, Failure> {
    let mut sum = prices.get("tea").copied().unwrap_or_default();
    let sorted: BTreeMap<String, u8> = prices.into_iter().collect();
    for (_, value) in &sorted {
        sum += value;
    }
    ctx.sleep(std::time::Duration::from_secs(1)).await?;
    Ok(sum)
}

fn main() {}
