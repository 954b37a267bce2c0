//! Rules of operations, each mistake under its words, all in one compile.

use durable::{
    context::{ActivityContext, EntityContext},
    entity,
    registry::Registry,
};
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[entity]
impl Account {
    fn two_inputs(&mut self, amount: i64, note: String) {
        let _ = (amount, note);
    }

    fn generic<T: Default>(&self) -> i64 {
        self.balance
    }

    fn borrowed(&self, text: &str) -> &str {
        let _ = text;
        ""
    }

    fn unnamed(&self, n: impl Into<i64>) -> impl Sized {
        n.into()
    }

    fn boxed(self: Box<Self>) {}

    unsafe fn dangerous(&self) {}

    fn context_last(&self, amount: i64, ctx: &EntityContext) -> i64 {
        let _ = ctx;
        amount
    }

    fn context_of_another(&self, ctx: &ActivityContext) {
        let _ = ctx;
    }

    fn add(&mut self) {}

    #[allow(non_snake_case)]
    fn Add(&mut self) {}

    #[entity(name = "ADD")]
    fn plus(&mut self) {}

    fn at(&self) -> i64 {
        self.balance
    }

    fn into(self) -> i64 {
        self.balance
    }

    #[entity]
    fn marked(&self) {}

    #[entity(skipp)]
    fn misspelt(&self) {}

    // Sound, and left alone.
    fn sound(&mut self, ctx: &EntityContext, amount: i64) -> i64 {
        let _ = ctx;
        amount
    }

    #[entity(skip)]
    fn skipped<'a>(&self, text: &'a str, _more: &str) -> &'a str {
        text
    }

    fn without_receiver(text: &str) -> &str {
        text
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Of<T>(T);

trait Named {}

#[entity]
impl<T> Of<T> {
    fn get(&self) {}
}

#[entity]
impl dyn Named {
    fn get(&self) {}
}

#[entity]
struct State;

#[entity]
enum Choice {}

#[entity]
mod module {}

struct Holder;

impl Holder {
    #[entity]
    fn method(&self) {}
}

fn main() {
    // The stand-ins keep these quiet.
    let account = <Account as durable::call::Entity>::at("a");
    let _ = (account.two_inputs(1, "x"), account.borrowed("x"), account.context_last(1), account.sound(1));
    let _: durable::call::Operation<i64> = account.sound(1);
    let _ = account.delete();
    let _ = Registry::builder().add::<Account>();
    let _ = Account { balance: 1 }.skipped("a", "b");
    let _ = Account::without_receiver("a");
}
