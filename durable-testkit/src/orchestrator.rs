//! Functions and closures as orchestrators, without an attribute.
//!
//! Inputs are stored as the attribute stores them: none as null, one as itself, several as an array.

use std::sync::Arc;

use durable::{
    context::OrchestrationContext,
    model::{Failure, Payload, Storable},
    replay::Orchestrator,
};

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
    ($([$($input:ident)*] reads $read:expr;)*) => {
        $(
            impl<F, Fut, O, E, $($input,)*> IntoOrchestrator<fn($($input,)*) -> Fut> for F
            where
                F: Fn(OrchestrationContext, $($input),*) -> Fut + Send + Sync + 'static,
                Fut: Future<Output = Result<O, E>> + Send + 'static,
                O: Storable,
                E: Into<Failure>,
                $($input: Storable,)*
            {
                #[allow(non_snake_case, reason = "the names of the types name their values")]
                fn into_orchestrator(self) -> Orchestrator {
                    Arc::new(move |handle, payload| {
                        let read: fn(&Payload) -> Result<($($input,)*), Failure> = $read;
                        let running = read(&payload)
                            .map(|($($input,)*)| self(OrchestrationContext::new(handle), $($input),*));
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
    [] reads |_| Ok(());
    [A] reads |payload| Ok((A::decode(payload)?,));
    [A B] reads |payload| read_several(payload, |read| Ok((read.next()?, read.next()?)));
    [A B C] reads |payload| read_several(payload, |read| Ok((read.next()?, read.next()?, read.next()?)));
    [A B C D] reads |payload| {
        read_several(payload, |read| Ok((read.next()?, read.next()?, read.next()?, read.next()?)))
    };
}

/// Reads the elements of an array one after the other.
struct Elements(std::vec::IntoIter<Payload>);

impl Elements {
    fn next<T: Storable>(&mut self) -> Result<T, Failure> {
        let element = self.0.next().ok_or_else(|| Failure::new("`started` was given too few inputs"))?;
        Ok(T::decode(&element)?)
    }
}

fn read_several<T>(
    payload: &Payload,
    read: impl FnOnce(&mut Elements) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let elements: Vec<Payload> = payload.read()?;
    read(&mut Elements(elements.into_iter()))
}
