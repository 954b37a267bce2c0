//! The state as it is stored, and what becomes of it when its type changes.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering},
};

use durable::prelude::*;
use serde::{Deserialize, Serialize};

use crate::fixtures::{results, run, state};

/// As version two of a type, of which the tests bring states of version one.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Profile {
    #[serde(rename = "value")]
    number: u32,
    language: String,
    contacts: BTreeMap<String, Contact>,
    #[serde(skip)]
    seen: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Contact {
    phone: String,
}

impl Default for Profile {
    fn default() -> Self {
        Self { number: 1, language: "en".into(), contacts: BTreeMap::new(), seen: 0 }
    }
}

#[entity]
impl Profile {
    fn see(&mut self) -> u32 {
        self.seen += 1;
        self.seen
    }

    fn add(&mut self, (name, contact): (String, Contact)) {
        self.contacts.insert(name, contact);
    }
}

const SEE: (&str, &str) = ("see", "null");

// R3:ENT-5, ENT-41 to ENT-44, ENT-55
#[test]
fn the_state_is_stored_as_serde_says_and_without_the_name_of_its_type() {
    let end = run("profile", None, &[("add", r#"["ada",{"phone":"1"}]"#), SEE, SEE]);
    assert_eq!(results(&end)[1..], ["1", "2"]);
    assert_eq!(state(&end), Some(r#"{"value":1,"language":"en","contacts":{"ada":{"phone":"1"}}}"#));
}

// R3:ENT-45, ENT-46: without `#[serde(default)]`.
#[test]
fn a_field_that_older_code_did_not_store_has_the_value_of_a_new_entity() {
    let end = run("profile", Some(r#"{"value":5}"#), &[SEE]);
    assert_eq!(state(&end), Some(r#"{"value":5,"language":"en","contacts":{}}"#));
}

// R3:ENT-47, ENT-48
#[test]
fn a_field_that_is_no_longer_there_is_dropped_at_the_next_save() {
    let stored = r#"{"value":5,"language":"no","contacts":{},"nickname":"x"}"#;
    assert_eq!(
        state(&run("profile", Some(stored), &[SEE])),
        Some(r#"{"value":5,"language":"no","contacts":{}}"#)
    );
}

// R3:ENT-49
#[test]
fn a_field_of_another_type_fails_the_operation_and_the_state_stays_as_it_was() {
    let stored = r#"{"value":"many","language":"no"}"#;
    let end = run("profile", Some(stored), &[SEE]);
    assert!(results(&end)[0].contains("it stays as it is"), "{:?}", results(&end));
    assert_eq!(state(&end), Some(stored));
    assert_eq!(state(&run("profile", Some(stored), &[("delete", "null")])), None);
}

/// As a number that was narrower once.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Wide(f64);

#[entity]
impl Wide {
    fn get(&self) -> f64 {
        self.0
    }
}

// R3:ENT-50
#[test]
fn a_type_that_can_hold_the_stored_value_takes_it_over() {
    assert_eq!(results(&run("wide", Some("7"), &[("get", "null")])), ["7.0"]);
}

#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Strict {
    value: u8,
}

#[entity]
impl Strict {
    fn get(&self) -> u8 {
        self.value
    }
}

// R3:ENT-51
#[test]
fn a_type_may_refuse_what_it_does_not_know() {
    let end = run("strict", Some(r#"{"value":1,"more":2}"#), &[("get", "null")]);
    assert!(results(&end)[0].contains("unknown field `more`"), "{:?}", results(&end));
    assert_eq!(state(&end), Some(r#"{"value":1,"more":2}"#));
    assert_eq!(results(&run("strict", Some("{}"), &[("get", "null")])), ["0"]);
}

static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// Counts how often it is written.
#[derive(Debug, Default, Clone)]
struct Costly(u8);

impl Serialize for Costly {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WRITTEN.fetch_add(1, Ordering::Relaxed);
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Costly {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self)
    }
}

#[entity]
impl Costly {
    fn add(&mut self) -> Result<(), &'static str> {
        self.0 += 1;
        if self.0 == 3 { Err("three") } else { Ok(()) }
    }
}

#[test]
fn a_state_that_is_clone_is_written_once_a_batch() {
    let end = run("costly", None, &[("add", "null"); 20]);
    assert_eq!((state(&end), WRITTEN.load(Ordering::Relaxed)), (Some("2"), 1));
}
