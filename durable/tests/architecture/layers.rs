//! Which folder of the crate `durable` may import which.
//!
//! A folder imports only folders of a lower layer, never upward and never sideways, so there is no
//! cycle either. [`LAYERS`] is the map; unit tests may reach anywhere.

use std::collections::BTreeSet;

use super::{
    paths::{CodePath, paths},
    source::{Source, Violation},
};

/// The folders (or files) at the top of `durable/src`, lowest first. Equal numbers are one layer.
///
/// The tens are the layers of the design. Where it lets one folder of a layer see another, they
/// have neighbouring numbers: `call` names the store's `Reuse`; `client` and `registry` have
/// their failures in `error`.
const LAYERS: [(&str, u8); 23] = [
    ("model", 0),          // the words
    ("clock", 10),         // the one reader of the machine's time
    ("history", 10),       // what has happened
    ("provider", 20),      // the contract with storage
    ("call", 21),          // what can be asked for, as values
    ("explanation", 21),   // why an instance is where it is; pure
    ("tracking", 21),      // what is told to traces
    ("entity", 21),        // the rules of entities; pure
    ("http", 21),          // HTTP calls as values, and the ports behind them
    ("replay", 22),        // history in, actions out; pure; asks `entity` what a critical section allows
    ("context", 30),       // what function authors hold
    ("embedded", 30),      // the provider in the process
    ("registry", 40),      // the functions of this process
    ("error", 41),         // what users of the crate get
    ("client", 42),        // starting and steering from outside
    ("episode", 50),       // work item in, checkpoint out; pure
    ("macro_support", 50), // what expanded code calls
    ("select", 50),        // `durable::select!`
    ("session", 60),       // suspended orchestrations kept in memory
    ("worker", 70),        // the loops that run it all
    ("hub", 80),           // the door: opens a store, gives client and worker
    ("lib", 90),           // the root: what the crate shows
    ("prelude", 91),       // what an application imports
];

/// Imports that the layers would allow, and the design does not.
const APART: [(&str, &str, &str); 5] = [
    ("replay", "provider", "replay is a function of history and code, whatever the store"),
    ("embedded", "replay", "a provider stores, and does not know the engine"),
    ("embedded", "call", "a provider stores, and does not know who asks"),
    ("client", "registry", "a process that only starts orchestrations needs none of their functions"),
    ("client", "replay", "a client sends messages, and does not run the engine"),
];

const RULE: &str = "layers";

/// Checks every import of the crate.
pub(crate) fn check(sources: &[Source]) -> Vec<Violation> {
    let own: Vec<_> =
        sources.iter().filter(|source| source.package() == "durable" && source.is_product()).collect();
    let modules: BTreeSet<_> = own.iter().map(|source| folder(source)).collect();
    own.iter().flat_map(|source| check_file(source, &modules)).collect()
}

fn check_file(source: &Source, modules: &BTreeSet<String>) -> Vec<Violation> {
    let own = folder(source);
    let Some(layer) = layer(&own) else {
        return vec![source.violation(0, RULE, format!("`{own}` has no layer: give it one in LAYERS"))];
    };
    let mut violations = Vec::new();
    for path in paths(&source.code) {
        if source.is_test(path.at) || source.is_macro_rule(path.at) {
            continue;
        }
        let Some(target) = target(source, &path, modules) else { continue };
        if target == own {
            continue;
        }
        let apart = APART.iter().find(|(from, to, _)| *from == own && *to == target);
        let what = match (apart, self::layer(&target)) {
            (Some((_, _, why)), _) => format!("`{own}` must not import `{target}`: {why}"),
            (None, Some(other)) if other < layer => continue,
            (None, Some(_)) if target == "lib" => {
                format!("`{}`: import it from the module that defines it", path.segments.join("::"))
            }
            (None, Some(_)) => format!("`{own}` imports `{target}`, which is not below it"),
            // The folder itself is reported once, at its own files.
            (None, None) => continue,
        };
        violations.push(source.violation(path.at, RULE, what));
    }
    violations
}

/// The folder that a path of this crate leads to; `None` for paths of other crates.
fn target(source: &Source, path: &CodePath, modules: &BTreeSet<String>) -> Option<String> {
    let (first, rest) = path.segments.split_first()?;
    let mut module = match first.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => source.module(path.at),
        _ => return None,
    };
    let mut rest = rest.iter();
    if first == "super" {
        module.pop();
    }
    for segment in rest.by_ref() {
        match segment.as_str() {
            "self" => {}
            "super" => drop(module.pop()),
            name => {
                module.push(name.to_owned());
                break;
            }
        }
    }
    module.extend(rest.cloned());
    match module.first() {
        Some(name) if modules.contains(name) => Some(name.clone()),
        // Macros live at the root, wherever they are defined.
        Some(_) | None if path.is_macro => None,
        Some(_) | None => Some("lib".to_owned()),
    }
}

fn folder(source: &Source) -> String {
    source.module(0).into_iter().next().unwrap_or_else(|| "lib".to_owned())
}

fn layer(folder: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == folder).map(|(_, layer)| *layer)
}

#[cfg(test)]
fn broken(file: &str, text: &str) -> Vec<String> {
    let others =
        ["lib", "model/mod", "history/mod", "provider/mod", "replay/mod", "context/mod", "worker/mod"];
    let mut sources: Vec<_> =
        others.iter().map(|name| Source::new(&format!("durable/src/{name}.rs"), "//! A module.\n")).collect();
    sources.push(Source::new(file, text));
    check(&sources).iter().map(Violation::to_string).collect()
}

#[test]
fn imports_downward_are_fine() {
    for text in [
        "use crate::{history::{Event, History}, model::*};",
        "use super::journal::Journal; use self::inner::X;",
        "pub(in crate::replay) struct A; use std::sync::Arc; crate::select!();",
        "mod inner { use super::super::journal::Journal; }",
        "#[cfg(test)]\nmod tests { use crate::worker::Worker; }",
    ] {
        assert_eq!(broken("durable/src/replay/run.rs", text), [""; 0], "{text}");
    }
    assert_eq!(broken("durable/src/prelude.rs", "pub use crate::{Error, context::*};"), [""; 0]);
}

#[test]
fn imports_upward_sideways_and_from_the_root_are_found_where_they_stand() {
    for (text, place, what) in [
        ("\nuse crate::worker::Worker;", "run.rs:2:", "`replay` imports `worker`"),
        (
            "use crate::{\n    model::Payload,\n    context::Context,\n};",
            "run.rs:3:",
            "`replay` imports `context`",
        ),
        ("use super::super::worker::Worker;", "run.rs:1:", "`replay` imports `worker`"),
        ("mod a { use super::super::super::worker::W; }", "run.rs:1:", "`replay` imports `worker`"),
        ("fn f() -> crate::context::Context {}", "run.rs:1:", "`replay` imports `context`"),
        ("use crate::provider::Reuse;", "run.rs:1:", "whatever the store"),
        ("use crate::Error;", "run.rs:1:", "the module that defines it"),
    ] {
        let found = broken("durable/src/replay/run.rs", text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(place) && found[0].contains(what), "{text}: {found:?}");
    }
    assert!(broken("durable/src/utilities.rs", "")[0].contains("has no layer"));
}
