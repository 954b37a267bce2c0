//! An operation runs on any thread; also a `Result` in disguise, and two operations of one name, which
//! only show once all types are sound.

use std::rc::Rc;

use durable::entity;
use serde::{Deserialize, Serialize};

#[derive(Default, Clone, Serialize, Deserialize)]
struct Account;

#[entity]
impl Account {
    async fn waits(&mut self) -> u8 {
        let counted = Rc::new(1);
        std::future::ready(()).await;
        *counted
    }

    fn keeps_to_itself(&mut self) -> u8 {
        *Rc::new(1)
    }
}

#[entity]
async fn function(_ctx: durable::context::EntityContext) {
    let counted = Rc::new(1);
    std::future::ready(()).await;
    drop(counted);
}

fn main() {}
