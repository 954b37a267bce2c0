//! One file of the workspace, as the rules see it.
//!
//! Begin with [`Source`].

use std::{
    fmt, fs,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    blank::{blank, is_word},
    paths::words,
};

/// A place that breaks a rule. Ordered by place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) rule: &'static str,
    pub(crate) what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: [{}] {}", self.file, self.line, self.rule, self.what)
    }
}

/// A source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the top of the repository, with `/`.
    pub(crate) file: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments and texts.
    pub(crate) code: String,
    tests: Vec<Range<usize>>,
    macros: Vec<Range<usize>>,
    modules: Vec<(Range<usize>, String)>,
}

impl Source {
    /// Every source of every crate, but for the programs that show the compiler a mistake: those
    /// are as short and as wrong as they need to be.
    pub(crate) fn all_of_the_workspace() -> Vec<Self> {
        let top = &top();
        let mut files = Vec::new();
        for folder in list(top).into_iter().filter(|folder| folder.join("Cargo.toml").is_file()) {
            collect(&folder, &mut files);
        }
        files.sort();
        let mut sources: Vec<_> = files.iter().map(|file| Self::read(top, file)).collect();
        mark_test_files(&mut sources);
        sources
    }

    fn read(top: &Path, file: &Path) -> Self {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let file = file.strip_prefix(top).expect("found below the top");
        Self::new(&file.to_string_lossy().replace('\\', "/"), &text)
    }

    pub(crate) fn new(file: &str, text: &str) -> Self {
        let code = blank(text);
        let (tests, macros, modules) = (test_items(&code), macro_rules(&code), inline_modules(&code));
        Self { file: file.to_owned(), text: text.to_owned(), code, tests, macros, modules }
    }

    /// The folder of the crate, as `durable`.
    pub(crate) fn package(&self) -> &str {
        self.file.split('/').next().expect("a split gives one part at least")
    }

    /// Whether the file belongs to the crate's product, not to its tests.
    pub(crate) fn is_product(&self) -> bool {
        self.file.split('/').nth(1) == Some("src") && self.package() != "tests"
    }

    /// Whether the place is within `#[cfg(test)]`.
    pub(crate) fn is_test(&self, at: usize) -> bool {
        !self.is_product() || self.tests.iter().any(|range| range.contains(&at))
    }

    /// Whether the place is within `macro_rules!`: what stands there expands elsewhere.
    pub(crate) fn is_macro_rule(&self, at: usize) -> bool {
        self.macros.iter().any(|range| range.contains(&at))
    }

    /// The module of a place, as `["replay", "journal"]`; empty at the root of the crate.
    pub(crate) fn module(&self, at: usize) -> Vec<String> {
        let inside =
            self.modules.iter().filter(|(range, _)| range.contains(&at)).map(|(_, name)| name.clone());
        self.file_module().into_iter().chain(inside).collect()
    }

    fn file_module(&self) -> Vec<String> {
        let within = self.file.split('/').skip(2).collect::<Vec<_>>().join("/");
        let within = within.strip_suffix(".rs").unwrap_or(&within);
        let mut parts: Vec<_> = within.split('/').map(str::to_owned).collect();
        if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
            parts.pop();
        }
        parts
    }

    pub(crate) fn violation(&self, at: usize, rule: &'static str, what: impl Into<String>) -> Violation {
        let line = 1 + self.code.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        Violation { file: self.file.clone(), line, rule, what: what.into() }
    }
}

/// The folder of the workspace. Asked when it runs: several clones may share what is built.
fn top() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells a test where its crate stands");
    Path::new(&own).parent().expect("the crate stands in a workspace").to_owned()
}

