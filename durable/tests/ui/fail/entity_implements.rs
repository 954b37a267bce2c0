//! Interfaces and those who implement them, or do not.

use durable::{call::Entity, entity};
use serde::{Deserialize, Serialize};

#[entity]
trait Counter {
    fn get(&self) -> u8;
}

trait Plain {
    fn get(&self) -> u8;
}

macro_rules! states {
    ($($state:ident),*) => {$(
        #[derive(Default, Serialize, Deserialize)]
        struct $state;
    )*};
}
states!(One, Two, Three, Four, Five);

#[entity]
impl Counter for One {
    fn get(&self) -> u8 {
        1
    }
}

#[entity(Counter)]
impl Two {}

#[entity]
impl Plain for Three {
    fn get(&self) -> u8 {
        3
    }
}

impl Plain for Four {
    fn get(&self) -> u8 {
        4
    }
}

#[entity(Plain)]
impl Four {}

#[entity]
impl Five {
    fn get(&self) -> u8 {
        5
    }
}

#[entity]
impl Five {
    fn more(&self) {}
}

fn main() {
    let _ = CounterRef::from(&One::at("a"));
    let _ = CounterRef::from(&Five::at("a"));
    let _ = Counter::at("a");
}
