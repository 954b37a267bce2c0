//! What is found by evaluating constants: a `Result` in disguise, and two operations of one name.

use durable::entity;
use serde::{Deserialize, Serialize};

type Outcome = Result<u8, String>;

#[derive(Default, Serialize, Deserialize)]
struct Account;

#[entity]
impl Account {
    fn disguised(&self) -> Outcome {
        Ok(1)
    }
}

#[entity]
trait Counter {
    fn get(&self) -> u8;
}

#[derive(Default, Serialize, Deserialize)]
struct Both;

impl Counter for Both {
    fn get(&self) -> u8 {
        1
    }
}

#[entity(Counter)]
impl Both {
    #[entity(name = "Get")]
    fn own(&self) -> u8 {
        2
    }
}

fn main() {}
