//! Reading types as they are written.
//!
//! Must not judge them: `check.rs` does. Begin with [`ungrouped`].

use syn::{Type, TypePath};

/// The last word of a type's path.
pub(crate) fn last_segment(r#type: &Type) -> Option<&syn::PathSegment> {
    match ungrouped(r#type) {
        Type::Path(TypePath { path, .. }) => path.segments.last(),
        _ => None,
    }
}

/// The type without the invisible brackets of a `macro_rules` argument.
pub(crate) fn ungrouped(r#type: &Type) -> &Type {
    match r#type {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        other => other,
    }
}
