//! Rules of a signature, each mistake under its words, all in one compile.

use durable::{
    activity,
    context::{ActivityContext, OrchestrationContext},
    orchestrator,
    registry::Registry,
};

#[activity]
fn not_async(n: u8) -> u8 {
    n
}

#[activity]
async fn borrowed(text: &str, list: &[u8], nested: Vec<&'static str>, kept: u8) -> u8 {
    let _ = (text, list, nested);
    kept
}

#[activity]
async fn generic<T>(n: u8) -> u8 {
    n
}

#[activity]
async fn lifetime<'a>(text: &'a str) -> &'a str {
    text
}

#[activity]
async fn unnamed(n: impl Into<u8>) -> impl Sized {
    let _: u8 = n.into();
}

#[activity]
async unsafe fn unsafe_activity() {}

#[activity]
async fn context_last(n: u8, ctx: ActivityContext) -> u8 {
    let _ = ctx;
    n
}

#[activity]
async fn context_of_another(ctx: OrchestrationContext) {
    let _ = ctx;
}

#[orchestrator]
async fn no_context(n: u8) -> u8 {
    n
}

#[orchestrator]
async fn context_of_an_activity(ctx: ActivityContext) {
    let _ = ctx;
}

fn main() {
    // The stand-ins keep these quiet.
    let _ = (borrowed::with("a", &[1], vec!["x"], 1), generic::with(1), context_last::with(1), no_context::at("x"));
    let _ = Registry::builder().add::<borrowed>().add::<no_context>();
}
