//! Headers, lengths, unfinished code, and words that say nothing.
//!
//! Begin with [`check`].

use super::{
    paths::words,
    source::{Source, Violation, next_word, parts_of_name},
};

/// The most lines of a file.
const LONGEST: usize = 400;

/// The most lines of a file of tests.
const LONGEST_TEST: usize = 500;

/// Parts of a type's name that do not say what it is.
const EMPTY_WORDS: [&str; 9] =
    ["Manager", "Helper", "Helpers", "Util", "Utils", "Info", "Data", "Impl", "Base"];

/// The macros' own file for what stands in after a mistake: it writes `unimplemented!` into the
/// user's program, beside the error that stops its build.
const STAND_IN: &str = "stand_in.rs";

/// Checks one file.
pub(crate) fn check(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !source.text.starts_with("//!") {
        violations.push(source.violation(
            0,
            "header",
            "the first line is not `//!`: say what the file is for",
        ));
    }
    let (lines, longest) =
        (source.text.lines().count(), if source.is_product() { LONGEST } else { LONGEST_TEST });
    if lines > longest {
        let what = format!("{lines} lines; split it, at most {longest} are read with pleasure");
        violations.push(source.violation(source.code.len(), "length", what));
    }
    violations.extend(unfinished(source));
    violations.extend(empty_names(source));
    violations
}

fn unfinished(source: &Source) -> Vec<Violation> {
    if source.file.ends_with(STAND_IN) {
        return Vec::new();
    }
    words(&source.code)
        .filter(|(at, word)| {
            matches!(*word, "todo" | "unimplemented") && source.code[at + word.len()..].starts_with('!')
        })
        .map(|(at, word)| {
            source.violation(at, "unfinished", format!("`{word}!` is a panic that reaches users"))
        })
        .collect()
}

fn empty_names(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (at, word) in words(&source.code) {
        if !matches!(word, "struct" | "enum" | "trait" | "type" | "union") {
            continue;
        }
        let Some(name) = next_word(&source.code, at) else { continue };
        if let Some(empty) = parts_of_name(name).into_iter().find(|part| EMPTY_WORDS.contains(part)) {
            let what = format!("`{name}`: `{empty}` says nothing; name what it is");
            violations.push(source.violation(at, "names", what));
        }
    }
    violations
}

#[cfg(test)]
fn rules_broken(file: &str, text: &str) -> Vec<&'static str> {
    check(&Source::new(file, text)).iter().map(|violation| violation.rule).collect()
}

#[test]
fn every_rule_finds_what_breaks_it() {
    let file = "durable/src/worker/run.rs";
    for (text, rule) in [
        ("use std::fmt;", "header"),
        ("//! A.\nfn f() { todo!() }", "unfinished"),
        ("//! A.\nfn f() { unimplemented!(\"later\") }", "unfinished"),
        ("//! A.\nstruct SessionManager;", "names"),
        ("//! A.\npub(crate) trait StoreImpl {}", "names"),
        ("//! A.\nenum Info {}", "names"),
    ] {
        assert_eq!(rules_broken(file, text), [rule], "{text}");
    }
    let long = format!("//! A.\n{}", "\n".repeat(LONGEST));
    assert_eq!(rules_broken(file, &long), ["length"]);
    assert_eq!(rules_broken("durable/tests/replay/main.rs", &long), [""; 0]);
}

#[test]
fn what_only_looks_alike_is_fine() {
    for text in [
        "//! A.\nstruct Database; struct Information; struct Implied;",
        "//! A.\n// struct Manager: todo!()\nconst A: &str = \"todo!\"; fn todo() {}",
    ] {
        assert_eq!(rules_broken("durable/src/worker/run.rs", text), [""; 0], "{text}");
    }
    assert_eq!(
        rules_broken("durable-macros/src/expand/stand_in.rs", "//! A.\nquote! { unimplemented!() }"),
        [""; 0]
    );
}
