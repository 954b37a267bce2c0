//! Expanded code stands under the strictest lints, and under another name of the crate.

#![deny(
    warnings,
    unused,
    missing_docs,
    nonstandard_style,
    unnameable_types,
    unreachable_pub,
    missing_debug_implementations,
    unused_qualifications,
    elided_lifetimes_in_paths,
    private_interfaces
)]
#![forbid(unsafe_code)]

extern crate durable as functions;

use functions::{activity, context::OrchestrationContext, model::Failure, orchestrator};

/// Greets.
#[activity(crate = functions)]
pub async fn say_hello(city: String) -> String {
    city
}

/// Greets all.
#[orchestrator(crate = ::durable)]
pub async fn greet(ctx: OrchestrationContext, city: String) -> Result<String, Failure> {
    ctx.call(say_hello::with(city)).await
}

#[activity]
async fn never_called() {}

fn main() {
    let _ = greet::with("Oslo");
}
