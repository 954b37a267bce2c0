//! A saga: what was done is undone, last first, when a later step fails.
//!
//! ```console
//! $ cargo run -p durable-examples --bin saga
//! ```
//!
//! The list of what is to be undone is an ordinary `Vec`: it is as durable as the orchestrator that holds it.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Duration;

use durable::prelude::*;
use durable_testkit::TestHub;
use serde::{Deserialize, Serialize};

/// One part of a trip.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Part {
    Flight,
    Hotel,
    Car,
}

/// Why a part cannot be had. Typed: the orchestrator gets it back as it was.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
pub(crate) enum BookingError {
    #[error("no {part:?} left in {city}")]
    SoldOut { part: Part, city: String },
}

/// Books all parts, or none: each failure undoes what was booked before.
#[orchestrator]
async fn book_trip(ctx: OrchestrationContext, city: String) -> Result<Vec<String>, Failure> {
    let mut booked = Vec::new();
    for part in [Part::Flight, Part::Hotel, Part::Car] {
        match ctx.call(book::with(part, &city)).await {
            Ok(number) => booked.push((part, number)),
            Err(failure) => {
                // Undoing must not fail: tried again for as long as it takes.
                let patient = RetryPolicy::new(u32::MAX, Duration::from_secs(5));
                for (part, number) in booked.into_iter().rev() {
                    ctx.call(cancel::with(part, number).retry(patient.clone())).await?;
                }
                return Err(failure);
            }
        }
    }
    Ok(booked.into_iter().map(|(_, number)| number).collect())
}

#[activity]
async fn book(part: Part, city: String) -> Result<String, BookingError> {
    if matches!(part, Part::Car) && city == "Venice" {
        println!("  ✗ {part:?} in {city}");
        return Err(BookingError::SoldOut { part, city });
    }
    println!("  ● {part:?} in {city}");
    Ok(format!("{city}-{part:?}"))
}

/// Fails the first time, as such things do.
#[activity]
async fn cancel(ctx: ActivityContext, part: Part, number: String) -> Result<(), String> {
    if matches!(part, Part::Hotel) && ctx.policy_attempt().number == 1 {
        println!("  ⟳ {number}: the hotel does not answer");
        return Err("no answer".into());
    }
    println!("  ◌ {number} cancelled");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let hub = TestHub::start().await?;
    for city in ["Rome", "Venice"] {
        match hub.run(book_trip::with(city)).await {
            Ok(numbers) => println!("  ◉ {}\n", numbers.join(", ")),
            Err(durable::Error::Failed { failure, .. }) => {
                let reason: Option<BookingError> = failure.downcast();
                println!(
                    "  ◉ no trip: {}",
                    reason.map_or_else(|| failure.to_string(), |error| error.to_string())
                );
            }
            Err(other) => return Err(other),
        }
    }
    hub.shut_down().await
}
