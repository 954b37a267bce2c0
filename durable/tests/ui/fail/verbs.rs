//! The access table: what a context may do with a value.

use durable::{activity, context::OrchestrationContext, model::Timestamp, orchestrator, registry::Registry};

#[activity]
async fn say_hello(city: String, times: u8) -> String {
    city.repeat(times.into())
}

#[orchestrator]
async fn other(_ctx: OrchestrationContext) -> bool {
    true
}

async fn verbs(ctx: OrchestrationContext, client: &durable::client::Client) {
    let _ = ctx.call(say_hello("Tokyo".into(), 1));
    let _ = ctx.call("SayHello");
    let _ = ctx.call(other::with().at(Timestamp::MAX));
    let _ = ctx.clone();
    let _ = client.start(say_hello::with("Tokyo", 1));
    let _ = client.call(say_hello::with("Tokyo", 1));
}

fn values() {
    let _ = say_hello::with("Tokyo", 1).instance_id("x");
    let _ = say_hello::with("Tokyo");
    let _ = say_hello::with("Tokyo", "1");
    let _ = Registry::builder().add::<u8>();
}

fn main() {
    let _ = (verbs, values);
}
