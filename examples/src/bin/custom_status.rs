//! Publishes where an orchestration stands, for whoever looks: progress, advice, instructions (R1:CST).
//!
//! ```console
//! $ cargo run -p durable-examples --bin custom_status
//! ```

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{io::Write, time::Duration};

use durable::{call::Event, client::Run, prelude::*};
use serde_json::{Value, json};

/// The customer has paid.
const BOOKING_CONFIRMED: Event<bool> = Event::new("BookingConfirmed");

/// Progress: the status names the city that was greeted last. Each one takes the place of the one before.
#[orchestrator(name = "E1_HelloSequence")]
async fn hello_sequence(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let mut greetings = Vec::new();
    for city in ["Tokyo", "Seattle", "London"] {
        greetings.push(ctx.call(say_hello::with(city)).await?);
        ctx.set_custom_status(&city)?; // the last one is published with the end
    }
    Ok(greetings)
}

#[activity(name = "E1_SayHello")]
async fn say_hello(city: String) -> String {
    tokio::time::sleep(Duration::from_millis(400)).await;
    format!("Hello {city}!")
}

/// Advice: an orchestrator that calls nothing, whose status is all it has to say.
#[orchestrator(name = "CityRecommender")]
async fn city_recommender(ctx: OrchestrationContext, choice: u8) -> Result<(), Failure> {
    let (cities, seasons): (&[&str], &[&str]) = match choice {
        1 => (&["Tokyo", "Seattle"], &["Spring", "Summer"]),
        2 => (&["Seattle", "London"], &["Summer"]),
        3 => (&["Tokyo", "London"], &["Spring", "Summer"]),
        _ => return Ok(()), // without advice the status stays null
    };
    ctx.set_custom_status(&json!({ "recommendedCities": cities, "recommendedSeasons": seasons }))
}

/// Instructions: the status says what the customer is to do, then that it is done.
#[orchestrator(name = "ReserveTicket")]
async fn reserve_ticket(ctx: OrchestrationContext, user: String) -> Result<bool, Failure> {
    let booking_url = format!("https://www.myawesomebookingweb.com/{user}");
    ctx.set_custom_status(
        &json!({ "message": "Reserve now", "discount": 20, "discountTimeout": 60, "bookingUrl": booking_url }),
    )?;
    let is_confirmed = ctx.wait_for(BOOKING_CONFIRMED).await?;
    let message = if is_confirmed { "Thank you for confirming the booking" } else { "There was an error" };
    ctx.set_custom_status(&json!({ "message": message }))?;
    Ok(is_confirmed)
}

async fn status<O>(run: &Run<O>) -> Result<Value, durable::Error> {
    let state = run.state().await?;
    Ok(state.and_then(|state| state.custom_status.read().ok()).unwrap_or(Value::Null))
}

/// Looks every 20 ms until `is_seen`, as a page in a browser would.
async fn watch<O>(run: &Run<O>, is_seen: impl Fn(&Value) -> bool) -> Result<Value, durable::Error> {
    loop {
        let status = status(run).await?;
        if is_seen(&status) {
            return Ok(status);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let hub = TaskHub::open("memory:").await?;
    let (worker, client) = (hub.worker().start().await?, hub.client());

    let run = client.start(hello_sequence::with()).await?;
    print!("  ○ greeting");
    for city in ["Tokyo", "Seattle", "London"] {
        std::io::stdout().flush().ok(); // only looks
        watch(&run, |status| *status == city).await?;
        print!(" ─ {city}");
    }
    println!("\n  ◉ {:?}\n", run.output().await?);

    for choice in [1, 9] {
        let run = client.start(city_recommender::with(choice)).await?;
        run.output().await?;
        println!("  ◉ choice {choice}: {}", status(&run).await?);
    }

    let run = client.start(reserve_ticket::with("ada")).await?;
    println!("\n  ○ {}", watch(&run, |status| !status.is_null()).await?);
    client.raise(&run, BOOKING_CONFIRMED, true).await?;
    println!("  │\n  ◉ {}: {}", run.output().await?, status(&run).await?);
    worker.shut_down().await
}
