//! Interfaces: operations that several kinds of entities have in common.
//!
//! `#[entity]` on a trait implements [`Interface`] for its `dyn` type, and on an `impl` block
//! [`Implements`] for the state. Knows nothing of how entities run. Begin with [`Implements`].

use std::{any::TypeId, collections::BTreeSet, fmt};

use crate::model::{EntityId, EntityName, Failure};

/// Says that the entity `Self` has the operations of the interface `I`, which is `dyn Counter` for
/// an `#[entity] trait Counter`.
#[diagnostic::on_unimplemented(
    message = "the entity `{Self}` does not implement this interface",
    label = "its operations may be others",
    note = "`#[entity] impl Interface for {Self}`, or `#[entity(Interface)] impl {Self}`"
)]
pub trait Implements<I: ?Sized> {}

/// An `#[entity] trait`, as its `dyn` type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity interface",
    label = "its trait is not annotated with `#[entity]`",
    note = "write `#[entity]` above the trait: its methods become operations then"
)]
pub trait Interface: 'static {
    /// The address of an entity with these operations: `CounterRef`.
    type Address: From<EntityId> + AsRef<EntityId> + Clone;
    /// The trait's name, for messages.
    const NAME: &'static str;
}

/// That an entity implements an interface, told at link time.
#[doc(hidden)]
pub struct Implementer {
    interface: fn() -> TypeId,
    entity: &'static str,
}

impl Implementer {
    /// The entity called `entity` implements `I`.
    pub const fn of<I: ?Sized + 'static>(entity: &'static str) -> Self {
        Self { interface: TypeId::of::<I>, entity }
    }
}

inventory::collect!(Implementer);

/// The entity with this key of the only kind that implements `I` in this program (R3:ENT-32).
///
/// # Errors
/// When none or several kinds implement it (R3:ENT-33).
#[doc(hidden)]
pub fn of_only_implementer<I: Interface + ?Sized>(
    key: impl fmt::Display,
) -> Result<I::Address, ImplementerError> {
    let all = inventory::iter::<Implementer>.into_iter();
    let matching = all.filter(|implementer| (implementer.interface)() == TypeId::of::<I>());
    // Link order is no order; a kind that is told of twice is one.
    let entities: BTreeSet<_> = matching.map(|implementer| implementer.entity).collect();
    let mut names = entities.iter();
    match (names.next(), names.next()) {
        (Some(entity), None) => Ok(EntityId::of(&EntityName::literal(entity), key).into()),
        _ => Err(ImplementerError { interface: I::NAME, entities: entities.into_iter().collect() }),
    }
}

/// A key alone does not name an entity, since not exactly one kind of entity implements the interface
/// (R3:ENT-33).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImplementerError {
    interface: &'static str,
    entities: Vec<&'static str>,
}

impl ImplementerError {
    /// The name of the interface.
    pub fn interface(&self) -> &str {
        self.interface
    }

    /// The kinds of entities that implement it, sorted.
    pub fn entities(&self) -> &[&'static str] {
        &self.entities
    }
}

impl fmt::Display for ImplementerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interface, entities } = self;
        write!(
            f,
            "a key alone names an entity of the interface `{interface}` only if exactly one kind of entity "
        )?;
        f.write_str("implements it in this program, and ")?;
        if entities.is_empty() {
            f.write_str("none does")?;
        } else {
            let entities: Vec<_> = entities.iter().map(|entity| format!("`{entity}`")).collect();
            write!(f, "{} do", entities.join(", "))?;
        }
        write!(f, ": name the kind as well, with `{interface}Ref::from(&Entity::at(key))` or an `EntityId`")
    }
}

impl std::error::Error for ImplementerError {}

impl From<ImplementerError> for Failure {
    fn from(error: ImplementerError) -> Self {
        Self::from_error(&error)
    }
}
