//! What cannot be the error of a durable function.

use durable::activity;

struct NoError;

#[activity]
async fn no_error() -> Result<u8, NoError> {
    Err(NoError)
}

#[activity]
async fn number() -> Result<u8, u8> {
    Err(1)
}

fn main() {}
