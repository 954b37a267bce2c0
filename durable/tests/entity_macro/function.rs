//! The function syntax: one function looks at the name of the operation and keeps the state by hand.

use durable::{context::Services, prelude::*};
use serde::{Deserialize, Serialize};

use crate::fixtures::{results, run, run_on, sent, state};

// R3:ENT-58
#[entity]
async fn counter(ctx: EntityContext) -> Result<(), Failure> {
    match ctx.operation_name().as_str().to_lowercase().as_str() {
        "add" => ctx.change_state(|value: &mut i64| *value += ctx.input::<i64>().unwrap_or_default())?,
        "addstrictly" => ctx.set_state(ctx.state::<i64>()? + ctx.input::<i64>()?)?,
        "reset" => ctx.set_state(0)?,
        "get" => ctx.return_value(ctx.state::<i64>()?),
        "exists" => ctx.return_value(ctx.has_state()),
        "delete" => ctx.delete_state(),
        "mix" => {
            ctx.state::<i64>()?;
            ctx.state::<String>()?;
        }
        "who" => {
            tokio::task::yield_now().await;
            ctx.return_value((ctx.name(), ctx.key(), ctx.entity_id(), ctx.operation_name().as_str()));
        }
        "tell" => ctx.signal(counter::at("other").operation("add", ctx.state::<i64>()?)),
        "spoil" => {
            ctx.set_state(-1)?;
            ctx.signal(counter::at("other").operation("spoilt", ()));
            return Err("spoilt".into());
        }
        "panic" => panic!("out of order"),
        _ => {}
    }
    Ok(())
}

// R3:ENT-58, ENT-60 to ENT-64
#[test]
fn it_reads_and_writes_its_state_by_hand() {
    let end = run(
        "counter",
        None,
        &[
            ("exists", "null"),
            ("add", "2"),
            ("Add", "3"),
            ("get", "null"),
            ("exists", "null"),
            ("who", "null"),
            ("unheard-of", "null"),
        ],
    );
    assert_eq!(
        results(&end),
        ["false", "null", "null", "5", "true", r#"["counter","a","@counter@a","who"]"#, "null"]
    );
    assert_eq!(state(&end), Some("5"));
}

// R3:ENT-62: reading creates.
#[test]
fn reading_a_state_that_is_not_there_creates_it() {
    let end = run("counter", None, &[("get", "null"), ("exists", "null")]);
    assert_eq!((results(&end), state(&end)), (vec!["0".into(), "true".into()], Some("0")));
    assert_eq!(state(&run("counter", None, &[("exists", "null")])), None);
}

// R3:ENT-63
#[test]
fn deleting_takes_the_state_away_and_does_nothing_without_one() {
    let end = run("counter", Some("7"), &[("delete", "null"), ("exists", "null"), ("delete", "null")]);
    assert_eq!((results(&end)[1].as_str(), state(&end)), ("false", None));
}

// R3:ENT-65
#[test]
fn one_operation_reads_its_state_as_one_type() {
    let end = run("counter", Some("7"), &[("mix", "null")]);
    assert!(results(&end)[0].contains("use one type within an operation"), "{:?}", results(&end));
    assert_eq!(state(&end), Some("7"));
}

// R3:ENT-66, R2:ENT-40
#[test]
fn what_it_sends_leaves_with_the_success_of_the_operation() {
    let end =
        run("counter", Some("7"), &[("tell", "null"), ("spoil", "null"), ("panic", "null"), ("get", "null")]);
    assert_eq!(results(&end), ["null", "spoilt", "out of order", "7"]);
    assert_eq!((sent(&end), state(&end)), (vec!["@counter@other.add(7)".into()], Some("7")));
}

#[test]
fn an_input_of_another_type_fails_the_operation() {
    let end = run("counter", Some("7"), &[("addStrictly", r#""x""#)]);
    assert!(
        results(&end)[0].contains("the input of operation `addStrictly` is not a `i64`"),
        "{:?}",
        results(&end)
    );
}

/// The same state, kept by a type.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Tally(i64);

#[entity]
impl Tally {
    fn add(&mut self, amount: i64) {
        self.0 += amount;
    }

    fn get(&self) -> i64 {
        self.0
    }
}

// R3:ENT-1, ENT-2, ENT-68, R2:ENT-19
#[test]
fn both_syntaxes_do_the_same_to_the_same_state() {
    let operations = [("add", "2"), ("ADD", "3"), ("get", "null"), ("delete", "null"), ("add", "1")];
    let (by_hand, by_type) = (run("counter", Some("4"), &operations), run("tally", Some("4"), &operations));
    assert_eq!(by_hand, by_type);
    let handed_over = run("tally", state(&by_hand), &[("get", "null")]);
    assert_eq!(results(&handed_over), ["1"]);
}

// Not `async`, by reference, without a result, with an error that is not `Failure`, under another name.
#[entity(name = "Log")]
fn log_book(ctx: &EntityContext) -> std::io::Result<()> {
    if ctx.operation_name().as_str() == "burn" {
        return Err(std::io::Error::other("fire"));
    }
    let line: String = ctx.input().map_err(std::io::Error::other)?;
    ctx.change_state(|lines: &mut Vec<String>| lines.push(line)).map_err(std::io::Error::other)
}

#[entity]
fn silent(_: EntityContext) {}

#[test]
fn every_shape_of_a_function_is_an_entity() {
    let end = run("log", None, &[("write", r#""x""#), ("burn", "null"), ("write", r#""y""#)]);
    assert_eq!((results(&end)[1].as_str(), state(&end)), ("fire", Some(r#"["x","y"]"#)));
    assert_eq!(results(&run("silent", None, &[("anything", "null")])), ["null"]);
    assert_eq!(log_book::at("b").as_str(), "@log@b");
    assert_eq!(silent::at(7).key(), "7");
}

// R3:ENT-3
#[test]
fn a_library_registers_entities_of_its_own_making() {
    let mut builder = Registry::builder();
    for (name, factor) in [("Doubled", 2), ("Tripled", 3)] {
        builder = builder.entity(name, move |ctx: EntityContext| async move {
            ctx.change_state(|value: &mut i64| *value += factor * ctx.input::<i64>().unwrap_or(0))
        });
    }
    let registry = builder.build().unwrap();
    let end = |name| run_on(&registry, Services::default(), name, None, &[("add", "5"), ("add", "1")]);
    assert_eq!((state(&end("doubled")), state(&end("tripled"))), (Some("12"), Some("18")));
}

#[test]
fn two_entities_of_one_name_are_refused_naming_both_places() {
    let clash =
        Registry::builder().add::<counter>().entity("COUNTER", counter).build().unwrap_err().to_string();
    assert!(clash.starts_with("two entities are called `counter`, at "), "{clash}");
}
