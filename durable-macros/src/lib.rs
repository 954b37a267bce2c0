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

/// Makes a type an entity.
#[proc_macro_attribute]
pub fn entity(args: TokenStream, item: TokenStream) -> TokenStream {
    entity::expand(args.into(), item.into()).into()
}