/// The text of a file of the workspace that is no source.
pub(crate) fn text_of(file: &str) -> String {
    fs::read_to_string(top().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// A file that its parent declares under `#[cfg(test)]` is a test, and all below it.
fn mark_test_files(sources: &mut [Source]) {
    let mut stems = Vec::new();
    for source in sources.iter() {
        let (folder, name) = source.file.rsplit_once('/').expect("a file stands in a folder");
        let stem = match name {
            "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
            _ => source.file.trim_end_matches(".rs").to_owned(),
        };
        for range in &source.tests {
            if let Some(child) = source.code[range.clone()].trim_end_matches(';').rsplit_once("mod ") {
                stems.push(format!("{stem}/{}", child.1.trim()));
            }
        }
    }
    for source in sources {
        if stems
            .iter()
            .any(|stem| source.file == format!("{stem}.rs") || source.file.starts_with(&format!("{stem}/")))
        {
            source.tests.push(0..usize::MAX);
        }
    }
}

/// Items under `#[cfg(test)]`, attribute included.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let is_test =
        |attribute: &str| words(attribute).any(|(_, word)| word == "test") && !attribute.contains("not(");
    code.match_indices("#[cfg(")
        .filter_map(|(at, _)| {
            let close = matching(code, at + 1);
            is_test(&code[at..close]).then(|| at..item_end(code, close))
        })
        .collect()
}

fn macro_rules(code: &str) -> Vec<Range<usize>> {
    code.match_indices("macro_rules!").map(|(at, _)| at..item_end(code, at)).collect()
}

fn inline_modules(code: &str) -> Vec<(Range<usize>, String)> {
    let mut modules = Vec::new();
    for (at, _) in words(code).filter(|(_, word)| *word == "mod") {
        let Some((name_at, name)) = words(&code[at + 3..]).next() else { continue };
        let after = at + 3 + name_at + name.len();
        if code[after..].trim_start().starts_with('{') {
            modules.push((after..item_end(code, after), name.to_owned()));
        }
    }
    modules
}

/// Where the item ends that begins at `from`: after its body, or its semicolon.
fn item_end(code: &str, from: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => return matching(code, at),
            b';' => return at + 1,
            b'(' | b'[' => at = matching(code, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The place after the bracket that closes the one at `open`.
fn matching(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in list(folder) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "target" | "ui") && !name.starts_with('.') {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry of a folder can be read").path()).collect()
}

/// The words of a name in camel case: `TaskHubName` is `Task`, `Hub`, `Name`.
pub(crate) fn parts_of_name(name: &str) -> Vec<&str> {
    let starts: Vec<_> = name
        .char_indices()
        .filter(|(at, c)| *at == 0 || c.is_ascii_uppercase())
        .map(|(at, _)| at)
        .chain([name.len()])
        .collect();
    starts.windows(2).map(|pair| &name[pair[0]..pair[1]]).collect()
}

/// The word after the one that begins at `at`.
pub(crate) fn next_word(code: &str, at: usize) -> Option<&str> {
    let end = at + code[at..].bytes().take_while(|byte| is_word(*byte)).count();
    words(&code[end..]).next().filter(|(gap, _)| code[end..end + gap].trim().is_empty()).map(|(_, word)| word)
}

#[test]
fn test_code_is_told_from_product_code() {
    let source = Source::new(
        "durable/src/replay/journal.rs",
        "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { c() } }\nmod inner { fn d() {} }",
    );
    let at = |word: &str| source.code.find(word).expect("a word of the code");
    assert!(!source.is_test(at("fn a")) && source.is_test(at("fn b")) && !source.is_test(at("fn d")));
    assert_eq!(source.module(at("fn a")), ["replay", "journal"]);
    assert_eq!(source.module(at("fn d")), ["replay", "journal", "inner"]);
}

#[test]
fn a_file_declared_for_tests_is_a_test() {
    let parent = Source::new("durable/src/replay/mod.rs", "#[cfg(test)]\nmod fuzz;\nmod poll;");
    let mut sources = [
        parent,
        Source::new("durable/src/replay/fuzz.rs", "fn a() {}"),
        Source::new("durable/src/replay/fuzz/program.rs", "fn a() {}"),
        Source::new("durable/src/replay/poll.rs", "fn a() {}"),
    ];
    mark_test_files(&mut sources);
    assert_eq!(
        sources.each_ref().map(|source| source.is_test(source.code.len() - 1)),
        [false, true, true, false]
    );
}
