//! A `Result` under another name would be stored as a success.

use durable::{activity, model::Failure};

type Answer = Result<u8, Failure>;

#[activity]
async fn disguised() -> Answer {
    Ok(1)
}

fn main() {}
