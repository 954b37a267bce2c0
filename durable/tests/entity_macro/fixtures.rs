//! Batches of operations on the entities that this program's annotations register.

use durable::{
    context::{EntityHome, Services},
    entity::{Batch, BatchEnd, Sent},
    history::{OperationRequest, RequestId},
    model::{EntityId, Failure, Payload},
    registry::Registry,
};
use futures::executor::block_on;

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

/// Runs `operations` on the entity `name` with the key `a`, whose stored state is `state`.
pub(crate) fn run(name: &str, state: Option<&str>, operations: &[(&str, &str)]) -> BatchEnd {
    run_with(Services::default(), name, state, operations)
}

/// The same, on a worker that lends `services`.
pub(crate) fn run_with(
    services: Services,
    name: &str,
    state: Option<&str>,
    operations: &[(&str, &str)],
) -> BatchEnd {
    run_on(&Registry::discover().unwrap(), services, name, state, operations)
}

/// The same, with the functions of `registry`.
pub(crate) fn run_on(
    registry: &Registry,
    services: Services,
    name: &str,
    state: Option<&str>,
    operations: &[(&str, &str)],
) -> BatchEnd {
    let code = registry.entity(name).expect("the entity is registered")(EntityHome {
        services,
        max_payload: 10_000,
    });
    let call = Some(RequestId::Task(durable::history::EventId::FIRST));
    let operations = operations.iter().map(|(name, input)| OperationRequest {
        operation: (*name).into(),
        input: json(input),
        call: call.clone(),
        section: None,
        due: None,
    });
    let entity = EntityId::new(name, "a").unwrap();
    block_on(Batch::new(code, entity, state.map(json), operations.collect(), 10_000))
}

/// The results of a batch: JSON texts, or the messages of failures.
pub(crate) fn results(end: &BatchEnd) -> Vec<String> {
    let in_words = |result: &Result<Payload, Failure>| match result {
        Ok(result) => result.as_json().to_owned(),
        Err(failure) => failure.message().to_owned(),
    };
    end.ends.iter().map(|end| in_words(&end.result)).collect()
}

/// The stored state after a batch.
pub(crate) fn state(end: &BatchEnd) -> Option<&str> {
    end.state.as_ref().map(Payload::as_json)
}

/// What the operations sent, in words.
pub(crate) fn sent(end: &BatchEnd) -> Vec<String> {
    let in_words = |sent: &Sent| match sent {
        Sent::Signal { entity, operation, input, due } => {
            let due = due.map(|due| format!(" at {due}")).unwrap_or_default();
            format!("{entity}.{}({}){due}", operation.as_str(), input.as_json())
        }
        Sent::Start(started) => format!("start {}({})", started.name, started.input.as_json()),
    };
    end.ends.iter().flat_map(|end| end.sent.iter().map(in_words)).collect()
}
