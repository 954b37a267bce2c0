//! What the compiler judges: one error per type that does not fit, under the type.

use durable::{
    activity,
    client::Client,
    context::{ActivityContext as Ctx, OrchestrationContext},
    model::Failure,
    orchestrator,
};

struct NotSerde;

#[activity]
async fn input(order: NotSerde, fine: u8, list: Vec<NotSerde>) -> u8 {
    let _ = (order, list);
    fine
}

#[activity]
async fn output() -> NotSerde {
    NotSerde
}

#[activity]
async fn output_of_result() -> Result<NotSerde, Failure> {
    Ok(NotSerde)
}

#[activity]
async fn context_under_another_name(ctx: Ctx) {
    let _ = ctx;
}

// R1:CC-8, R1:SKIP-24; R3:BIND-10
#[orchestrator]
async fn orchestrator_with_client(_ctx: OrchestrationContext, client: Client) {
    let _ = client;
}

fn main() {
    let _ = (input::with(NotSerde, 1, vec![]), output::with());
}
