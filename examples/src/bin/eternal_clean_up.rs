//! Work that never ends: cleans up, rests an hour, and begins anew with an empty history (R2:ETE-7).
//!
//! ```console
//! $ cargo run -p durable-examples --bin eternal_clean_up
//! ```
//!
//! Unlike a schedule, the work never overlaps: the hour begins when the work is done. Time is virtual here;
//! the orchestration is ended from outside, as it does not end by itself.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Duration;

use durable::prelude::*;
use durable_testkit::TestHub;

const HOUR: Duration = Duration::from_secs(3600);

/// Cleans up for ever. Its input says how often it did so already.
#[orchestrator(name = "Periodic_Cleanup_Loop")]
async fn periodic_cleanup_loop(ctx: OrchestrationContext, rounds: u32) -> Result<(), Failure> {
    ctx.call(do_cleanup::with(rounds + 1)).await?;
    ctx.sleep(30 * Duration::from_secs(60)).await?; // as if the work had taken so long
    ctx.sleep(HOUR).await?;
    ctx.continue_as_new(periodic_cleanup_loop::with(rounds + 1))
}

#[activity(name = "DoCleanup")]
async fn do_cleanup(round: u32) {
    println!("  ● clean-up {round}");
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let hub = TestHub::start().await?;
    let began = hub.now();
    // One id: however often it is started, it runs once (R2:ETE-10).
    let run = hub.client().start(periodic_cleanup_loop::with(0).instance_id("StaticId")).await?;
    let mut rounds = 0;
    while rounds < 3 {
        hub.passing_time(tokio::task::yield_now()).await;
        let state = run.wait_for_start().await?;
        rounds = state.input.read().unwrap_or_default(); // the input of the newest execution
    }
    let hours = hub.now().duration_since(began).as_secs_f64() / 3600.0;
    let events = run.history().await?.events().len();
    println!("  ◌ after {rounds} rounds in {hours} hours, its history has {events} events");
    run.terminate("we move").await?;
    let state = hub.passing_time(run.wait_for_end()).await?;
    println!("  ◉ {}: {}", state.runtime_status, state.output.as_json());
    hub.shut_down().await
}
