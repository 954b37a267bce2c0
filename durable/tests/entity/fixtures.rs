//! Handwritten entities and requests for the other tests.

use std::sync::Arc;

use durable::{
    entity::{Batch, BatchEnd, EntityExecutor, LiveEntity, Operated, Sent},
    history::{OperationRequest, RequestId},
    model::{EntityId, Failure, OperationName, Payload},
};
use futures::{FutureExt as _, executor::block_on, future::BoxFuture};

/// What the test's entity can be told beside its operations.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    /// Whether it can be copied.
    pub(crate) is_copyable: bool,
}

/// A counter that holds a number, and refuses to be stored as 13.
struct Counter {
    is_copyable: bool,
    stored: Option<Payload>,
    value: Option<i64>,
}

impl EntityExecutor for Counters {
    fn load(&self, _: &EntityId, state: Option<Payload>) -> Box<dyn LiveEntity> {
        Box::new(Counter { is_copyable: self.is_copyable, stored: state, value: None })
    }
}

impl Counter {
    fn run(&mut self, operation: &OperationRequest, sent: &mut Vec<Sent>) -> Result<Payload, Failure> {
        if operation.operation == OperationName::literal("delete") {
            (self.stored, self.value) = (None, None);
            return Ok(Payload::null());
        }
        let stored = self.stored.take();
        let value = match (&mut self.value, stored) {
            (Some(value), _) => value,
            (none, Some(stored)) => none.insert(stored.read()?),
            (none, None) => none.insert(0),
        };
        match operation.operation.as_str() {
            "get" => {}
            "add" => *value += operation.input.read::<i64>()?,
            "tell" => sent.push(Sent::Signal {
                entity: EntityId::new("monitor", "a").unwrap(),
                operation: "told".into(),
                input: Payload::of(value).unwrap(),
                due: None,
            }),
            "spoil" => {
                *value = -1;
                sent.push(Sent::Signal {
                    entity: EntityId::new("monitor", "a").unwrap(),
                    operation: "spoilt".into(),
                    input: Payload::null(),
                    due: None,
                });
                return Err(Failure::new("spoilt"));
            }
            "panic" => {
                *value = -2;
                panic!("out of order");
            }
            other => return Err(Failure::new(format!("no operation `{other}`"))),
        }
        Ok(Payload::of(value).unwrap())
    }
}

impl LiveEntity for Counter {
    fn operate(mut self: Box<Self>, operation: OperationRequest) -> BoxFuture<'static, Operated> {
        async move {
            let mut sent = Vec::new();
            let result = self.run(&operation, &mut sent);
            Operated { entity: self, result, sent }
        }
        .boxed()
    }

    fn copy(&self) -> Option<Box<dyn LiveEntity>> {
        let Self { is_copyable, stored, value } = self;
        is_copyable.then(|| {
            Box::new(Self { is_copyable: true, stored: stored.clone(), value: *value }) as Box<dyn LiveEntity>
        })
    }

    fn save(&self) -> Result<Option<Payload>, Failure> {
        match self.value {
            None => Ok(self.stored.clone()),
            Some(13) => Err(Failure::new("13 is not written down")),
            Some(value) => Ok(Some(Payload::of(&value)?)),
        }
    }

    fn is_read_only(&self, operation: &OperationName) -> bool {
        *operation == OperationName::literal("get")
    }
}

pub(crate) fn json(text: &str) -> Payload {
    Payload::from_json(text).unwrap()
}

pub(crate) fn operation(name: &str, input: &str) -> OperationRequest {
    let call = Some(RequestId::Task(durable::history::EventId::FIRST));
    OperationRequest { operation: name.into(), input: json(input), call, section: None, due: None }
}

/// Runs `operations` on a counter whose stored state is `state`.
pub(crate) fn run(counters: Counters, state: Option<&str>, operations: &[(&str, &str)]) -> BatchEnd {
    let operations = operations.iter().map(|(name, input)| operation(name, input)).collect();
    let entity = EntityId::new("counter", "a").unwrap();
    block_on(Batch::new(Arc::new(counters), entity, state.map(json), operations, 1000))
}

/// The results of a batch: JSON texts, or the messages of failures.
pub(crate) fn results(end: &BatchEnd) -> Vec<String> {
    let in_words = |result: &Result<Payload, Failure>| match result {
        Ok(result) => result.as_json().to_owned(),
        Err(failure) => failure.message().to_owned(),
    };
    end.ends.iter().map(|end| in_words(&end.result)).collect()
}
