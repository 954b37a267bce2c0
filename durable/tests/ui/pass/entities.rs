//! Every legal shape of an entity, and names that collide with those of the expansion.

use durable::{
    call::{Entity, EntityRef, Operation},
    context::EntityContext,
    entity,
    model::{EntityId, Failure},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

macro_rules! states {
    ($($state:ident),* $(,)?) => {$(
        #[derive(Default, Serialize, Deserialize)]
        struct $state;
    )*};
}
states!(Receivers, Inputs, Returns, Names, r#type, Conditions, Lone, Made, S, AccountRef, Generic);

#[entity]
impl Receivers {
    const LIMIT: u8 = 1;
    fn reads(&self) {}
    fn changes(&mut self) {}
    fn deletes(self) {}
    fn deletes_mutably(mut self) {
        self.changes();
    }
    async fn reads_later(&self) {}
    async fn changes_later(&mut self) {}
    async fn deletes_later(self) {}
    const fn constant(&self) -> u8 {
        Self::LIMIT
    }
    fn associated(text: &str) -> usize {
        text.len()
    }
    #[entity(skip)]
    fn helper<'a, T: Into<u8>>(&'a self, first: T, _second: &'a str) -> &'a str {
        let _: u8 = first.into();
        "helper"
    }
}

type Pair = (u8, u8);

#[entity]
impl Inputs {
    fn context(&self, ctx: &EntityContext) -> String {
        ctx.key().to_owned()
    }
    fn context_by_value(&self, ctx: EntityContext, _: u8) -> EntityId {
        ctx.entity_id().clone()
    }
    fn context_mutably(&mut self, _ctx: &mut durable::context::EntityContext, text: std::string::String) {
        drop(text);
    }
    async fn context_later(&mut self, ctx: &EntityContext, n: Option<u8>) {
        std::future::ready(n).await;
        ctx.delete_state();
    }
    fn pattern(&mut self, (a, _): Pair) -> u8 {
        a
    }
    fn mutable(&mut self, mut n: u8) -> u8 {
        n += 1;
        n
    }
    fn ignored(&self, _: Vec<u8>) {}
    fn own(&self, _other: Self) -> Option<Self> {
        None
    }
}

#[derive(Debug)]
struct Own;

impl From<Own> for Failure {
    fn from(_: Own) -> Self {
        Failure::new("own")
    }
}

#[entity]
impl Returns {
    fn nothing(&self) {}
    fn io(&self) -> std::io::Result<u8> {
        Ok(1)
    }
    fn text(&self) -> Result<u8, String> {
        Err("no".into())
    }
    async fn boxed(&self) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        Err("no")?
    }
    fn own(&self) -> Result<(), Own> {
        Err(Own)
    }
    fn failure(&self) -> Result<Vec<Self>, Failure> {
        Ok(vec![])
    }
}

#[entity]
impl Names {
    fn clone(&self) {}
    fn as_ref(&self, r#match: u8) -> u8 {
        r#match
    }
    fn fmt(&self, state: u8) -> u8 {
        state
    }
    fn operate(&self, context: u8) -> u8 {
        context
    }
    fn first(&self, input: u8) -> u8 {
        input
    }
    fn copy(&self, operation: String) -> String {
        operation
    }
    fn read(&self, __input: u8) -> u8 {
        __input
    }
    fn r#loop(&mut self, __state: u8) -> u8 {
        __state
    }
}

#[entity(name = "Type")]
impl r#type {
    fn r#type(&self) {}
}

#[entity]
impl Conditions {
    #[cfg(any())]
    fn absent(&self, of: Absent) -> Absent {
        of
    }
    #[cfg(all())]
    fn present(&self) -> u8 {
        1
    }
    #[cfg(any())]
    fn either(&self) -> Absent {}
    #[cfg(not(any()))]
    fn either(&self) -> u8 {
        2
    }
    /// Old.
    #[deprecated]
    fn old(&mut self) {}
}

#[cfg(any())]
#[entity]
impl Absent {}

#[entity]
#[cfg(any())]
impl AbsentBelow {}

#[entity]
impl Lone {}

#[entity(init = Made::new, crate = ::durable)]
impl Made {
    fn new(_: &EntityContext) -> Result<Self, Own> {
        Ok(Self)
    }
}

#[entity]
impl S {
    fn get(&self) {}
}

#[entity]
impl AccountRef {
    fn get(&self) {}
}

// One word in a private type, seen from outside through the alias alone.
pub mod bank {
    #[derive(Default, serde::Serialize, serde::Deserialize)]
    pub(crate) struct Account {
        balance: i64,
    }

