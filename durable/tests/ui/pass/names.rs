//! Names that collide with those of the expansion, or with keywords.

use durable::{activity, context::OrchestrationContext, model::Failure, orchestrator};

#[activity]
async fn with(with: String) -> String {
    with
}

#[activity]
async fn run(run: u8, support: u8, context: u8) -> u8 {
    run + support + context
}

#[activity]
async fn support(inputs: u8, arguments: u8, payload: u8, error: u8) -> u8 {
    inputs + arguments + payload + error
}

#[activity]
async fn kind(kind: u8) -> Result<u8, Failure> {
    Ok(kind)
}

#[activity]
async fn r#type(r#match: u8) -> u8 {
    r#match
}

#[orchestrator]
async fn at(at: OrchestrationContext, id: String) -> Result<String, Failure> {
    at.call(with::with(&id)).await
}

mod outer {
    pub mod inner {
        #[durable::activity]
        pub(super) async fn deep() {}
        #[durable::activity]
        pub async fn shown() {}
    }
    pub(crate) fn call() {
        let _ = inner::deep::with();
    }
}
use outer::inner::shown as renamed;

fn main() {
    let _ = (with::with("x"), run::with(1, 2, 3), support::with(1, 2, 3, 4), kind::with(1), r#type::with(1));
    let _ = (at::with("x"), at::at("x"), renamed::with());
    let _ = renamed();
    outer::call();
}
