//! Attributes on what is no free function.

use durable::{activity, context::OrchestrationContext, orchestrator};

#[activity]
struct Order;

#[orchestrator]
const N: u8 = 1;

struct Shop;

impl Shop {
    #[activity]
    async fn method(&self) {}

    #[orchestrator]
    async fn boxed(self: Box<Self>, _ctx: OrchestrationContext) {}
}

fn main() {
    let _ = (Order, N, Shop);
}
