//! What expanded code calls. Not part of the API: the macros of the same version are its only user.
//!
//! Holds what needs the compiler's judgement about the user's types: which traits an error has,
//! whether a type is a `Result`. Begin with [`Kind`]; `entity.rs` is for `#[entity]`. The weight of an
//! expansion is in `call/inputs.rs`, `registry/stored.rs` and `registry/entity.rs`.

mod entity;

use std::{error::Error, marker::PhantomData};

use futures::future::BoxFuture;
pub use inventory;
pub use tokio;

pub use entity::*;

use crate::model::FunctionVersion;
pub use crate::{
    call::{
        ActivityCall, Entity, Implementer, ImplementerError, Implements, Inputs, Interface, Operation,
        OrchestrationCall, Proxy, RunId, of_only_implementer,
    },
    context::EntityContext,
    model::{Encoded, EntityId, Failure, FunctionName, NotStorable, OperationName, Payload, Storable},
    registry::{Arguments, Definition, EntityCode, InterfaceCode, Registration, Running, output_of},
};

/// The type of the input at place `N` of a function. Declared once per parameter, under the
/// user's word for the type, so that a type that cannot be stored is one error and no more.
pub trait Input<const N: usize> {
    /// The parameter's type.
    type Type: Storable;
}

/// The type of a function's output, declared once for the same reason.
pub trait Output {
    /// The returned type, or the `T` of a returned `Result<T, E>`.
    type Type: Storable;
}

/// Reads the input at place `N` of `F`.
///
/// # Errors
/// When the stored text is not of the parameter's type.
pub fn read_input<F: Input<N>, const N: usize>(
    arguments: &Arguments,
    parameter: &str,
) -> Result<F::Type, Failure> {
    arguments.read(N, parameter)
}

/// Adds the input at place `N` of `F`.
pub fn add_input<F: Input<N>, const N: usize>(inputs: Inputs, value: &F::Type) -> Inputs {
    inputs.add_value(value)
}

/// Writes the output of `F`, which is called `name`.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn write_output<F: Output>(name: &str, output: &F::Type) -> Result<Payload, Failure> {
    output_of(name, output)
}

/// The value of a proxy's `with` for an activity.
pub fn activity_call<O>(
    name: &'static str,
    version: Option<&'static str>,
    input: Encoded,
) -> ActivityCall<O> {
    ActivityCall::new(FunctionName::literal(name), version.map(FunctionVersion::literal), input)
}

/// The value of a proxy's `with` for an orchestrator.
pub fn orchestration_call<O>(
    name: &'static str,
    version: Option<&'static str>,
    input: Encoded,
) -> OrchestrationCall<O> {
    OrchestrationCall::new(FunctionName::literal(name), version.map(FunctionVersion::literal), input)
}

/// A return type that is written as a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called `Result` but is not the standard library's",
    label = "a durable function returns `T` or `Result<T, E>`"
)]
pub trait Fallible {
    /// What success brings.
    type Output;
    /// What failure brings.
    type Error;
    /// The value as the standard library's `Result`.
    ///
    /// # Errors
    /// When the function failed.
    fn into_result(self) -> Result<Self::Output, Self::Error>;
}

impl<T, E> Fallible for Result<T, E> {
    type Output = T;
    type Error = E;
    fn into_result(self) -> Self {
        self
    }
}

/// The returned `Result`, once its success is known to be the `T` that the signature says.
///
/// # Errors
/// When the function failed.
pub fn returned<T, R: Fallible<Output = T>>(value: R) -> Result<T, R::Error> {
    value.into_result()
}

/// Asks whether `T` is a `Result` under another name: the inherent constant hides the trait's.
#[derive(Debug)]
pub struct Returned<T>(PhantomData<T>);

/// The answer for every type that is not a `Result`.
pub trait PlainReturn {
    /// Whether the type is a `Result`.
    const IS_RESULT: bool = false;
}

impl<T> PlainReturn for Returned<T> {}

impl<T, E> Returned<Result<T, E>> {
    /// Whether the type is a `Result`.
    pub const IS_RESULT: bool = true;
}

/// Stands for the type of an error. `(&&&&&&Kind::of(&error)).kind()` finds the first of the six
/// traits below that the type fulfils, since method lookup takes away one reference at a time.
#[derive(Debug)]
pub struct Kind<E>(PhantomData<fn() -> E>);

