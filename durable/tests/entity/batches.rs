//! A batch of operations: order, results, and that a failed one leaves no trace.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use durable::{
    entity::{Batch, EntityExecutor, LiveEntity, Operated},
    history::OperationRequest,
    model::{EntityId, Failure, Payload},
};
use futures::{FutureExt as _, future::BoxFuture};

use crate::fixtures::{Counters, json, operation, results, run};

const BOTH: [Counters; 2] = [Counters { is_copyable: true }, Counters { is_copyable: false }];

// R2:ENT-7, R2:ENT-33, R3:ENT-7
#[test]
fn each_operation_sees_what_the_one_before_left() {
    for counters in BOTH {
        let end = run(counters, Some("1"), &[("add", "2"), ("get", "null"), ("add", "3"), ("get", "null")]);
        assert_eq!(results(&end), ["3", "3", "6", "6"]);
        assert_eq!(end.state, Some(json("6")));
    }
}

// DECISIONS 12; R2:ENT-40
#[test]
fn a_failed_operation_leaves_no_trace_while_its_neighbours_stand() {
    for counters in BOTH {
        for failing in ["spoil", "panic"] {
            let operations =
                [("add", "1"), ("tell", "null"), (failing, "null"), ("add", "1"), ("tell", "null")];
            let end = run(counters, None, &operations);
            let failure = if failing == "spoil" { "spoilt" } else { "out of order" };
            assert_eq!(results(&end), ["1", "1", failure, "2", "2"]);
            assert_eq!(end.state, Some(json("2")));
            assert_eq!(end.ends.iter().map(|end| end.sent.len()).collect::<Vec<_>>(), [0, 1, 0, 0, 1]);
        }
    }
}

#[test]
fn the_first_and_the_last_may_fail_and_several_in_a_row() {
    for counters in BOTH {
        let operations =
            [("spoil", "null"), ("panic", "null"), ("add", "4"), ("panic", "null"), ("spoil", "null")];
        let end = run(counters, Some("1"), &operations);
        assert_eq!(results(&end)[2], "5");
        assert_eq!(end.state, Some(json("5")));
        assert_eq!(run(counters, None, &[("spoil", "null")]).state, None);
    }
}

// R3:ENT-8, R2:ENT-17, R3:ENT-52
#[test]
fn reading_creates_the_state_and_deleting_takes_it_away() {
    for counters in BOTH {
        assert_eq!(run(counters, None, &[("get", "null")]).state, Some(json("0")));
        assert_eq!(run(counters, Some("5"), &[("delete", "null")]).state, None);
        let end = run(counters, Some("5"), &[("Delete", "null"), ("add", "1"), ("spoil", "null")]);
        assert_eq!((results(&end)[1].as_str(), end.state), ("1", Some(json("1"))));
    }
}

// R3:ENT-49: not reset in silence, and not lost.
#[test]
fn a_state_that_cannot_be_read_fails_the_operation_and_stays() {
    for counters in BOTH {
        let end = run(counters, Some(r#""text""#), &[("add", "1"), ("get", "null")]);
        assert!(end.ends.iter().all(|end| end.result.is_err()));
        assert_eq!(end.state, Some(json(r#""text""#)));
        assert_eq!(run(counters, Some(r#""text""#), &[("add", "1"), ("delete", "null")]).state, None);
    }
}

#[test]
fn a_state_that_cannot_be_stored_fails_the_operation_that_made_it_and_no_other() {
    for counters in BOTH {
        let end = run(counters, Some("12"), &[("add", "-1"), ("add", "2"), ("get", "null")]);
        assert_eq!(results(&end), ["11", "13 is not written down", "11"]);
        assert_eq!(end.state, Some(json("11")));
        let end = run(counters, Some("12"), &[("add", "-1"), ("add", "2")]);
        assert_eq!(
            (results(&end), end.state),
            (vec!["11".into(), "13 is not written down".into()], Some(json("11")))
        );
    }
}

/// An entity whose operations never end.
struct Slow;

impl EntityExecutor for Slow {
    fn load(&self, _: &EntityId, _: Option<Payload>) -> Box<dyn LiveEntity> {
        Box::new(Self)
    }
}

impl LiveEntity for Slow {
    fn operate(self: Box<Self>, operation: OperationRequest) -> BoxFuture<'static, Operated> {
        if operation.operation.as_str() == "sleep" {
            return futures::future::pending().boxed();
        }
        let operated = Operated { entity: self, result: Ok(Payload::null()), sent: Vec::new() };
        futures::future::ready(operated).boxed()
    }

    fn copy(&self) -> Option<Box<dyn LiveEntity>> {
        None
    }

    fn save(&self) -> Result<Option<Payload>, Failure> {
        Ok(Some(json("true")))
    }
}

#[test]
fn an_operation_that_takes_too_long_is_failed_and_the_next_one_runs() {
    let operations = vec![operation("sleep", "1"), operation("wake", "1")];
    let mut batch = Batch::new(Arc::new(Slow), EntityId::new("slow", "a").unwrap(), None, operations, 1000);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(batch.poll_unpin(&mut cx).is_pending());
    batch.fail_running(Failure::new("too slow"));
    let Poll::Ready(end) = batch.poll_unpin(&mut cx) else { panic!("it still waits") };
    assert_eq!(results(&end), ["too slow", "null"]);
    assert_eq!(end.state, Some(json("true")));
}
