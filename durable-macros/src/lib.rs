//! The attributes of `durable`: `#[orchestrator]`, `#[activity]` and `#[entity]`.
//!
//! An attribute is read (`args`, `syntax`) into a `model`, checked (`check`, `determinism`), and
//! expanded (`expand`). Knows nothing of how functions run, beyond paths into
//! `durable::macro_support`. Begin with `expand::function`; `entity::expand` is the same for entities.

mod args;
mod check;
mod determinism;
mod diagnostics;
mod entity;
mod expand;
mod hash_order;
mod model;
mod select;
mod syntax;
mod tokens;
mod types;

use proc_macro::TokenStream;

use model::FunctionKind;

/// Makes an `async fn` an activity: it does the work, and runs at least once per call.
///
/// The function stays as it is and can be called in a unit test. Beside it stands a type of the
/// same name whose `with(..)` says how to call it through history:
///
/// ```
/// use durable::{activity, call::ActivityCall};
///
/// #[activity]
/// async fn say_hello(city: String) -> String {
///     format!("Hello {city}!")
/// }
///
/// let call: ActivityCall<String> = say_hello::with("Tokyo");
/// ```
///
/// - A first parameter of type `ActivityContext` (or a reference to it) is optional. All others are
///   inputs: `serde` types, owned. Several are stored as a JSON array, one as itself, none as `null`.
/// - It returns `T` or `Result<T, E>`. `E` is any error, text, boxed error, or `Into<Failure>`.
/// - `name = ".."`: the name in history; otherwise the function's own (R1:QS-2). Moving the function
///   to another module does not change it; two functions of one name are refused by the registry.
/// - `version = ".."`: several versions of one name stand side by side.
/// - `crate = path`: where `durable` is, if it has another name in this crate.
///
/// The type of the same name has a price: in a module `say_hello`, `use say_hello::say_hello` is
/// defined twice, and an activity called like a crate (`time`, `url`) hides that crate in its module.
#[proc_macro_attribute]
pub fn activity(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(FunctionKind::Activity, args.into(), item.into()).into()
}

/// Makes an `async fn` an orchestrator: it decides what is done, and is replayed.
///
/// ```
/// use durable::{call::OrchestrationCall, context::OrchestrationContext, model::Failure, orchestrator};
///
/// #[orchestrator]
/// async fn hello(ctx: OrchestrationContext, city: String) -> Result<String, Failure> {
///     Ok(format!("Hello {city}!"))
/// }
///
/// let start: OrchestrationCall<String> = hello::with("Tokyo").instance_id("hello-1");
/// let run = hello::at("hello-1");
/// ```
///
/// - The first parameter is its `OrchestrationContext`. All others are inputs, as in
///   [`macro@activity`]; so are its return type and the options `name`, `version` and `crate`.
/// - `with(..)` says how to start it, `at(id)` names an instance that exists.
/// - It must take the same path on every replay (R1:CC-1). What can be seen to break that is an error
///   that says what to use instead: the clock, random values, sleeping, spawning, threads, the
///   environment, files and network, iteration over hash tables, combinators without a fixed poll
///   order. `#[orchestrator(allow(clock))]` and the like permit a group, visibly for a reviewer.
/// - `tokio::select!` and `futures::select!` race in random order and are refused; a bare `select!`
///   means `durable::select!`.
#[proc_macro_attribute]
pub fn orchestrator(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(FunctionKind::Orchestrator, args.into(), item.into()).into()
}

