//! The saga: all parts of the trip, or none.

#![expect(clippy::unwrap_used, reason = "helpers of a test may unwrap as its cases do")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use durable::{Error, call::OrchestrationCall, prelude::*};
use durable_testkit::TestHub;

#[expect(dead_code, reason = "the program around the functions is not run here")]
#[path = "../src/bin/saga.rs"]
mod example;

/// What was asked to be cancelled, in order.
type Cancelled = Arc<Mutex<Vec<String>>>;

/// A hub where the first `failures` cancellations fail.
async fn hub(failures: usize) -> (TestHub, Cancelled) {
    let cancelled = Cancelled::default();
    let log = cancelled.clone();
    let cancel = move |_part: String, number: String| {
        let mut log = log.lock().unwrap();
        log.push(number);
        if log.len() > failures { Ok(()) } else { Err("no answer") }
    };
    (TestHub::builder().activity("cancel").by_result(cancel).start().await.unwrap(), cancelled)
}

fn trip_to(city: &str) -> OrchestrationCall<Vec<String>> {
    Call::orchestration("book_trip", city)
}

// R1:OVR-2, R1:OVR-3
#[tokio::test]
async fn nothing_is_undone_when_every_part_can_be_had() {
    let (hub, cancelled) = hub(0).await;
    assert_eq!(hub.run(trip_to("Rome")).await.unwrap(), ["Rome-Flight", "Rome-Hotel", "Rome-Car"]);
    assert!(cancelled.lock().unwrap().is_empty());
}

// R1:OVR-3, R2:ERR-3, R2:ERR-6, R2:ERR-8, R2:ERR-22
#[tokio::test]
async fn what_was_booked_is_undone_last_first_however_often_it_takes_and_the_reason_is_kept() {
    let (hub, cancelled) = hub(3).await;
    let (began, run) = (hub.now(), hub.client().start(trip_to("Venice")).await.unwrap());
    let Err(Error::Failed { failure, .. }) = hub.output(&run).await else {
        panic!("there is no car in Venice")
    };
    let typed: example::BookingError = failure.downcast().unwrap();
    assert_eq!(typed.to_string(), "no Car left in Venice");
    let mut tries = vec!["Venice-Hotel"; 4];
    tries.push("Venice-Flight");
    assert_eq!(*cancelled.lock().unwrap(), tries);
    assert_eq!(hub.now().duration_since(began), 3 * Duration::from_secs(5));
}
