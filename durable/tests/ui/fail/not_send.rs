//! A future that cannot move between threads, reported at the function's name.

use std::rc::Rc;

use durable::{activity, context::ActivityContext};

#[activity]
async fn keeps_rc(n: u8) -> u8 {
    let rc = Rc::new(n);
    std::future::ready(()).await;
    *rc
}

#[activity]
async fn with_borrowed_context(ctx: &ActivityContext, n: u8) -> u32 {
    let rc = Rc::new(n);
    std::future::ready(()).await;
    ctx.attempt() + u32::from(*rc)
}

fn main() {}
