//! The options of `#[entity]`, on each of the items that it stands on.

use durable::{context::EntityContext, entity};
use serde::{Deserialize, Serialize};

macro_rules! states {
    ($($state:ident),*) => {$(
        #[derive(Default, Serialize, Deserialize)]
        struct $state;
    )*};
}
states!(A, B, C, D, E, F, G);

#[entity(version = "2", allow(clock), skip)]
impl A {}

#[entity(name = "a@b", init)]
impl B {}

#[entity(name = "", name = "c" crate = durable)]
impl C {}

fn of_text(_: String) -> D {
    D
}

#[entity(init = of_text)]
impl D {}

fn something_else() -> u8 {
    1
}

#[entity(init = something_else)]
impl E {}

#[derive(Debug)]
struct NoError;

fn fails() -> Result<F, NoError> {
    Ok(F)
}

#[entity(init = fails)]
impl F {}

fn by_value(_: G) {}

#[entity(attach = by_value)]
impl G {}

#[entity(name = "x", init = of_text)]
trait Interface {}

#[entity(init = of_text, Interface)]
async fn function(_ctx: EntityContext) {}

fn main() {}