    #[durable::entity(name = "BankAccount")]
    impl self::Account {
        pub(super) fn deposit(&mut self, amount: i64) {
            self.balance += amount;
        }
        pub fn balance(&self) -> i64 {
            self.balance
        }
        fn secret(&self) {}
    }

    pub(crate) fn ask() {
        use durable::call::Entity as _;
        let _ = Account::at("a").secret();
    }
}

fn deposit(to: &EntityRef<bank::Account>) -> Operation<()> {
    to.deposit(1)
}

fn of_any<E: Entity + DeserializeOwned>(key: u32) -> E::Proxy {
    E::at(key)
}

#[entity]
trait Shaped: Send {
    fn reads(&self) -> Result<u8, std::num::ParseIntError>;
    fn changes(&mut self, ctx: &EntityContext, (a, b): (u8, u8)) -> u8
    where
        Self: Sized,
    {
        ctx.delete_state();
        a + b
    }
    fn takes(self, text: String);
    fn delete(&mut self) -> bool;
    #[cfg(any())]
    fn absent(&self) -> Absent;
    #[entity(skip)]
    fn helper<T>(&self, _: &T)
    where
        Self: Sized,
    {
    }
}

#[entity]
unsafe trait Careful {
    fn get(&self);
}

#[entity]
impl Shaped for Generic {
    fn reads(&self) -> Result<u8, std::num::ParseIntError> {
        "1".parse()
    }
    fn takes(self, text: String) {
        drop(text);
    }
    fn delete(&mut self) -> bool {
        true
    }
}

mod interfaces {
    #[durable::entity]
    pub trait Shown {
        fn get(&self) -> u8;
    }
    #[durable::entity]
    pub(super) trait Narrow {
        fn set(&mut self, to: u8);
    }
    pub(super) mod deeper {
        #[durable::entity]
        pub(in super::super) trait Deep {}
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Several(u8);

impl interfaces::Shown for Several {
    fn get(&self) -> u8 {
        self.0
    }
}
impl interfaces::Narrow for Several {
    fn set(&mut self, to: u8) {
        self.0 = to;
    }
}
impl interfaces::deeper::Deep for Several {}

#[entity(interfaces::Shown, name = "several", interfaces::Narrow, self::interfaces::deeper::Deep)]
impl Several {}

#[entity]
async fn counter(ctx: EntityContext) -> Result<(), Failure> {
    ctx.change_state(|count: &mut u8| *count += 1)
}

#[entity]
pub(crate) fn at(_: &EntityContext) {}

#[entity(name = "Type2")]
async fn r#struct(ctx: &mut EntityContext) -> Result<(), Own> {
    ctx.delete_state();
    Err(Own)
}

fn main() {
    #[derive(Default, Serialize, Deserialize)]
    struct Inner;
    #[entity]
    impl Inner {
        fn get(&self) {}
    }
    let _ = Inner::at("a").get();
    let names = Names::at("a");
    let _: (Operation<()>, Operation<u8>, Operation<String>) = (names.clone(), names.fmt(1), names.copy("x"));
    let _ = (Receivers::at(1).deletes(), Receivers::at(1).constant(), Receivers::associated("x"));
    let _: Operation<Option<Inputs>> = Inputs::at("a").own(Inputs);
    let _ = (Inputs::at("a").pattern((1, 2)), Inputs::at("a").context_mutably("x"), Returns::at("a").io());
    let _ = (Conditions::at("a").present(), Conditions::at("a").either(), Lone::at("a").delete(), Made::at("a"));
    let _ = (S::at("a").get(), AccountRef::at("a").get(), deposit(&bank::Account::at("a")));
    let _ = of_any::<bank::Account>(1).balance();
    bank::ask();
    let _: Operation<bool> = ShapedRef::from(&Generic::at("a")).delete();
    let _: Operation<bool> = Generic::at("a").delete();
    let _ = (Generic::at("a").takes("x"), ShapedRef::of_key("a"), ShapedRef::from(counter::at(1)).changes((1, 2)));
    let _ = (interfaces::ShownRef::from(&Several::at("a")), interfaces::NarrowRef::from(&Several::at("a")).set(1));
    let _ = (at::at(1), r#struct::at(2), Several::at("a").delete(), interfaces::deeper::DeepRef::of_key(1));
    let registry = durable::registry::Registry::builder().add::<counter>().add::<Several>().add::<bank::Account>();
    let registry = registry.build().map(|registry| format!("{registry:?}"));
    assert!(registry.is_ok_and(|names| names.contains("bankaccount")));
    assert!(durable::registry::Registry::discover().is_ok());
    let _ = Receivers.helper(1u8, "x");
    let _ = (Generic.helper(&1), Receivers.constant());
}
