//! The aggregator: many sources, one entity for each metric.

use durable::prelude::*;
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/aggregator.rs"]
mod example;

use example::{Metric, averages, feed};

// R1:OVR-25, R1:OVR-26, R1:OVR-33, R3:ENT-15, R3:ENT-19
#[tokio::test]
async fn every_reading_counts_once() {
    let hub = TestHub::start().await.unwrap();
    feed(hub.client()).await.unwrap();
    let averages = hub.run(averages::with(vec!["boiler".to_owned(), "roof".to_owned()])).await.unwrap();
    let boiler = hub.client().read(&Metric::at("boiler")).await.unwrap().unwrap();
    assert_eq!(boiler.count, 250);
    assert!((averages[0] - boiler.sum / 250.0).abs() < 1e-9);
    assert!(boiler.highest <= 100.0);
}
