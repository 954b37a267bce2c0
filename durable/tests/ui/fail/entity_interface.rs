//! The rules of interfaces (R3 section 9.5), each mistake under its words, all in one compile.

use durable::{call::Entity, context::ActivityContext, entity};
use serde::{Deserialize, Serialize};

// R3:ENT-36
#[entity]
trait MethodsOnly {
    const LIMIT: u8;
    type Item;
    fn free() -> u8;
    fn sound(&self) -> u8;
}

// R3:ENT-37
#[entity]
trait NotGeneric<T> {
    fn get(&self) -> u8;
}

#[entity]
trait NoGenericMethods {
    fn get<T: Into<u8>>(&self) -> u8;
    fn with_lifetime<'a>(&'a self) -> u8;
}

// R3:ENT-38
#[entity]
trait OneInput {
    fn add(&mut self, amount: i64, note: String);
    fn of_another(&self, ctx: &ActivityContext);
}

// R3:ENT-39
#[entity]
trait OwnedResults {
    fn borrowed(&self) -> &str;
    fn unnamed(&self) -> impl Sized;
    fn itself(&self) -> Self;
    fn given(&self, other: Self) -> u8;
    async fn waits(&self) -> u8;
}

#[entity]
trait TakenNames {
    fn at(&self);
    fn from(&self);
    fn of_key(&self);
    fn reset(&self);
    #[allow(non_snake_case)]
    fn Reset(&self);
}

#[derive(Default, Serialize, Deserialize)]
struct Account;

impl OneInput for Account {
    fn add(&mut self, _: i64, _: String) {}
    fn of_another(&self, _: &ActivityContext) {}
}

#[entity]
impl Account {}

#[entity]
trait Sound {
    fn get(&self) -> u8;
    #[entity(skip)]
    fn helper(&self, of: &str) -> u8;
}

#[derive(Default, Serialize, Deserialize)]
struct Renamed;

#[entity]
impl Sound for Renamed {
    #[entity(name = "GetIt")]
    fn get(&self) -> u8 {
        1
    }
    #[entity(skip)]
    fn helper(&self, _: &str) -> u8 {
        2
    }
}

fn main() {
    // The stand-ins keep these quiet.
    let address = OneInputRef::from(&Account::at("a"));
    let _ = (address.add(1, "x"), address.delete(), OneInputRef::of_key("a"), MethodsOnlyRef::of_key("a"));
}
