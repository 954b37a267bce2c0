//! Closures that take the place of activities.

use std::{any::type_name, sync::Arc};

use durable::{
    model::{Failure, Payload, Storable},
    registry::ActivityFn,
};

use crate::inputs::Inputs;

/// A closure of up to four inputs that answers in an activity's place. `M` tells its forms apart.
#[diagnostic::on_unimplemented(
    message = "this cannot stand in for an activity",
    label = "not a closure of up to four inputs",
    note = "write the types of its inputs: `|city: String| ..`"
)]
pub trait StandIn<M>: Send + Sync + 'static {
    /// What it answers.
    type Answer;

    /// Answers a call.
    ///
    /// # Errors
    /// When the stored inputs are not those of the closure.
    fn answer(&self, input: &Payload) -> Result<Self::Answer, Failure>;
}

macro_rules! closures {
    ($([$($input:ident $value:ident)*] as $inputs:ty;)*) => {
        $(
            impl<F, O, $($input,)*> StandIn<fn($($input,)*) -> O> for F
            where
                F: Fn($($input),*) -> O + Send + Sync + 'static,
                $($input: Storable,)*
            {
                type Answer = O;
                fn answer(&self, input: &Payload) -> Result<O, Failure> {
                    let ($($value,)*) = <$inputs>::read(input)?;
                    Ok(self($($value),*))
                }
            }
        )*
    };
}

closures! {
    [] as ();
    [A a] as (A,);
    [A a B b] as (A, B);
    [A a B b C c] as (A, B, C);
    [A a B b C c D d] as (A, B, C, D);
}

/// A stand-in that always answers.
///
/// # Panics
/// When its answer is a `Result`, whose error would be stored as a success.
#[track_caller]
pub(crate) fn always<M, S>(stand_in: S) -> ActivityFn
where
    S: StandIn<M>,
    S::Answer: Storable,
{
    let answer = type_name::<S::Answer>();
    assert!(!answer.starts_with("core::result::Result<"), "this closure may fail: give it to `by_result`");
    Arc::new(move |_, input| {
        let answered = stand_in.answer(&input).and_then(|answer| Ok(answer.encode()?));
        Box::pin(std::future::ready(answered))
    })
}

/// A stand-in that may fail.
pub(crate) fn fallible<M, S, O, E>(stand_in: S) -> ActivityFn
where
    S: StandIn<M, Answer = Result<O, E>>,
    O: Storable,
    E: Into<Failure>,
{
    Arc::new(move |_, input| {
        let answered = stand_in.answer(&input).and_then(|answer| answer.map_err(Into::into));
        Box::pin(std::future::ready(answered.and_then(|answer| Ok(answer.encode()?))))
    })
}
