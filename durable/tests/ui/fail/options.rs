//! Options of an attribute, each mistake under its word.

use durable::{activity, context::OrchestrationContext, orchestrator};

#[activity(nmae = "a", name = "b", name = "c")]
async fn unknown_and_twice() {}

#[activity(version = 2, name = "")]
async fn wrong_values() {}

#[activity(allow(clock))]
async fn needless() {}

#[activity(name = "a" version = "b")]
async fn no_comma() {}

#[orchestrator(allow(clocks, random), retry = 3)]
async fn unknown_permission(_ctx: OrchestrationContext) {}

fn main() {
    // The stand-ins keep these quiet.
    let _ = (unknown_and_twice::with(), wrong_values::with(), unknown_permission::at("x"));
}
