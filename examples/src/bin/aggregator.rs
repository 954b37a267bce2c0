//! An aggregator: one entity for each metric gathers what many sources tell it, over any time and in any
//! number, and acts on it (R1:OVR-25, R1:OVR-26).
//!
//! ```console
//! $ cargo run -p durable-examples --bin aggregator
//! ```
//!
//! A thousand readings of four sensors arrive at once. Nobody thinks of threads: each entity takes one reading
//! after the other.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{Error, client::Client, model::EntityName, prelude::*, provider::EntityQuery};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

/// What is known of one metric.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metric {
    pub(crate) count: u64,
    pub(crate) sum: f64,
    pub(crate) highest: f64,
    #[serde(default)]
    alarmed: bool,
}

#[entity]
impl Metric {
    pub(crate) fn record(&mut self, ctx: &EntityContext, reading: f64) {
        self.count += 1;
        self.sum += reading;
        self.highest = self.highest.max(reading);
        if reading > 99.0 && !self.alarmed {
            self.alarmed = true; // once, however many more come
            ctx.start(alarm::with(ctx.key(), reading));
        }
    }

    pub(crate) fn average(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// What an entity cannot do itself: wait, retry, ask somebody (R3:ENT-15).
#[orchestrator]
async fn alarm(ctx: OrchestrationContext, metric: String, reading: f64) -> Result<(), Failure> {
    ctx.call(tell_somebody::with(format!("{metric} is at {reading}"))).await
}

#[activity]
async fn tell_somebody(what: String) {
    println!("  │ alarm: {what}");
}

/// Asks each for its average, all at once.
#[orchestrator]
pub(crate) async fn averages(ctx: OrchestrationContext, names: Vec<String>) -> Result<Vec<f64>, Failure> {
    let calls: Vec<_> = names.iter().map(|name| ctx.call(Metric::at(name).average())).collect();
    futures::future::try_join_all(calls).await
}

const SENSORS: [&str; 4] = ["boiler", "cellar", "garden", "roof"];

/// A thousand readings, as from a stream of events.
pub(crate) async fn feed(client: &Client) -> Result<(), Error> {
    let readings = (0..1_000_u32).map(|number| {
        let sensor = SENSORS[number as usize % SENSORS.len()];
        let reading = f64::from(number * 7 % 100) + f64::from(number % 2) * 0.5;
        client.signal(Metric::at(sensor).record(reading))
    });
    stream::iter(readings).buffer_unordered(100).try_collect().await
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let hub = TaskHub::open("memory:").await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    feed(&client).await?;
    let names: Vec<_> = SENSORS.map(str::to_owned).into();
    let averages = client.start(averages::with(names)).await?.output().await?;
    for (sensor, average) in SENSORS.iter().zip(averages) {
        println!("  ○ {sensor:8} {average:6.2} {}", "▇".repeat(average as usize / 4));
    }
    let metrics = client.query_entities(EntityQuery::new().name(EntityName::literal("metric"))).await?;
    println!("  ◉ {} metrics are stored", metrics.entities.len());
    worker.shut_down().await
}
