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

use functions::{
    activity,
    call::Entity as _,
    context::{EntityContext, OrchestrationContext},
    entity,
    model::Failure,
    orchestrator,
};

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

/// Counts.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Counter(u8);

#[entity(crate = functions)]
impl Counter {
    /// Adds.
    pub fn add(&mut self, n: u8) -> Result<u8, Failure> {
        self.0 += n;
        Ok(self.0)
    }

    /// Takes away.
    pub fn end(self, _: &EntityContext) {}

    async fn never_asked(&self, text: String) {
        drop(text);
    }
}

/// Can be reset.
#[entity(crate = functions)]
pub trait Resetting {
    /// Resets.
    fn reset(&mut self);
}

/// Can be reset.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct Clock;

#[entity(crate = functions)]
impl Resetting for Clock {
    fn reset(&mut self) {}
}

#[entity(crate = functions)]
trait Unused {
    fn reset(&mut self);
}

/// By hand.
#[entity(crate = functions)]
pub async fn by_hand(ctx: EntityContext) -> Result<(), Failure> {
    ctx.set_state(1)
}

#[entity(crate = functions)]
fn silent(_: EntityContext) {}

fn main() {
    let _ = greet::with("Oslo");
    let _ = Counter::at("a").add(1);
}
