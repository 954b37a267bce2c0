//! Every legal shape of a definition.

use durable::{
    activity,
    call::{Call, Event},
    context::{ActivityContext, OrchestrationContext},
    model::Failure,
    orchestrator,
};

#[derive(serde::Serialize, serde::Deserialize)]
struct Order {
    lines: Vec<String>,
}

#[activity]
async fn nothing() {}

#[activity]
async fn context(ctx: ActivityContext) -> u32 {
    ctx.attempt()
}

#[activity]
async fn borrowed(_: &ActivityContext, order: Order, mut count: u8) -> Order {
    count += 1;
    let _ = count;
    order
}

#[activity]
async fn patterns(Order { lines }: Order, (a, _): (u8, u8), _: Option<String>, std: std::string::String) -> usize {
    lines.len() + usize::from(a) + std.len()
}

#[activity(name = "E1_SayHello", version = "2")]
async fn io_result(path: String) -> std::io::Result<String> {
    Ok(path)
}

#[activity]
async fn own_error() -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
    Err("no")?
}

#[cfg(any())]
#[activity]
async fn absent() -> Absent {}

#[activity]
#[cfg(any())]
async fn absent_below() -> Absent {}

#[activity]
#[deprecated]
async fn old(n: u8) -> u8 {
    n
}

#[orchestrator]
async fn plain(ctx: OrchestrationContext) -> u8 {
    let _ = ctx;
    1
}

#[orchestrator]
async fn exclusive(mut ctx: OrchestrationContext, order: Order) -> Result<usize, Failure> {
    let ctx = &mut ctx;
    Ok(ctx.call(patterns::with(order, (1, 2), None, "x")).await?)
}

#[orchestrator]
async fn by_reference(ctx: &OrchestrationContext, n: u8) -> Result<u8, Failure> {
    if n == 0 {
        return Ok(0);
    }
    ctx.call(nothing::with()).await?;
    Ok(ctx.call(recursive::with(n)).await?)
}

#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("a call failed")]
    Call(#[from] Failure),
    #[error("too many")]
    TooMany,
}

const APPROVAL: Event<bool> = Event::new("ApprovalEvent");

#[orchestrator]
async fn own_error_enum(ctx: OrchestrationContext) -> Result<bool, Refused> {
    if ctx.call(context::with()).await? > 1 {
        return Err(Refused::TooMany);
    }
    let by_name = ctx.call(Call::<bool>::activity("IsApproved", 1)).await?;
    Ok(by_name && ctx.wait_for(APPROVAL).await? && ctx.wait_for::<bool>("Other").await?)
}

#[orchestrator]
async fn boxed_error(ctx: OrchestrationContext) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    Ok(ctx.call(context::with()).await?)
}

#[activity]
async fn recursive(n: u8) -> u8 {
    let _ = recursive::with(n);
    n
}

macro_rules! activities {
    ($($name:ident: $type:ty),*) => {
        $(#[activity] async fn $name(value: $type) -> $type { value })*
    };
}
activities!(of_number: u8, of_text: String);

fn main() {
    #[activity]
    async fn local(n: u8) -> u8 {
        n
    }
    let local = local::with(1);
    let _ = (local, of_number::with(1), of_text::with("x"), io_result::with("x"), own_error::with());
    let _ = (borrowed::with(Order { lines: vec![] }, 1), context::with(), plain::with(), exclusive::at("x"));
    let _ = (by_reference::with(1).instance_id("x"), own_error_enum::with(), boxed_error::with());
}
