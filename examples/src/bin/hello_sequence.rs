//! One activity after the other: function chaining (R1:CHAIN).
//!
//! ```console
//! $ cargo run -p durable-examples --bin hello_sequence [folder for hello.db]
//! ```
//!
//! Each greeting takes a moment. Kill the program meanwhile (`kill -9`, or pull the plug) and run it
//! again: it goes on where it was, and what was greeted is not greeted again.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{path::PathBuf, time::Duration};

use durable::prelude::*;

/// How long a greeting takes: long enough to be interrupted.
const PACE: Duration = Duration::from_millis(500);

/// Three activities, each after the one before. The function is replayed after a crash: it decides
/// what is done, and leaves the doing to activities.
#[orchestrator(name = "E1_HelloSequence")]
async fn hello_sequence(ctx: OrchestrationContext) -> Result<Vec<String>, Failure> {
    let tokyo = ctx.call(say_hello::with("Tokyo")).await?;
    let seattle = ctx.call(say_hello::with("Seattle")).await?;
    let london = ctx.call(say_hello_direct_input::with("London")).await?;
    Ok(vec![tokyo, seattle, london])
}

/// An activity that asks for its context, which knows the call (R1:CHAIN-3).
#[activity(name = "E1_SayHello")]
async fn say_hello(ctx: ActivityContext, city: String) -> String {
    draw(&city, ctx.attempt());
    tokio::time::sleep(PACE).await;
    format!("Hello {city}!")
}

/// An activity that takes its input and nothing else (R1:CHAIN-4).
#[activity(name = "E1_SayHello_DirectInput")]
async fn say_hello_direct_input(city: String) -> String {
    draw(&city, 1);
    tokio::time::sleep(PACE).await;
    format!("Hello {city}!")
}

fn draw(city: &str, attempt: u32) {
    let again = if attempt > 1 { " (again: the crash came before its end was kept)" } else { "" };
    println!("  │\n  ● {city}{again}");
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let hub = TaskHub::open(format!("sqlite:{}", folder.join("hello.db").display())).await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();

    let earlier = client.run(hello_sequence::at("hello"))?;
    let run = match earlier.state().await? {
        Some(state) if !state.runtime_status.is_terminal() => {
            println!("  ┆ going on where the last run was cut off");
            earlier
        }
        Some(_) | None => {
            println!("  ○ start");
            client.start(hello_sequence::with().instance_id("hello")).await?
        }
    };
    let greetings: Vec<String> = run.output().await?;
    println!("  │\n  ◉ {greetings:?}");

    worker.shut_down().await
}
