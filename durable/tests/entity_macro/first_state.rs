//! The state before the first operation: the type's default, or what a function makes.

use std::sync::atomic::{AtomicBool, Ordering};

use durable::{context::Services, prelude::*};
use serde::{Deserialize, Serialize};

use crate::fixtures::{results, run, run_with, state};

/// What the worker lends: where new shelves stand.
struct Warehouse(&'static str);

#[derive(Debug, Serialize, Deserialize)]
struct Shelf {
    place: String,
    items: Vec<String>,
}

fn new_shelf(ctx: &EntityContext) -> Result<Shelf, Failure> {
    let warehouse = ctx.service::<Warehouse>()?;
    Ok(Shelf { place: format!("{} {}", warehouse.0, ctx.key()), items: Vec::new() })
}

// No `Default`, no `Clone`.
#[entity(init = new_shelf, name = "Storage")]
impl Shelf {
    fn put(&mut self, item: String) -> usize {
        self.items.push(item);
        self.items.len()
    }

    fn place(&self) -> String {
        self.place.clone()
    }

    fn spoil(&mut self) -> Result<(), std::io::Error> {
        self.items.clear();
        Err(std::io::Error::other("mould"))
    }

    fn delete(&mut self) -> String {
        std::mem::take(&mut self.place)
    }
}

fn oslo() -> Services {
    Services::default().with(Warehouse("Oslo"))
}

// R3:ENT-52 to ENT-54
#[test]
fn a_function_makes_the_first_state_from_what_the_worker_lends() {
    let end = run_with(oslo(), "storage", None, &[("put", r#""nail""#), ("place", "null")]);
    assert_eq!(results(&end), ["1", r#""Oslo a""#]);
    assert_eq!(state(&end), Some(r#"{"place":"Oslo a","items":["nail"]}"#));
}

#[test]
fn a_first_state_that_cannot_be_made_fails_the_operation() {
    let end = run("storage", None, &[("put", r#""nail""#)]);
    assert!(results(&end)[0].contains("no service of type"), "{:?}", results(&end));
    assert_eq!(state(&end), None);
}

// R2:PERF-10, DECISIONS 12
#[test]
fn a_state_that_is_not_clone_is_undone_all_the_same() {
    let stored = r#"{"place":"Rome","items":["bolt"]}"#;
    let end = run_with(
        oslo(),
        "storage",
        Some(stored),
        &[("put", r#""nail""#), ("spoil", "null"), ("put", r#""nut""#)],
    );
    assert_eq!(results(&end), ["2", "mould", "3"]);
    assert_eq!(state(&end), Some(r#"{"place":"Rome","items":["bolt","nail","nut"]}"#));
}

// R2:ENT-17: an own `delete` is an operation like others.
#[test]
fn an_own_delete_takes_the_place_of_the_general_one() {
    let end = run_with(oslo(), "storage", Some(r#"{"place":"Rome","items":[]}"#), &[("delete", "null")]);
    assert_eq!((results(&end), state(&end)), (vec![r#""Rome""#.into()], Some(r#"{"place":"","items":[]}"#)));
    let asked: durable::call::Operation<String> = Shelf::at("x").delete();
    assert_eq!(asked.entity().as_str(), "@storage@x");
}

static WORKS: AtomicBool = AtomicBool::new(true);

#[derive(Clone, Serialize, Deserialize)]
struct Serial(u32);

#[derive(Debug, thiserror::Error)]
#[error("out of numbers")]
struct OutOfNumbers;

fn first_number() -> Result<Serial, OutOfNumbers> {
    if WORKS.load(Ordering::Relaxed) { Ok(Serial(7)) } else { Err(OutOfNumbers) }
}

#[entity(init = first_number)]
impl Serial {
    fn next(&mut self) -> u32 {
        self.0 += 1;
        self.0
    }

    fn end(self) {}
}

// R3:ENT-52: after a deletion as at the beginning; both tests in one, since they share a switch.
#[test]
fn the_first_state_is_made_again_after_a_deletion_and_its_error_is_the_operations() {
    let next = ("next", "null");
    let end = run("serial", Some("40"), &[next, ("end", "null"), next, ("delete", "null"), next]);
    assert_eq!(
        (results(&end), state(&end)),
        (["41", "null", "8", "null", "8"].map(Into::into).to_vec(), Some("8"))
    );
    WORKS.store(false, Ordering::Relaxed);
    let end = run("serial", None, &[next]);
    assert_eq!((results(&end), state(&end)), (vec!["out of numbers".into()], None));
}

mod places {
    pub(super) fn one() -> super::Plain {
        super::Plain { value: 1 }
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Plain {
    value: u8,
}

#[entity(init = self::places::one)]
impl Plain {
    fn value(&self) -> u8 {
        self.value
    }
}

#[test]
fn a_function_without_a_context_makes_the_first_state() {
    assert_eq!(results(&run("plain", None, &[("value", "null")])), ["1"]);
}

/// A client of the web, as far as the test needs one.
struct Web;

impl Web {
    async fn status_of(&self, url: String) -> Result<u16, Failure> {
        tokio::task::yield_now().await;
        if url.starts_with("http://") { Ok(200) } else { Err(format!("`{url}` is no address").into()) }
    }
}

/// Holds what is not stored.
#[derive(Default, Serialize, Deserialize)]
struct Courier {
    trips: u32,
    #[serde(skip)]
    home: Option<&'static str>,
}

fn comes_home(courier: &mut Courier, ctx: &EntityContext) -> Result<(), Failure> {
    courier.home = Some(ctx.service::<Warehouse>()?.0);
    Ok(())
}

#[entity(attach = comes_home)]
impl Courier {
    fn go(&mut self) -> String {
        self.trips += 1;
        format!("{} times from {}", self.trips, self.home.unwrap_or("nowhere"))
    }

    async fn ask(&self, ctx: &EntityContext, url: String) -> Result<u16, Failure> {
        ctx.service::<Web>()?.status_of(url).await
    }

    fn get_lost(&mut self) -> Result<(), &'static str> {
        self.home = None;
        Err("lost")
    }
}

// R3:ENT-45, ENT-54, ENT-55: at the beginning, as stored, after a failure, after a deletion.
#[test]
fn what_is_not_stored_is_there_whenever_the_state_comes_into_memory() {
    let go = ("go", "null");
    let end = run_with(
        oslo(),
        "courier",
        Some(r#"{"trips":4}"#),
        &[go, ("get_lost", "null"), go, ("delete", "null"), go],
    );
    let told = [r#""5 times from Oslo""#, "lost", r#""6 times from Oslo""#, "null", r#""1 times from Oslo""#];
    assert_eq!(results(&end), told);
    assert_eq!(state(&end), Some(r#"{"trips":1}"#));
    let end = run("courier", Some(r#"{"trips":4}"#), &[go]);
    assert!(results(&end)[0].contains("no service of type"), "{:?}", results(&end));
    assert_eq!(state(&end), Some(r#"{"trips":4}"#));
}

// R3:ENT-13, ENT-54, ENT-57
#[test]
fn an_operation_waits_for_what_the_worker_lends() {
    let operations = [("ask", r#""http://oslo""#), ("ask", r#""oslo""#)];
    let end = run_with(oslo().with(Web), "courier", None, &operations);
    assert_eq!(results(&end), ["200", "`oslo` is no address"]);
}

fn plainly(thing: &mut Attached) {
    thing.0 += 1;
}

#[derive(Default, Clone, Serialize, Deserialize)]
struct Attached(u8);

#[entity(attach = plainly)]
impl Attached {
    fn get(&self) -> u8 {
        self.0
    }
}

#[test]
fn a_function_without_a_context_completes_the_state() {
    assert_eq!(results(&run("attached", None, &[("get", "null"), ("get", "null")])), ["1", "1"]);
}
