//! One at a time: whoever starts a job that runs already is told so (R2:SNG-3).
//!
//! ```console
//! $ cargo run -p durable-examples --bin singleton
//! ```
//!
//! Nothing but the instance id makes it a singleton. Ten start it at once; the store lets one through.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use durable::{Error, client::Client, prelude::*, provider::ProviderErrorKind};
use futures::future::join_all;

/// The nightly job; takes until somebody says that the night is over.
#[orchestrator]
async fn nightly_job(ctx: OrchestrationContext, day: String) -> Result<String, Failure> {
    let _: () = ctx.wait_for("NightIsOver").await?;
    Ok(format!("the job of {day} is done"))
}

/// Starts the job under its one id; `None` when it runs already.
pub(crate) async fn start_single(client: &Client, id: &str, day: &str) -> Result<Option<Run<String>>, Error> {
    match client.start(nightly_job::with(day).instance_id(id)).await {
        Ok(run) => Ok(Some(run)),
        Err(Error::Provider(error)) if error.kind == ProviderErrorKind::AlreadyExists => Ok(None),
        Err(other) => Err(other),
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let hub = TaskHub::open("memory:").await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    for day in ["Monday", "Tuesday"] {
        let starts = join_all((0..10).map(|_| start_single(&client, "nightly", day))).await;
        let mut started = Vec::new();
        for start in starts {
            started.extend(start?);
        }
        println!("  ○ {day}: of 10 starts, {} began it", started.len());
        for _ in 0..2 {
            if start_single(&client, "nightly", day).await?.is_none() {
                println!("  │ An instance with ID 'nightly' already exists.");
            }
        }
        if let Some(run) = started.pop() {
            client.raise(&run, "NightIsOver", ()).await?;
            println!("  ◉ {}", run.output().await?); // its id may be used again from now on
        }
    }
    worker.shut_down().await
}
