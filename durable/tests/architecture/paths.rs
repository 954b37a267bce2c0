//! Every path that code names, with `use` groups written out.
//!
//! Works on blanked code. Begin with [`paths`].

use super::blank::is_word;

/// A path of two segments or more, such as `crate::model::InstanceId`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CodePath {
    /// Where its last part begins: in a group, the member.
    pub(crate) at: usize,
    /// Its parts, `*` for a glob.
    pub(crate) segments: Vec<String>,
    /// Whether it is called as a macro.
    pub(crate) is_macro: bool,
}

/// Every path, in the order of the code. Paths that begin with `$crate` are left out: they are
/// resolved where the macro is used.
pub(crate) fn paths(code: &str) -> Vec<CodePath> {
    let mut found = Vec::new();
    for (at, _) in words(code) {
        if begins_a_path(code.as_bytes(), at) {
            expand(code, at, &[], &mut found);
        }
    }
    found.retain(|path| path.segments.len() > 1);
    found
}

/// Every word, with its place.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = code.as_bytes();
        at = (at..bytes.len()).find(|at| is_word(bytes[*at]))?;
        let start = at;
        at = word_end(bytes, start);
        Some((start, &code[start..at]))
    })
}

fn begins_a_path(bytes: &[u8], at: usize) -> bool {
    match &bytes[..at] {
        [.., b'$'] => false,
        [.., b'.', b'.'] => true,
        [.., b'.'] => false,
        [.., last, b':', b':'] => !is_word(*last) && !matches!(last, b'>' | b'}'),
        _ => true,
    }
}

/// Reads one path or group member at `at`, and gives back where it ends.
fn expand(code: &str, at: usize, prefix: &[String], found: &mut Vec<CodePath>) -> usize {
    let bytes = code.as_bytes();
    let mut segments = prefix.to_vec();
    let mut end = at;
    loop {
        let start = end;
        if bytes.get(start) == Some(&b'*') {
            end += 1;
        } else {
            end = word_end(bytes, start);
        }
        if end == start {
            break;
        }
        segments.push(code[start..end].to_owned());
        if bytes.get(end..end + 2) != Some(b"::") {
            break;
        }
        end = skip_space(bytes, end + 2);
        if bytes.get(end) == Some(&b'{') {
            return expand_group(code, end, &segments, found);
        }
    }
    let is_macro = bytes.get(end) == Some(&b'!') && bytes.get(end + 1) != Some(&b'=');
    found.push(CodePath { at, segments, is_macro });
    end
}

fn expand_group(code: &str, open: usize, prefix: &[String], found: &mut Vec<CodePath>) -> usize {
    let bytes = code.as_bytes();
    let mut at = skip_space(bytes, open + 1);
    while at < bytes.len() && bytes[at] != b'}' {
        at = expand(code, at, prefix, found);
        // What is left is ` as name`, or nothing.
        while at < bytes.len() && !matches!(bytes[at], b',' | b'}') {
            at += 1;
        }
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
    }
    at + 1
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|at| !is_word(bytes[*at])).unwrap_or(bytes.len())
}

fn skip_space(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|at| !bytes[*at].is_ascii_whitespace()).unwrap_or(bytes.len())
}

#[test]
fn groups_are_written_out_and_calls_on_values_left_out() {
    let code = "use crate::{a::{self, B}, c::*};\nlet x = super::d::e(y.f::<u8>());\n$crate::g::h!(); \
                ::std::env::var(); S { ..crate::i::J }; crate::k!()";
    let found: Vec<_> = paths(code).iter().map(|path| path.segments.join("::")).collect();
    let named: Vec<_> = found.iter().map(String::as_str).filter(|path| !path.starts_with("a::")).collect();
    assert_eq!(
        named,
        [
            "crate::a::self",
            "crate::a::B",
            "crate::c::*",
            "c::*",
            "super::d::e",
            "std::env::var",
            "crate::i::J",
            "crate::k"
        ]
    );
    assert!(paths(code).last().expect("a path").is_macro);
}