impl<E> Kind<E> {
    /// The tag for the type of `error`.
    pub fn of(_: &E) -> Self {
        Self(PhantomData)
    }
}

/// First: the error converts itself. `Failure`, texts, boxed errors, an own `From`.
pub trait OwnConversion {
    /// How to convert it.
    fn kind(&self) -> ByOwnConversion {
        ByOwnConversion
    }
}
impl<E: Into<Failure>> OwnConversion for &&&&&Kind<E> {}

/// Second: an error that can be stored whole.
pub trait TypedError {
    /// How to convert it.
    fn kind(&self) -> ByTypedError {
        ByTypedError
    }
}
impl<E: Error + Storable> TypedError for &&&&Kind<E> {}

/// Third: any error.
pub trait PlainError {
    /// How to convert it.
    fn kind(&self) -> ByPlainError {
        ByPlainError
    }
}
impl<E: Error + 'static> PlainError for &&&Kind<E> {}

/// Fourth: what is no error and lends one, as `anyhow::Error` does. A `Failure` in it is found.
pub trait LentError {
    /// How to convert it.
    fn kind(&self) -> ByLentError {
        ByLentError
    }
}
impl<E: AsRef<dyn Error + Send + Sync>> LentError for &&Kind<E> {}

/// Fifth: what becomes a boxed error.
pub trait BoxableError {
    /// How to convert it.
    fn kind(&self) -> ByBox {
        ByBox
    }
}
impl<E: Into<Box<dyn Error + Send + Sync>>> BoxableError for &Kind<E> {}

/// Last: nothing fits, and the bound says so.
pub trait NoError {
    /// The type that does not fit.
    type Error;
    /// How to convert it: not at all.
    fn kind(&self) -> Never
    where
        Self::Error: ErrorOfFunction,
    {
        Never
    }
}
impl<E> NoError for Kind<E> {
    type Error = E;
}

/// What nothing fulfils: it names the type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a durable function",
    label = "neither an error nor a text",
    note = "derive `thiserror::Error` for it, or write `impl From<{Self}> for durable::Failure`"
)]
pub trait ErrorOfFunction {}

/// By the error's own `Into<Failure>`.
#[derive(Debug)]
pub struct ByOwnConversion;
/// With the value kept, so that `downcast` gives it back.
#[derive(Debug)]
pub struct ByTypedError;
/// By message and causes.
#[derive(Debug)]
pub struct ByPlainError;
/// By the error that it lends.
#[derive(Debug)]
pub struct ByLentError;
/// By the error in the box.
#[derive(Debug)]
pub struct ByBox;
/// Not at all.
#[derive(Debug)]
pub struct Never;

impl ByOwnConversion {
    /// The failure to be stored.
    pub fn convert<E: Into<Failure>>(self, error: E) -> Failure {
        error.into()
    }
}

impl ByTypedError {
    /// The failure to be stored.
    #[expect(clippy::needless_pass_by_value, reason = "all six are called alike")]
    pub fn convert<E: Error + Storable>(self, error: E) -> Failure {
        Failure::typed(&error)
    }
}

impl ByPlainError {
    /// The failure to be stored.
    pub fn convert<E: Error + 'static>(self, error: E) -> Failure {
        Failure::from_error(&error)
    }
}

impl ByLentError {
    /// The failure to be stored.
    pub fn convert<E: AsRef<dyn Error + Send + Sync>>(self, error: E) -> Failure {
        Failure::from_dyn(error.as_ref())
    }
}

impl ByBox {
    /// The failure to be stored.
    pub fn convert<E: Into<Box<dyn Error + Send + Sync>>>(self, error: E) -> Failure {
        Failure::from_boxed(error.into())
    }
}

impl Never {
    /// The failure to be stored.
    pub fn convert<E>(self, _: E) -> Failure {
        Failure::new("the error type of this function cannot be stored")
    }
}

/// Awaits a function's future, unless its inputs could not be read, and writes its answer. Says where
/// the future must be `Send`.
pub fn run<F: Future + Send + 'static>(
    running: Result<F, Failure>,
    answer: fn(F::Output) -> Result<Payload, Failure>,
) -> BoxFuture<'static, Result<Payload, Failure>> {
    Box::pin(async move { answer(running?.await) })
}

/// The registration of a function whose definition has a mistake. Never compiled into a program.
pub const STAND_IN: Registration = Registration::activity("", None, "", |_, _| {
    Box::pin(async { Err(Failure::new("this function does not compile")) })
});
