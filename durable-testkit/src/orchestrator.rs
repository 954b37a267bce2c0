//! Functions and closures as orchestrators, without an attribute.

use std::sync::Arc;

use durable::{
    context::OrchestrationContext,
    model::{Failure, Storable},
    replay::Orchestrator,
};

use crate::inputs::Inputs;

/// A function or closure that can be run as an orchestrator. `M` tells its forms apart.
#[diagnostic::on_unimplemented(
    message = "this cannot be put to the test as an orchestrator",
    label = "not a function of an `OrchestrationContext` and up to four inputs that returns a `Result`",
    note = "an annotated function of any form is tested by `replay_of::<its_name>()`"
)]
pub trait IntoOrchestrator<M> {
    /// The orchestrator with its types erased.
    fn into_orchestrator(self) -> Orchestrator;
}

macro_rules! functions {
    ($([$($input:ident $value:ident)*] as $inputs:ty;)*) => {
        $(
            impl<F, Fut, O, E, $($input,)*> IntoOrchestrator<fn($($input,)*) -> Fut> for F
            where
                F: Fn(OrchestrationContext, $($input),*) -> Fut + Send + Sync + 'static,
                Fut: Future<Output = Result<O, E>> + Send + 'static,
                O: Storable,
                E: Into<Failure>,
                $($input: Storable,)*
            {
                fn into_orchestrator(self) -> Orchestrator {
                    Arc::new(move |handle, payload| {
                        let running = <$inputs>::read(&payload)
                            .map(|($($value,)*)| self(OrchestrationContext::new(handle), $($value),*));
                        Box::pin(async move {
                            let output = running?.await.map_err(Into::into)?;
                            Ok(output.encode()?)
                        })
                    })
                }
            }
        )*
    };
}

functions! {
    [] as ();
    [A a] as (A,);
    [A a B b] as (A, B);
    [A a B b C c] as (A, B, C);
    [A a B b C c D d] as (A, B, C, D);
}
