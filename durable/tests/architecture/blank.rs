//! Code without its comments and texts.
//!
//! Begin with [`blank`].

/// The text with every comment, string and character replaced by spaces: same length, same lines.
pub(crate) fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let Some(end) = opening(bytes, at) else {
            at += 1;
            continue;
        };
        for byte in code.iter_mut().take(end).skip(at).filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
        at = end;
    }
    String::from_utf8(code).expect("whole comments and texts are replaced")
}

/// If a comment or text opens at `at`: where it ends.
fn opening(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    match rest {
        [b'/', b'/', ..] => Some(line_end(bytes, at)),
        [b'/', b'*', ..] => Some(block_end(bytes, at)),
        [b'"', ..] => Some(string_end(bytes, at)),
        [b'r', ..] if !is_word(before(bytes, at)) || matches!(before(bytes, at), b'b' | b'c') => {
            raw_string_end(bytes, at)
        }
        [b'\'', b'\\', ..] => find(bytes, at + 3, b'\'').map(|end| end + 1),
        [b'\'', first, ..] => {
            let end = at + 1 + width(*first);
            (bytes.get(end) == Some(&b'\'')).then_some(end + 1)
        }
        _ => None,
    }
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    find(bytes, at, b'\n').unwrap_or(bytes.len())
}

fn block_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0;
    let mut at = at;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `None` when what stands at `at` is a word that only begins with `r`.
fn raw_string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = at + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let closes = |end: &usize| {
        bytes[*end] == b'"' && bytes[end + 1..].iter().take_while(|byte| **byte == b'#').count() >= hashes
    };
    let end = (open + 1..bytes.len()).find(closes).map(|end| end + 1 + hashes);
    Some(end.unwrap_or(bytes.len()))
}

fn find(bytes: &[u8], from: usize, wanted: u8) -> Option<usize> {
    (from..bytes.len()).find(|at| bytes[*at] == wanted)
}

fn before(bytes: &[u8], at: usize) -> u8 {
    at.checked_sub(1).map_or(b' ', |at| bytes[at])
}

/// Whether the byte can stand in a word of Rust.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How many bytes the character has that begins with this one.
fn width(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0.. => 4,
    }
}

#[test]
fn only_code_is_left() {
    for (text, code) in [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("x\"y") + 1"#, "f(      ) + 1"),
        ("r#\"a\"b\"# + r#type", "         + r#type"),
        ("br\"a\" + var", "b     + var"),
        ("('a', '\\'', 'ä', &'a str)", "(   ,     ,     , &'a str)"),
    ] {
        assert_eq!(blank(text), code);
    }
}
