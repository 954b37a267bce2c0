//! The counter, typed and as a function: the same to whoever sends to it.

use durable::prelude::*;
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/counter.rs"]
mod example;

use example::{Counter, count_to, milestones, tally_to};

// R2:ENT-18 to R2:ENT-25, R2:ENT-39, R3:ENT-4, R3:ENT-20, R3:ENT-58
#[tokio::test]
async fn both_counters_count_and_the_milestone_is_told_once() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    for _ in 0..25 {
        client.signal(Counter::at("Game1").add(10)).await.unwrap();
    }
    assert_eq!(hub.run(count_to::with("Game1", 1)).await.unwrap(), 251);
    assert_eq!(client.read(&Counter::at("Game2")).await.unwrap(), None);
    assert_eq!(hub.run(tally_to::with("Game1", 7)).await.unwrap(), 7);
    assert_eq!(hub.run(milestones::with()).await.unwrap(), ["Game1"]);
}

// R2:ENT-17, R3:ENT-8
#[tokio::test]
async fn a_deleted_counter_begins_anew() {
    let hub = TestHub::start().await.unwrap();
    let client = hub.client();
    assert_eq!(hub.run(count_to::with("a", 5)).await.unwrap(), 5);
    client.signal(Counter::at("a").delete()).await.unwrap();
    assert_eq!(hub.run(count_to::with("a", 2)).await.unwrap(), 2);
    client.signal(Counter::at("a").reset()).await.unwrap();
    assert_eq!(hub.run(count_to::with("a", 0)).await.unwrap(), 0);
    assert_eq!(client.read(&Counter::at("a")).await.unwrap(), Some(Counter::default()), "it is not deleted");
}
