//! What replay cannot repeat: each group with what to use instead.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use durable::{context::OrchestrationContext, orchestrator};

#[orchestrator]
async fn clock(_ctx: OrchestrationContext) {
    let _ = SystemTime::now();
    let _ = std::time::Instant::now();
}

#[orchestrator]
async fn random(_ctx: OrchestrationContext) {
    let _ = uuid::Uuid::new_v4();
}

#[orchestrator]
async fn elsewhere(_ctx: OrchestrationContext) {
    tokio::time::sleep(Duration::from_secs(1)).await;
    std::thread::sleep(Duration::from_secs(1));
    let _ = tokio::spawn(async {});
    let _ = std::thread::spawn(|| {});
}

#[orchestrator]
async fn world(_ctx: OrchestrationContext) {
    let _ = std::env::var("HOME");
    let _ = std::fs::read("x");
    let _ = std::net::TcpStream::connect("localhost:1");
    // Also inside closures and macros.
    let _ = || println!("{:?}", std::fs::metadata("x"));
}

#[orchestrator]
async fn hash_order(_ctx: OrchestrationContext, prices: HashMap<String, u8>) {
    let seen: HashSet<u8> = HashSet::new();
    let collected = prices.keys().collect::<HashSet<_>>();
    for _ in &seen {}
    for _ in collected {}
    let _: Vec<_> = seen.iter().collect();
}

#[orchestrator]
async fn poll_order(_ctx: OrchestrationContext) {
    let _ = tokio::sync::watch::channel(1);
}

fn main() {}
