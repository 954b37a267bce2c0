//! Entities as types: their state, their addresses, and what can be locked.
//!
//! `#[entity]` implements these traits. Knows nothing of how entities run. Begin with [`Entity`].

use std::fmt::Display;

use super::verbs::sealed::Sealed;
use crate::model::{EntityId, EntityName, Storable};

/// The state of an entity: `serde`, and a default for the first operation (R3:ENT-9).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the state of an entity",
    label = "it must be storable and have a first value",
    note = "`#[derive(Default, serde::Serialize, serde::Deserialize)]`, or name a function for the first value: \
            `#[entity(init = path)]`"
)]
pub trait State: Storable {}

#[diagnostic::do_not_recommend]
impl<T: Storable> State for T {}

/// A kind of entity with a type of its own: what `#[entity]` makes of an `impl` block.
pub trait Entity: State {
    /// Its address, with a method for each operation.
    type Proxy: Proxy<State = Self>;
    /// Its name, lower-case (R2:ENT-10).
    const NAME: &'static str;

    /// The entity of this kind that has this key: `Account::at("ada")`. It need not exist yet
    /// (R2:ENT-41).
    fn at(key: impl Display) -> Self::Proxy {
        Self::Proxy::from(EntityId::of(&EntityName::literal(Self::NAME), key))
    }
}

/// The address type of an entity: `EntityRef<Account>`.
pub type EntityRef<E> = <E as Entity>::Proxy;

/// The address of one entity, whose state is a `State`.
pub trait Proxy: From<EntityId> + AsRef<EntityId> + Clone {
    /// The entity's state.
    type State;
}

/// The address of an entity whose state can be read by a client: every [`Proxy`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the address of an entity with a known state type",
    label = "what the state is to be read as is unknown",
    note = "use `Account::at(key)`, or `client.read_as::<State>(id)`"
)]
pub trait Readable: AsRef<EntityId> {
    /// What its state is read as.
    type State: Storable;
}

#[diagnostic::do_not_recommend]
impl<P: Proxy> Readable for P
where
    P::State: Storable,
{
    type State = P::State;
}

/// A set of entities to lock: `[&a, &b]` of one type, `(&a, &b)` of several (R2:ENT-48).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of entities to lock",
    label = "expected addresses of entities",
    note = "give entities of one type as `[&a, &b]`, of several types as `(&a, &b)`"
)]
pub trait Lockable: Sealed {
    /// The entities, in any order, perhaps some twice.
    #[doc(hidden)]
    fn ids(&self) -> Vec<EntityId>;
}

macro_rules! lockable_list {
    ($([$($generics:tt)*] $list:ty),+ $(,)?) => {$(
        impl<$($generics)*> Sealed for $list {}
        impl<$($generics)*> Lockable for $list {
            fn ids(&self) -> Vec<EntityId> {
                self.iter().map(|entity| entity.as_ref().clone()).collect()
            }
        }
    )+};
}
lockable_list!([T: AsRef<EntityId>, const N: usize] [T; N], [T: AsRef<EntityId>] [T], [T: AsRef<EntityId>] Vec<T>);

impl Sealed for EntityId {}
impl Lockable for EntityId {
    fn ids(&self) -> Vec<EntityId> {
        vec![self.clone()]
    }
}

impl<L: Lockable + ?Sized> Sealed for &L {}
impl<L: Lockable + ?Sized> Lockable for &L {
    fn ids(&self) -> Vec<EntityId> {
        (**self).ids()
    }
}

macro_rules! lockable_tuple {
    ($($part:ident),+) => {
        impl<$($part: AsRef<EntityId>),+> Sealed for ($($part,)+) {}
        impl<$($part: AsRef<EntityId>),+> Lockable for ($($part,)+) {
            fn ids(&self) -> Vec<EntityId> {
                #[expect(non_snake_case, reason = "a part's type names its value")]
                let ($($part,)+) = self;
                vec![$($part.as_ref().clone()),+]
            }
        }
    };
}
lockable_tuple!(A);
lockable_tuple!(A, B);
lockable_tuple!(A, B, C);
lockable_tuple!(A, B, C, D);
lockable_tuple!(A, B, C, D, E);
lockable_tuple!(A, B, C, D, E, F);
lockable_tuple!(A, B, C, D, E, F, G);
lockable_tuple!(A, B, C, D, E, F, G, H);
