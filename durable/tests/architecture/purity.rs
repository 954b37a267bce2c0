//! What the pure folders must not name, and who alone reads the clock.
//!
//! The engine is a function of history and code: it reads no clock, no random source, no
//! environment, and walks nothing unordered. Begin with [`check`].

use super::{
    paths::{paths, words},
    source::{Source, Violation},
};

/// The folders of `durable` that are pure.
const PURE: [&str; 6] = ["model", "history", "call", "replay", "entity", "episode"];

/// Paths that leave the world of values, and what each brings in. (`futures::executor::enter` does
/// not: it is the mark that keeps a second executor out of an orchestrator.)
const FORBIDDEN_PATHS: [(&str, &str); 15] = [
    ("std::time::SystemTime", "the clock"),
    ("std::time::Instant", "the clock"),
    ("std::thread", "threads"),
    ("std::env", "the environment"),
    ("std::process", "the environment"),
    ("std::fs", "files"),
    ("tokio", "a runtime"),
    ("rusqlite", "a store"),
    ("rand", "randomness"),
    ("fastrand", "randomness"),
    ("getrandom", "randomness"),
    ("futures::executor::block_on", "a runtime"),
    ("futures::executor::LocalPool", "a runtime"),
    ("futures::executor::ThreadPool", "a runtime"),
    ("crate::clock", "the clock"),
];

/// Words that do so wherever they come from.
const FORBIDDEN_WORDS: [(&str, &str); 10] = [
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("TcpListener", "the network"),
    ("TcpStream", "the network"),
    ("UdpSocket", "the network"),
    ("HashMap", "an order that differs from run to run"),
    ("HashSet", "an order that differs from run to run"),
    ("RandomState", "randomness"),
    ("new_v4", "randomness"),
    ("now_v7", "randomness and the clock"),
];

/// Calls that read the clock; `clock.rs` alone may.
const CLOCKS: [(&str, &str); 4] =
    [("SystemTime", "now"), ("Instant", "now"), ("Timestamp", "now"), ("Zoned", "now")];

/// The crates whose product never reads the clock. The others are tools, and not shipped.
const TIMELESS: [&str; 3] = ["durable", "durable-macros", "durable-testkit"];

/// Checks one file.
pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = clock_readers(source);
    let folder = source.module(0).into_iter().next().unwrap_or_default();
    if source.package() == "durable" && source.is_product() && PURE.contains(&folder.as_str()) {
        violations.extend(impure_paths(source));
        violations.extend(impure_words(source));
        violations.extend(asynchronous_code(source));
    }
    violations
}

fn clock_readers(source: &Source) -> Vec<Violation> {
    if !TIMELESS.contains(&source.package()) || source.file == "durable/src/clock.rs" {
        return Vec::new();
    }
    let reads = |segments: &[String]| {
        segments.windows(2).any(|pair| CLOCKS.contains(&(pair[0].as_str(), pair[1].as_str())))
    };
    paths(&source.code)
        .iter()
        .filter(|path| !source.is_test(path.at) && reads(&path.segments))
        .map(|path| {
            let what = format!("`{}` reads the clock: only `clock.rs` may", path.segments.join("::"));
            source.violation(path.at, "clock", what)
        })
        .collect()
}

fn impure_paths(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in paths(&source.code).iter().filter(|path| !source.is_test(path.at)) {
        let named = path.segments.join("::").replace("::self", "");
        let leads = |forbidden: &str| {
            named.strip_prefix(forbidden).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if let Some((_, brings)) = FORBIDDEN_PATHS.iter().find(|(forbidden, _)| leads(forbidden)) {
            violations.push(source.violation(path.at, "purity", format!("`{named}` brings in {brings}")));
        }
    }
    violations
}

fn impure_words(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (at, word) in words(&source.code).filter(|(at, _)| !source.is_test(*at)) {
        if let Some((_, brings)) = FORBIDDEN_WORDS.iter().find(|(forbidden, _)| *forbidden == word) {
            violations.push(source.violation(at, "purity", format!("`{word}` brings in {brings}")));
        }
    }
    violations
}

/// Pure code returns data; it polls what it is given, and awaits nothing itself.
fn asynchronous_code(source: &Source) -> Vec<Violation> {
    words(&source.code)
        .filter(|(at, word)| {
            matches!(*word, "async" | "await") && !source.is_test(*at) && !source.is_macro_rule(*at)
        })
        .map(|(at, word)| {
            source.violation(at, "purity", format!("`{word}`: pure code returns data and never waits"))
        })
        .collect()
}

#[cfg(test)]
fn rules_broken(file: &str, text: &str) -> Vec<&'static str> {
    check(&Source::new(file, text)).iter().map(|violation| violation.rule).collect()
}

#[test]
fn what_leaves_the_world_of_values_is_found() {
    for text in [
        "use std::{sync::Arc, thread};",
        "use std::time::{Duration, Instant};",
        "use std::env::{self, VarError};",
        "use std::{net::TcpStream, io};",
        "fn f() { tokio::spawn(g()); }",
        "fn f(map: HashMap<u8, u8>) {}",
        "fn f() -> Uuid { Uuid::new_v4() }",
        "async fn f() {}",
        "fn f() { g().await }",
        "use crate::clock::Clock;",
    ] {
        assert!(rules_broken("durable/src/replay/run.rs", text).contains(&"purity"), "{text}");
        assert!(!rules_broken("durable/src/worker/run.rs", text).contains(&"purity"), "{text}");
    }
}

#[test]
fn values_texts_tests_and_macros_are_fine() {
    for text in [
        "use std::{collections::BTreeMap, time::Duration};",
        "// HashMap\nconst HELP: &str = \"use ctx.now() and not SystemTime::now()\";",
        "#[cfg(test)]\nmod tests { async fn f() { tokio::spawn(g()).await } }",
        "macro_rules! select { () => { async { f().await } } }",
        "fn thread(env: u8) { self.env }",
    ] {
        assert_eq!(rules_broken("durable/src/replay/run.rs", text), [""; 0], "{text}");
    }
}

#[test]
fn one_file_reads_the_clock() {
    let text = "fn f() { std::time::Instant::now(); jiff::Timestamp::now() }";
    assert_eq!(rules_broken("durable/src/worker/run.rs", text), ["clock", "clock"]);
    assert_eq!(rules_broken("durable/src/clock.rs", text), [""; 0]);
    assert_eq!(rules_broken("bench/src/main.rs", text), [""; 0]);
}
