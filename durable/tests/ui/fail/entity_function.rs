//! Rules of an entity as a function.

use durable::{context::ActivityContext, entity, prelude::EntityContext, registry::Registry};

#[entity]
async fn no_context() {}

#[entity]
fn context_of_another(ctx: &ActivityContext) {
    let _ = ctx;
}

#[entity]
async fn with_an_input(ctx: EntityContext, amount: i64) {
    let _ = (ctx, amount);
}

#[entity]
async fn twice(ctx: EntityContext, again: EntityContext) {
    let _ = (ctx, again);
}

#[entity]
async fn returns(ctx: EntityContext) -> i64 {
    let _ = ctx;
    1
}

#[entity]
async fn returns_in_a_result(ctx: EntityContext) -> Result<i64, String> {
    let _ = ctx;
    Ok(1)
}

#[entity]
async fn generic<T>(ctx: EntityContext) {
    let _ = ctx;
}

#[entity]
unsafe fn dangerous(ctx: EntityContext) {
    let _ = ctx;
}

#[derive(Debug)]
struct NoError;

#[entity]
async fn bad_error(ctx: EntityContext) -> Result<(), NoError> {
    let _ = ctx;
    Ok(())
}

fn main() {
    let _ = (no_context::at("a"), with_an_input::at("a"));
    let _ = Registry::builder().add::<no_context>().add::<returns>();
}
