//! An `impl` block: each kind of receiver, of input and of result, and the state between operations.

use durable::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fixtures::{results, run, sent, state};

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[error("there are {has} only")]
struct Overdrawn {
    has: i64,
}

#[entity]
impl Account {
    const LIMIT: i64 = 0;

    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    fn withdraw(&mut self, amount: i64) -> Result<(), Overdrawn> {
        self.balance -= amount;
        if self.balance < Self::LIMIT { Err(Overdrawn { has: self.balance + amount }) } else { Ok(()) }
    }

    fn balance(&self) -> i64 {
        self.balance
    }

    async fn reset(&mut self) {
        let before = std::mem::take(&mut self.balance);
        tokio::task::yield_now().await;
        assert!(before >= 0, "a negative balance");
    }

    fn close(self) -> i64 {
        self.balance
    }

    fn report(&self, ctx: &EntityContext, to: String) -> usize {
        ctx.signal(Self::at(&to).deposit(self.balance));
        to.into_bytes().len()
    }

    fn forget(&self, ctx: EntityContext) {
        ctx.delete_state();
        drop(ctx);
    }

    fn snapshot(&self) -> Self {
        self.clone()
    }

    #[entity(name = "GetLimit")]
    fn limit(&self) -> i64 {
        Self::opened(Self::LIMIT).balance
    }

    #[entity(skip)]
    #[expect(dead_code, reason = "left alone: it borrows")]
    fn text(&self) -> &str {
        "account"
    }

    fn opened(balance: i64) -> Self {
        Self { balance }
    }
}

// R3:ENT-4, ENT-6, ENT-7, ENT-16; R2:ENT-7
#[test]
fn each_operation_works_on_what_the_one_before_left() {
    let end = run(
        "account",
        None,
        &[
            ("deposit", "100"),
            ("withdraw", "30"),
            ("balance", "null"),
            ("reset", "null"),
            ("balance", "null"),
        ],
    );
    assert_eq!(results(&end), ["null", "null", "70", "null", "0"]);
    assert_eq!(state(&end), Some(r#"{"balance":0}"#));
}

// R3:ENT-8
#[test]
fn reading_an_entity_that_was_never_used_creates_it() {
    let end = run("account", None, &[("balance", "null")]);
    assert_eq!((results(&end), state(&end)), (vec!["0".into()], Some(r#"{"balance":0}"#)));
}

// R2:ENT-40, DECISIONS 12
#[test]
fn a_failed_operation_changes_nothing_and_its_error_comes_back_typed() {
    let end = run("account", Some(r#"{"balance":10}"#), &[("withdraw", "30"), ("balance", "null")]);
    let failure = end.ends[0].result.as_ref().unwrap_err();
    assert_eq!(failure.downcast::<Overdrawn>().unwrap().has, 10);
    assert_eq!((results(&end)[1].as_str(), state(&end)), ("10", Some(r#"{"balance":10}"#)));
}

#[test]
fn a_panic_after_an_await_fails_the_operation_alone() {
    let end = run("account", Some(r#"{"balance":-1}"#), &[("reset", "null"), ("balance", "null")]);
    assert!(results(&end)[0].contains("a negative balance"));
    assert_eq!((results(&end)[1].as_str(), state(&end)), ("-1", Some(r#"{"balance":-1}"#)));
}

// R3:ENT-63, R2:ENT-17
#[test]
fn an_operation_that_takes_the_state_by_value_deletes_it() {
    let end = run("account", Some(r#"{"balance":7}"#), &[("close", "null")]);
    assert_eq!((results(&end), state(&end)), (vec!["7".into()], None));
    let end = run("account", Some(r#"{"balance":7}"#), &[("close", "null"), ("deposit", "1")]);
    assert_eq!(state(&end), Some(r#"{"balance":1}"#));
}

// R3:ENT-14: `delete` is there unless the entity has its own.
#[test]
fn delete_is_an_operation_of_every_entity() {
    let end = run(
        "account",
        Some(r#"{"balance":7}"#),
        &[("Delete", "null"), ("balance", "null"), ("delete", "null")],
    );
    assert_eq!((results(&end), state(&end)), (vec!["null".into(), "0".into(), "null".into()], None));
}

// R3:ENT-14, ENT-63: also from an operation that could not change the state otherwise.
#[test]
fn the_context_deletes_the_state_after_the_operation() {
    let end = run("account", Some(r#"{"balance":7}"#), &[("forget", "null")]);
    assert_eq!(state(&end), None);
    let end = run("account", None, &[("deposit", "1"), ("forget", "null"), ("balance", "null")]);
    assert_eq!((results(&end)[2].as_str(), state(&end)), ("0", Some(r#"{"balance":0}"#)));
}

// R3:ENT-14, ENT-66: the context is no input.
#[test]
fn the_context_stands_beside_the_input_and_sends() {
    let end = run("account", Some(r#"{"balance":7}"#), &[("report", r#""bob""#)]);
    assert_eq!((results(&end), sent(&end)), (vec!["3".into()], vec!["@account@bob.deposit(7)".into()]));
}

// DECISIONS 7, R3:ENT-58
#[test]
fn operations_are_found_whatever_the_case_of_their_names() {
    let end = run("account", None, &[("DEPOSIT", "1"), ("Balance", "null"), ("getLimit", "null")]);
    assert_eq!(results(&end), ["null", "1", "0"]);
}

#[test]
fn an_unknown_operation_fails_and_names_those_there_are() {
    let end = run("account", None, &[("depositt", "1"), ("text", "null"), ("opened", "1")]);
    assert_eq!(
        results(&end)[0],
        "entity `@account@a` has no operation `depositt`: it has `balance`, `close`, `delete`, `deposit`, `forget`, \
         `getlimit`, `report`, `reset`, `snapshot`, `withdraw`"
    );
    assert!(end.ends.iter().all(|end| end.result.is_err()));
    assert_eq!(state(&end), None);
}

#[test]
fn an_input_of_another_type_fails_the_operation_and_names_it() {
    let end = run("account", None, &[("deposit", r#""much""#), ("snapshot", "null")]);
    let message = &results(&end)[0];
    assert!(message.contains("the input `amount` of `account.deposit` is not a `i64`"), "{message}");
    assert_eq!(results(&end)[1], r#"{"balance":0}"#);
}

// R3:ENT-9, R2:ENT-10
#[test]
fn an_address_says_what_is_asked_of_whom() {
    let ada = Account::at("ada");
    assert_eq!(ada.as_ref().as_str(), "@account@ada");
    assert_eq!(format!("{ada:?}"), r#"AccountRef("@account@ada")"#);
    let asked = format!("{:?}", ada.report("bob"));
    assert!(asked.contains("@account@ada") && asked.contains("report") && asked.contains("bob"), "{asked}");
    assert_eq!(Account::opened(3).balance(), 3);
}
