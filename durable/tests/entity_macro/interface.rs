//! Interfaces: operations that several entities have, asked for without knowing which entity it is.

use durable::{call::Implements, prelude::*};
use serde::{Deserialize, Serialize};

use crate::fixtures::{results, run, state};

/// What can be counted up.
#[entity]
pub(crate) trait Counter {
    /// Adds.
    fn add(&mut self, amount: i64) -> i64;
    fn get(&self) -> i64;
    fn label(&mut self, ctx: &EntityContext, text: String) -> Result<String, Failure>;
    /// Has a body of its own.
    fn is_high(&self) -> bool {
        self.get() > 100
    }
}

mod other {
    #[durable::entity]
    pub(super) trait Resetting {
        fn reset(&mut self);
        #[entity(name = "FinishOff")]
        fn finish(self) -> String;
        #[entity(skip)]
        fn note(&self, of: &str, by: &str) -> usize {
            of.len() + by.len()
        }
    }
}

/// Implements one interface, and has no operations besides.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct One(i64);

#[entity]
impl Counter for One {
    fn add(&mut self, amount: i64) -> i64 {
        self.0 += amount;
        self.0
    }

    fn get(&self) -> i64 {
        self.0
    }

    fn label(&mut self, ctx: &EntityContext, text: String) -> Result<String, Failure> {
        if text.is_empty() {
            return Err("no text".into());
        }
        Ok(format!("{text} {}", ctx.entity_id()))
    }
}

/// Implements two, and has an operation of its own.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Two {
    half: i64,
}

impl Counter for Two {
    fn add(&mut self, amount: i64) -> i64 {
        self.half += amount / 2;
        self.half * 2
    }

    fn get(&self) -> i64 {
        self.half * 2
    }

    fn label(&mut self, _: &EntityContext, _: String) -> Result<String, Failure> {
        Err("it has none".into())
    }
}

impl other::Resetting for Two {
    fn reset(&mut self) {
        self.half = 0;
    }

    fn finish(self) -> String {
        self.half.to_string()
    }
}

#[entity(Counter, other::Resetting)]
impl Two {
    async fn double(&mut self) {
        tokio::task::yield_now().await;
        self.half *= 2;
    }
}

// R3:ENT-23, ENT-24
#[test]
fn an_entity_has_the_operations_of_its_interface_and_those_with_a_body_there() {
    let end = run(
        "one",
        None,
        &[
            ("add", "101"),
            ("get", "null"),
            ("is_high", "null"),
            ("label", r#""n""#),
            ("label", r#""""#),
            ("delete", "null"),
        ],
    );
    assert_eq!(results(&end), ["101", "101", "true", r#""n @one@a""#, "no text", "null"]);
    assert_eq!(state(&end), None);
}

// R3:ENT-24
#[test]
fn an_entity_has_the_operations_of_several_interfaces_and_its_own() {
    let end = run(
        "two",
        None,
        &[
            ("add", "10"),
            ("double", "null"),
            ("get", "null"),
            ("finishoff", "null"),
            ("add", "4"),
            ("reset", "null"),
            ("get", "null"),
        ],
    );
    assert_eq!(results(&end), ["10", "null", "20", r#""10""#, "4", "null", "0"]);
    let end = run("two", None, &[("note", "null")]);
    assert_eq!(
        results(&end)[0],
        "entity `@two@a` has no operation `note`: it has `add`, `delete`, `double`, `finishoff`, `get`, `is_high`, \
         `label`, `reset`"
    );
}

fn asked(operation: impl std::fmt::Debug) -> String {
    format!("{operation:?}")
}

// R3:ENT-27, ENT-32
#[test]
fn an_interface_is_asked_through_an_address_of_its_own() {
    let checked = CounterRef::from(&Two::at("b"));
    assert_eq!(asked(checked.add(1)), asked(Two::at("b").as_ref().operation("add", 1)));
    let unchecked = CounterRef::from(EntityId::new("far", "b").unwrap());
    assert_eq!(asked(unchecked.get()), asked(unchecked.as_ref().operation("get", ())));
    assert_eq!(asked(One::at("b").label("x")), asked(CounterRef::from(&One::at("b")).label("x")));
    assert_eq!(asked(checked.delete()), asked(Two::at("b").delete()));
    let ends: durable::call::Operation<String> = other::ResettingRef::from(&Two::at("b")).finish();
    assert!(asked(ends).contains("FinishOff"));
}

// R3:ENT-32
#[test]
fn a_key_alone_names_the_entity_of_the_only_kind_that_implements_the_interface() {
    assert_eq!(other::ResettingRef::of_key("b").unwrap().as_ref().as_str(), "@two@b");
}

#[entity]
trait Unused {
    fn nothing(&self);
}

// R3:ENT-33
#[test]
fn a_key_alone_is_refused_when_several_kinds_or_none_implement_the_interface() {
    let several = CounterRef::of_key("b").unwrap_err();
    assert_eq!(
        several.to_string(),
        "a key alone names an entity of the interface `Counter` only if exactly one kind of entity implements it in \
         this program, and `one`, `two` do: name the kind as well, with `CounterRef::from(&Entity::at(key))` or an \
         `EntityId`"
    );
    assert_eq!((several.interface(), several.entities()), ("Counter", &["one", "two"][..]));
    let none = UnusedRef::of_key("b").unwrap_err();
    assert!(none.to_string().contains("and none does"), "{none}");
    let failure = Failure::from(none);
    assert!(failure.message().contains("`Unused`"), "{failure}");
    assert_eq!(
        asked(UnusedRef::from(EntityId::new("far", "b").unwrap()).nothing()),
        asked(EntityId::new("far", "b").unwrap().operation("nothing", ()))
    );
}

fn of_any<E: Entity + Implements<dyn Counter>>(key: &str) -> CounterRef {
    CounterRef::from(&E::at(key))
}

#[test]
fn a_generic_caller_needs_no_more_than_the_interface() {
    assert_eq!(of_any::<One>("b").as_ref().as_str(), "@one@b");
    let (mut one, mut two) = (One(0), Two { half: 0 });
    assert_eq!((one.add(3), two.add(3)), (3, 2));
    assert_eq!(other::Resetting::note(&two, "a", "bc"), 3);
}
