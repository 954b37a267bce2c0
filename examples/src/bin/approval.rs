//! Waits for a person: an order is approved within 72 hours, or it is escalated (R1:OVR-20).
//!
//! ```console
//! $ cargo run -p durable-examples --bin approval
//! ```
//!
//! The three days pass at once: this hub lives in memory and in virtual time. In a file
//! (`TaskHub::open("sqlite:..")`) they may be days of a program that is switched off meanwhile; nothing
//! runs while nobody decides.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::time::Duration;

use durable::{call::Event, prelude::*};
use durable_testkit::TestHub;

/// What the boss decides.
const APPROVAL: Event<bool> = Event::new("ApprovalEvent");
const HOUR: Duration = Duration::from_secs(3600);

/// Asks, and does what is decided; or escalates when nobody decides in time.
#[orchestrator(name = "ApprovalWorkflow")]
async fn approval_workflow(ctx: OrchestrationContext, order: String) -> Result<String, Failure> {
    ctx.call(request_approval::with(&order)).await?;
    // Whichever loses is dropped: the timer is cancelled, or the wait withdrawn.
    match ctx.timeout(72 * HOUR, ctx.wait_for(APPROVAL)).await {
        Ok(decision) => ctx.call(process_approval::with(order, decision?)).await,
        Err(_) => ctx.call(escalate::with(order)).await,
    }
}

#[activity(name = "RequestApproval")]
async fn request_approval(order: String) {
    println!("  ○ {order}: asked the boss");
}

#[activity(name = "ProcessApproval")]
async fn process_approval(order: String, approved: bool) -> String {
    let decision = if approved { "approved" } else { "rejected" };
    println!("  │\n  ● {order}: {decision}");
    format!("{order} {decision}")
}

#[activity(name = "Escalate")]
async fn escalate(order: String) -> String {
    println!("  │\n  ● {order}: nobody decided; asked the boss of the boss");
    format!("{order} escalated")
}

#[tokio::main]
async fn main() -> Result<(), durable::Error> {
    let hub = TestHub::start().await?;
    for (order, decision) in [("order-17", Some(true)), ("order-18", Some(false)), ("order-19", None)] {
        let began = hub.now();
        let run = hub.client().start(approval_workflow::with(order).instance_id(order)).await?;
        if let Some(decision) = decision {
            hub.client().raise(&run, APPROVAL, decision).await?; // from any process that opens the hub
        }
        let outcome: String = hub.output(&run).await?;
        println!("  ◉ {outcome}, after {} hours\n", hub.now().duration_since(began).as_secs() / 3600);
    }
    hub.shut_down().await
}
