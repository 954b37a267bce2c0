//! What an orchestrator must not use, by how it is written, and what to use instead (R1:CC-1).
//!
//! A lint by spelling: an alias escapes it, and the engine's own checks stand behind it. Begin with
//! [`RULES`].

use proc_macro2::TokenStream;

use crate::{
    diagnostics::Diagnostics,
    model::Topic,
    tokens::{each_level, path_at},
};

/// Written path, as its last words, and the group it belongs to. `module::*` means every function
/// in or below the module of that full path. The first that fits decides.
const RULES: &[(Topic, &[&str])] = &[
    // R1:CC-2
    (
        Topic::Clock,
        &["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "Timestamp::now", "Zoned::now"],
    ),
    (Topic::Clock, &["OffsetDateTime::now_utc", "OffsetDateTime::now_local", "UNIX_EPOCH::elapsed"]),
    // R1:CC-4, CC-7; a generator with a fixed seed is fine.
    (
        Topic::Random,
        &["Uuid::new_v4", "Uuid::now_v1", "Uuid::now_v6", "Uuid::now_v7", "Ulid::new", "Ulid::generate"],
    ),
    (
        Topic::Random,
        &["rand::random", "rand::rng", "rand::thread_rng", "thread_rng", "OsRng", "ThreadRng::default"],
    ),
    (Topic::Random, &["rand::random_range", "rand::random_bool", "rand::random_iter", "rand::random_ratio"]),
    (Topic::Random, &["from_entropy", "from_os_rng", "fastrand::*", "getrandom::*", "RandomState::new"]),
    // R1:CC-12, CC-13
    (
        Topic::Sleep,
        &["tokio::time::*", "time::sleep", "time::sleep_until", "time::timeout", "time::timeout_at"],
    ),
    (Topic::Sleep, &["time::interval", "time::interval_at", "thread::sleep", "futures_timer::*"]),
    (
        Topic::Spawn,
        &["tokio::spawn", "task::spawn", "task::spawn_local", "task::spawn_blocking", "tokio::task::*"],
    ),
    (
        Topic::Spawn,
        &["task::block_in_place", "task::yield_now", "JoinSet::new", "async_std::task::*", "smol::spawn"],
    ),
    (Topic::Thread, &["std::thread::*", "thread::spawn", "thread::scope", "thread::park", "thread::current"]),
    (
        Topic::Thread,
        &["thread::yield_now", "thread::Builder::new", "rayon::*", "executor::block_on", "pollster::*"],
    ),
    // R1:CC-10
    (
        Topic::Env,
        &["std::env::*", "env::var", "env::var_os", "env::vars", "env::vars_os", "env::args", "env::args_os"],
    ),
    (Topic::Env, &["env::current_dir", "env::current_exe", "env::temp_dir", "process::id"]),
    // R1:CC-11
    (
        Topic::Io,
        &[
            "std::fs::*",
            "tokio::fs::*",
            "fs::*",
            "File::open",
            "File::create",
            "File::options",
            "OpenOptions::new",
        ],
    ),
    (
        Topic::Io,
        &["std::net::*", "tokio::net::*", "TcpStream::connect", "TcpListener::bind", "UdpSocket::bind"],
    ),
    (
        Topic::Io,
        &[
            "std::process::*",
            "tokio::process::*",
            "process::Command::new",
            "io::stdin",
            "reqwest::*",
            "ureq::*",
        ],
    ),
    (Topic::Io, &["hyper::*", "async_std::fs::*", "async_std::net::*", "smol::fs::*", "smol::net::*"]),
    // Replay rule 3.
    (Topic::PollOrder, &["StreamMap::new", "StreamMap::with_capacity", "future::race", "watch::channel"]),
    (Topic::PollOrder, &["sync::Barrier::new", "async_lock::Mutex::new", "async_lock::RwLock::new"]),
];

/// Reports what `body` uses and must not.
pub(crate) fn check(body: TokenStream, allowed: &[Topic], diagnostics: &mut Diagnostics) {
    each_level(body, &mut |tokens| {
        let mut place = 0;
        while place < tokens.len() {
            let Some(path) = path_at(tokens, place) else {
                place += 1;
                continue;
            };
            place = path.end;
            if path.follows_dot {
                continue;
            }
            let words = path.words();
            if let Some(topic) = topic_of(&words).filter(|topic| !allowed.contains(topic)) {
                diagnostics.at(&path.tokens, message(topic, &words.join("::")));
            }
        }
    });
}

/// What is wrong with something of this group, named `written`.
pub(crate) fn message(topic: Topic, written: &str) -> String {
    let (wrong, instead) = advice(topic);
    let option = topic.option();
    format!("`{written}` {wrong}: {instead}; `#[orchestrator(allow({option}))]` permits it")
}

fn advice(topic: Topic) -> (&'static str, &'static str) {
    match topic {
        Topic::Clock => ("gives another time on each replay", "use `ctx.now()`"),
        Topic::Random => (
            "gives another value on each replay",
            "use `ctx.random()` or `ctx.new_uuid()`, or ask an activity",
        ),
        Topic::Sleep => {
            ("waits by a clock that history does not know", "use `ctx.sleep(..)`, a durable timer")
        }
        Topic::Spawn => (
            "runs beside the orchestrator, where replay cannot see it",
            "await several calls together with `join!` or `try_join_all`, or use an activity",
        ),
        Topic::Thread => ("leaves the thread that replays", "do it in an activity"),
        Topic::Env => {
            ("may differ on the machine that replays", "pass it as an input, or read it in an activity")
        }
        Topic::Io => ("would happen again on each replay", "do it in an activity"),
        Topic::HashOrder => (
            "has another order on each replay",
            "use a `BTreeMap` or `BTreeSet`, or collect it into one first",
        ),
        Topic::PollOrder => {
            ("has no fixed poll order", "use `durable::select!`, `join!`, or a channel with one receiver")
        }
    }
}

fn topic_of(words: &[&str]) -> Option<Topic> {
    let rule = RULES.iter().find(|(_, patterns)| patterns.iter().any(|pattern| fits(pattern, words)));
    rule.map(|(topic, _)| *topic)
}

fn fits(pattern: &str, words: &[&str]) -> bool {
    let wanted: Vec<_> = pattern.split("::").collect();
    match wanted.split_last() {
        Some((&"*", module)) => {
            let is_function = words.last().is_some_and(|word| word.starts_with(char::is_lowercase));
            is_function && words.len() > module.len() && words.starts_with(module)
        }
        _ => words.ends_with(&wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(written: &str) -> Option<Topic> {
        topic_of(&written.split("::").collect::<Vec<_>>())
    }

    // R1:CC-2, CC-4, CC-7, CC-10, CC-11, CC-12, CC-13
    #[test]
    fn each_group_is_recognised_with_and_without_its_module() {
        for (written, expected) in [
            ("std::time::SystemTime::now", Topic::Clock),
            ("Instant::now", Topic::Clock),
            ("uuid::Uuid::new_v4", Topic::Random),
            ("rand::random", Topic::Random),
            ("tokio::time::sleep", Topic::Sleep),
            ("std::thread::sleep", Topic::Sleep),
            ("tokio::spawn", Topic::Spawn),
            ("tokio::task::spawn_blocking", Topic::Spawn),
            ("std::thread::spawn", Topic::Thread),
            ("env::var", Topic::Env),
            ("std::fs::File::open", Topic::Io),
            ("fs::read_to_string", Topic::Io),
            ("reqwest::Client::new", Topic::Io),
            ("watch::channel", Topic::PollOrder),
        ] {
            assert_eq!(topic(written), Some(expected), "{written}");
        }
    }

    #[test]
    fn types_and_similar_names_are_left_alone() {
        for written in
            ["std::env::VarError", "std::fs::File", "Clock::now", "SmallRng::seed_from_u64", "spawn"]
        {
            assert_eq!(topic(written), None, "{written}");
        }
    }
}
