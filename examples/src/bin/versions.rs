//! Two versions of one orchestrator side by side: orders that run keep the code they began with, new ones
//! take the new code.
//!
//! ```console
//! $ cargo run -p durable-examples --bin versions
//! ```
//!
//! Plays two deployments of a shop one after the other, on one hub.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{call::Event, prelude::*};

/// The customer has paid.
const PAID: Event<bool> = Event::new("Paid");

/// How an order went at first. Unchanged since: orders are under way that began with it.
#[orchestrator(name = "order", version = "1")]
async fn order_1(ctx: OrchestrationContext, item: String) -> Result<String, Failure> {
    ctx.wait_for(PAID).await?;
    ctx.call(ship::with(item)).await
}

/// How an order goes now: the item is set aside before anybody pays. Under the old version this would be
/// another path than the one that running orders have recorded, and they would fail.
#[orchestrator(name = "order", version = "2")]
async fn order(ctx: OrchestrationContext, item: String) -> Result<String, Failure> {
    let shelf = ctx.call(set_aside::with(&item)).await?;
    ctx.wait_for(PAID).await?;
    ctx.call(ship::with(format!("{item} from {shelf}"))).await
}

#[activity]
async fn set_aside(item: String) -> String {
    format!("shelf {}", item.len())
}

#[activity]
async fn ship(what: String) -> String {
    format!("shipped {what}")
}

/// What the first deployment was built with.
fn first_deployment() -> Result<Registry, durable::Error> {
    Ok(Registry::builder().add::<order_1>().add::<ship>().build()?)
}

/// What the second one is built with: both versions, for as long as old orders run.
fn second_deployment() -> Result<Registry, durable::Error> {
    Ok(Registry::builder().add::<order_1>().add::<order>().add::<set_aside>().add::<ship>().build()?)
}

/// An order by name: it takes the default version of whoever starts it.
fn place(id: &str, item: &str) -> durable::call::OrchestrationCall<String> {
    Call::orchestration("order", item).instance_id(id)
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let hub = TaskHub::open("memory:").await?;

    let worker = hub.worker().functions(first_deployment()?).start().await?;
    let client = hub.client().default_version("order", "1");
    let old = client.start(place("old", "teapot")).await?;
    old.wait_for_start().await?;
    println!("first deployment:\n{}", worker.explain(&old).await?);
    worker.shut_down().await?;

    let worker = hub.worker().functions(second_deployment()?).start().await?;
    let client = hub.client().default_version("order", "2");
    let new = client.start(place("new", "kettle")).await?;
    for run in [&old, &new] {
        client.raise(run, PAID, true).await?;
        let output = run.output().await?;
        let version = run.state().await?.and_then(|state| state.version);
        println!("{}, version {}: {output}", run.id(), version.map_or_else(String::new, |it| it.to_string()));
    }
    worker.shut_down().await
}
