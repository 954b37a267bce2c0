//! The shape of the sources, as tests: layers, purity, headers, lengths, words, requirement rows.
//!
//! Reads the sources as text, with the standard library alone; knows nothing of what they do. What
//! is broken is listed whole, each with its file, line and rule. Begin with `layers.rs`, whose table
//! is the map of the crate; `source.rs` and `paths.rs` are the reading glasses.

mod blank;
mod layers;
mod paths;
mod purity;
mod rows;
mod shape;
mod source;

use source::{Source, Violation};

#[test]
fn the_sources_keep_their_shape() {
    let sources = Source::all_of_the_workspace();
    assert!(sources.len() > 20, "only {} sources found: looked in the wrong folder", sources.len());

    let mut violations: Vec<Violation> = Vec::new();
    violations.extend(layers::check(&sources));
    violations.extend(sources.iter().flat_map(purity::check));
    violations.extend(sources.iter().flat_map(shape::check));
    violations.extend(rows::check(&sources, &source::text_of(rows::LIST)));
    violations.sort();

    let list: Vec<_> = violations.iter().map(Violation::to_string).collect();
    assert!(list.is_empty(), "{} places break the shape:\n\n{}\n", list.len(), list.join("\n"));
}
