//! Entities in bulk: which are meant, and how many of them are told at a time.
//!
//! Must not know what is kept of an entity. Begin with [`EntityQuery`].

use serde::Serialize;

use super::{PageToken, Payloads};
use crate::model::{EntityId, EntityName, Payload, Timestamp};

/// One page of the entities that all of it fits, in the order of their ids:
/// `EntityQuery::new().name("counter").key_prefix("game-")`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityQuery {
    /// Which entities.
    pub filter: EntityFilter,
    /// How many at most, from 1 to [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE).
    pub page_size: usize,
    /// Where the page before ended; absent for the first.
    pub after: Option<PageToken>,
    /// Whether what is kept of each is wanted.
    pub states: Payloads,
}

/// Which entities are meant: those that all of it fits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntityFilter {
    /// Of this kind; of any when there is none.
    pub name: Option<EntityName>,
    /// How the key begins, exactly. Only together with a name.
    pub key_prefix: String,
    /// Changed last at this time or later.
    pub modified_from: Option<Timestamp>,
    /// Changed last at this time or earlier.
    pub modified_to: Option<Timestamp>,
}

impl EntityQuery {
    /// How many entities a page has, unless told otherwise.
    pub const USUAL_PAGE_SIZE: usize = 100;
    /// The most a page has.
    pub const MAX_PAGE_SIZE: usize = 1_000;

    /// The first page of all entities.
    pub fn new() -> Self {
        Self {
            filter: EntityFilter::default(),
            page_size: Self::USUAL_PAGE_SIZE,
            after: None,
            states: Payloads::Told,
        }
    }

    /// Asks for entities of this kind.
    #[must_use]
    pub fn name(mut self, name: EntityName) -> Self {
        self.filter.name = Some(name);
        self
    }

    /// Asks for entities of the kind `name` whose keys begin with `prefix`.
    #[must_use]
    pub fn keys(mut self, name: EntityName, prefix: impl Into<String>) -> Self {
        self.filter.name = Some(name);
        self.filter.key_prefix = prefix.into();
        self
    }

    /// Asks for what was changed last at `time` or later.
    #[must_use]
    pub fn modified_from(mut self, time: Timestamp) -> Self {
        self.filter.modified_from = Some(time);
        self
    }

    /// Asks for what was changed last at `time` or earlier.
    #[must_use]
    pub fn modified_to(mut self, time: Timestamp) -> Self {
        self.filter.modified_to = Some(time);
        self
    }

    /// Asks for at most this many; the nearest of 1 and [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE) when it
    /// is beyond.
    #[must_use]
    pub fn page_size(mut self, most: usize) -> Self {
        self.page_size = most.clamp(1, Self::MAX_PAGE_SIZE);
        self
    }

    /// Leaves out what is kept of each, which may be large: no states, and no locks either.
    #[must_use]
    pub fn without_states(mut self) -> Self {
        self.states = Payloads::LeftOut;
        self
    }

    /// Asks for the page after the one that gave `token`. The filter must be the same.
    #[must_use]
    pub fn after(mut self, token: impl Into<PageToken>) -> Self {
        self.after = Some(token.into());
        self
    }
}

impl Default for EntityQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl EntityFilter {
    /// How the ids begin of all that it fits.
    pub fn id_prefix(&self) -> String {
        match &self.name {
            Some(name) => EntityId::of(name, &self.key_prefix).to_string(),
            None => "@".to_owned(),
        }
    }

    /// Whether it fits an entity that was changed last at `time`.
    pub fn fits_modified(&self, time: Timestamp) -> bool {
        self.modified_from.is_none_or(|from| from <= time) && self.modified_to.is_none_or(|to| time <= to)
    }
}

/// An entity as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntity {
    /// Which one.
    pub entity: EntityId,
    /// When it was changed last.
    pub modified: Timestamp,
    /// What is kept of it, which only the engine understands; `null` before its first turn, and when it was
    /// left out.
    pub kept: Payload,
}

/// Some entities, and where to go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityPage {
    /// The entities, in the order of their ids.
    pub entities: Vec<StoredEntity>,
    /// Where the next page begins; absent when this was the last.
    pub next: Option<PageToken>,
}
