//! Requirement rows: what `docs/requirements.md` says is implemented, a test must cite.
//!
//! A test cites rows in a comment: `// R2:MGT-45 to R2:MGT-48, MGT-50; R4:MGMT-68`. Begin with [`check`].

use std::{collections::BTreeSet, ops::RangeInclusive};

use super::source::{Source, Violation};

/// Where the rows are listed: one line of a table for each group, its rows in the second column.
pub(crate) const LIST: &str = "docs/requirements.md";

/// Sources of tests that lie where products do.
const TESTS_ELSEWHERE: [&str; 2] = ["durable-testkit/src/conformance", "xtask/src/examples.rs"];

/// A row: its group, as `R2:MGT`, and its number.
type Row = (String, u32);

/// Checks every row that `list` says is implemented.
pub(crate) fn check(sources: &[Source], list: &str) -> Vec<Violation> {
    let cited: BTreeSet<Row> = sources.iter().flat_map(cited_in).collect();
    let uncited = |(line, row): (usize, Row)| {
        let what = format!("{}-{} is said to be implemented, and no test cites it", row.0, row.1);
        (!cited.contains(&row)).then(|| Violation { file: LIST.to_owned(), line, rule: "rows", what })
    };
    listed(list).into_iter().filter_map(uncited).collect()
}

/// The rows of the list, each with its line.
fn listed(list: &str) -> Vec<(usize, Row)> {
    let mut rows = Vec::new();
    for (number, line) in list.lines().enumerate() {
        let mut columns = line.split('|').map(str::trim).skip(1);
        let (Some(area), Some(implemented)) = (columns.next(), columns.next()) else { continue };
        let group = area.split(',').next().unwrap_or_default();
        if !group.starts_with('R') || !group.contains(':') {
            continue;
        }
        for range in implemented.split(',').map_while(|part| range(part.trim())) {
            rows.extend(range.map(|row| (number + 1, (group.to_owned(), row))));
        }
    }
    rows
}

/// `7` or `7 to 9`; the letter of a row like `21a` is of no account.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    match text.split_once(" to ") {
        Some((first, last)) => Some(leading_number(first)?..=leading_number(last)?),
        None => leading_number(text).map(|row| row..=row),
    }
}

/// The rows that the comments of a file's tests cite.
fn cited_in(source: &Source) -> Vec<Row> {
    let is_elsewhere = TESTS_ELSEWHERE.iter().any(|tests| source.file.starts_with(tests));
    let (mut rows, mut comment, mut at) = (Vec::new(), String::new(), 0);
    for line in source.text.split_inclusive('\n') {
        let said = line.trim_start().strip_prefix("//").filter(|_| is_elsewhere || source.is_test(at));
        match said {
            Some(said) => comment.extend([said.trim_start_matches(['/', '!']), " "]),
            None => cite(&std::mem::take(&mut comment), &mut rows),
        }
        at += line.len();
    }
    cite(&comment, &mut rows);
    rows
}

/// Adds the rows of one comment. A row after another may leave out its source: `R2:ERR-6 to ERR-8, ERR-21a`.
fn cite(comment: &str, rows: &mut Vec<Row>) {
    let mut last: Option<Row> = None;
    let mut is_range = false;
    for word in comment.split([' ', '\n', ',', ';', '.', '(', ')']).filter(|word| !word.is_empty()) {
        let source = last.as_ref().and_then(|(group, _)| group.split(':').next());
        let Some(row) = row_of(word, source) else {
            is_range = word == "to";
            last = last.filter(|_| matches!(word, "to" | "and" | "or"));
            continue;
        };
        if let Some((_, first)) = last.as_ref().filter(|(group, _)| is_range && *group == row.0) {
            rows.extend((first + 1..row.1).map(|between| (row.0.clone(), between)));
        }
        rows.push(row.clone());
        (last, is_range) = (Some(row), false);
    }
}

/// `R2:ERR-6`, or `ERR-6` after a row of `source`.
fn row_of(word: &str, source: Option<&str>) -> Option<Row> {
    let (source, row) = match word.trim_end_matches(':').split_once(':') {
        Some((source, row)) => (source, row),
        None => (source?, word.trim_end_matches(':')),
    };
    let (group, number) = row.split_once('-')?;
    let is_group = group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    is_group.then_some((format!("{source}:{group}"), leading_number(number)?))
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[test]
fn rows_are_read_from_comments_of_tests_alone() {
    let text = "// R2:MGT-1\nfn f() {}\n#[cfg(test)]\nmod tests {\n// R1:CST-2, R2:ERR-6 to\n// ERR-8, ERR-21a;\n\
                // R4:MGMT-3: told so. As ERR-9\nfn g() {}\n}";
    let rows = cited_in(&Source::new("durable/src/a.rs", text));
    let wanted = [("R1:CST", 2), ("R2:ERR", 6), ("R2:ERR", 7), ("R2:ERR", 8), ("R2:ERR", 21), ("R4:MGMT", 3)];
    let mut rows: Vec<_> = rows.iter().map(|(group, number)| (group.as_str(), *number)).collect();
    rows.sort_unstable();
    assert_eq!(rows, wanted);
}

#[test]
fn a_row_that_no_test_cites_is_found_with_its_line() {
    let list = "| area | implemented |\n|---|---|\n| R1:CST | 1, 3 to 5 | `a.rs` | 2: later |\n| R1:TMR, all | none |";
    let test = Source::new("tests/a.rs", "// R1:CST-1, R1:CST-3, R1:CST-5\nfn f() {}");
    let found: Vec<_> = check(&[test], list).into_iter().map(|found| (found.line, found.what)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].0 == 3 && found[0].1.starts_with("R1:CST-4 "), "{found:?}");
}