/// Makes an entity: a small state with a key, whose operations run one after the other.
///
/// # On an `impl` block
///
/// The type is the state, and its methods are the operations. Both stay as they are and can be called in a
/// unit test. `Account::at(key)` is the address of one entity, with a method for each operation that says
/// what is asked for; an orchestration may `call` or `signal` that, others may `signal` it:
///
/// ```
/// use durable::{call::Operation, prelude::*};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Default, Clone, Serialize, Deserialize)]
/// struct Account {
///     balance: i64,
/// }
///
/// #[entity]
/// impl Account {
///     fn deposit(&mut self, amount: i64) {
///         self.balance += amount;
///     }
///
///     fn withdraw(&mut self, amount: i64) -> Result<(), String> {
///         if amount > self.balance {
///             return Err(format!("there are {} only", self.balance));
///         }
///         self.balance -= amount;
///         Ok(())
///     }
///
///     fn balance(&self) -> i64 {
///         self.balance
///     }
///
///     fn close(self, ctx: &EntityContext) {
///         ctx.signal(Account::at("bank").deposit(self.balance));
///     }
/// }
///
/// let ask: Operation<i64> = Account::at("ada").balance();
/// let kept: EntityRef<Account> = Account::at("ada");
/// ```
///
/// - `&self` reads, `&mut self` changes, `self` deletes the state; `async` or not. What `&self` changes behind
///   a `Cell` is lost.
/// - An operation takes at most one input, owned and `serde`. An `&EntityContext` before it is optional and
///   no input.
/// - It returns `T` or `Result<T, E>`, as an [`activity`](macro@activity) does. When it fails or panics, its
///   changes are undone and nothing is sent.
/// - The state is `serde`. It begins as its `Default`, or as what `#[entity(init = path)]` makes: a `fn() ->
///   S` or `fn(&EntityContext) -> S`, or a `Result` of it. So it does after a deletion. A field that an
///   older state lacks has the value of that beginning; one that is no longer known is dropped.
/// - `#[entity(attach = path)]` completes a state that comes into memory with what `#[serde(skip)]` keeps out
///   of the store: a `fn(&mut S)` or `fn(&mut S, &EntityContext)`, which returns nothing or a `Result`. An
///   operation may also ask for what the worker lends by `ctx.service::<T>()`.
/// - If the state is `Clone`, undoing costs a copy before each operation that may change it; otherwise the
///   state is written as JSON.
/// - Operations are found whatever the case of their names. Every entity has `delete`, unless it has its own.
/// - `#[entity(skip)]` on a method leaves it alone, `#[entity(name = "..")]` gives it another name in
///   messages. Functions without `self` are left alone. One block of a type is annotated; others are not read.
/// - `name = ".."`: the name in history; otherwise that of the type. It ignores case.
/// - `crate = path`: where `durable` is, if it has another name in this crate.
/// - The address type cannot be named; `EntityRef<Account>` stands for it.
///
/// # On a trait
///
/// Several entities can have the same operations. `CounterRef` stands beside `trait Counter`, and asks any of
/// them:
///
/// ```
/// use durable::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[entity]
/// trait Counter {
///     fn add(&mut self, amount: i64);
///     fn get(&self) -> i64;
/// }
///
/// #[derive(Default, Clone, Serialize, Deserialize)]
/// struct Clicks(i64);
///
/// #[entity]
/// impl Counter for Clicks {
///     fn add(&mut self, amount: i64) {
///         self.0 += amount;
///     }
///     fn get(&self) -> i64 {
///         self.0
///     }
/// }
///
/// let checked = CounterRef::from(&Clicks::at("home")).add(1);
/// let unchecked = CounterRef::from(EntityId::new("votes", "home")?).get();
/// let the_only_kind = CounterRef::of_key("home")?.get();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// - An entity with operations of its own, or with several interfaces, implements them in plain blocks and
///   names them: `#[entity(Counter, shop::Resetting)] impl Clicks { .. }`.
/// - Such a trait has methods only, and no generics. Its methods keep the rules of operations and are not
///   `async`; one with a body is an operation of every entity that implements the trait.
/// - Trait and entities may be in different crates. `of_key` knows the entities that are linked into the
///   program that runs it.
///
/// # On a function
///
/// The entity looks at the operation's name and keeps its state by hand, for libraries with operations
/// of their own making. To those who ask it is the same:
///
/// ```
/// use durable::prelude::*;
///
/// #[entity]
/// async fn counter(ctx: EntityContext) -> Result<(), Failure> {
///     match ctx.operation_name().as_str().to_lowercase().as_str() {
///         "add" => {
///             let amount: i64 = ctx.input()?;
///             ctx.change_state(|count: &mut i64| *count += amount)?;
///         }
///         "get" => ctx.return_value(ctx.state::<i64>()?),
///         "delete" => ctx.delete_state(),
///         unknown => return Err(format!("no operation `{unknown}`").into()),
///     }
///     Ok(())
/// }
///
/// let add = counter::at("home").operation("add", 1);
/// ```
///
/// It takes its context alone, and returns nothing or `Result<(), E>`. Its options are `name` and `crate`.
#[proc_macro_attribute]
pub fn entity(args: TokenStream, item: TokenStream) -> TokenStream {
    entity::expand(args.into(), &item.into()).into()
}
