//! Where a look at all instances has got to, and what it has found.
//!
//! Must not know how a store walks. Begin with [`Position`].

use super::{error::Trouble, rows::Key};
use crate::{
    model::{InstanceState, RuntimeStatus},
    provider::{InstanceFilter, PageToken, ProviderErrorKind},
};

/// How many instances a look examines at most before it gives what it has: it must not hold up those
/// who wait for its answer, nor what runs beside it.
pub(super) const SCAN: usize = 4_096;
/// As how many more it counts when the way along which an instance is found does not tell whether it fits, so that
/// it must be looked up.
pub(super) const LOOKUP: usize = 3;

/// How many instances to remove are looked for at once.
pub(super) const SLICE: usize = 200;
/// How many of them are removed in one transaction while nobody waits, at most.
pub(super) const MANY: usize = 64;
/// How many while somebody waits.
pub(super) const FEW: usize = 8;
/// How many of those that are kept no longer are removed at once.
pub(super) const DUE: usize = 25;

/// Behind which instance a look goes on, in the order in which it walks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Position {
    /// In the order of creation.
    Created(At),
    /// In the order of creation, along those that have one of the filter's tags: the how-manieth.
    Tagged(u8, At),
    /// In the order of ids.
    Id(String),
}

/// One instance's place in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    pub(super) created: i64,
    pub(super) key: Key,
}

/// Among which instances a look is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    All,
    Ended,
}

/// An instance that was found, and how it stood then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: At,
    pub(super) shelf: i64,
}

/// The instances that a look found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) places: Vec<Place>,
    pub(super) next: Option<Position>,
}

/// The same with their states.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) instances: Vec<InstanceState>,
    pub(super) next: Option<Position>,
}

impl Among {
    /// Whether an instance at `status` is among those, and fits.
    pub(super) fn fits(self, filter: &InstanceFilter, status: RuntimeStatus) -> bool {
        filter.fits_status(status) && (self == Self::All || status.is_terminal())
    }
}

impl At {
    /// Before every instance created at `created`.
    pub(super) const fn before(created: i64) -> Self {
        Self { created, key: Key::MIN }
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        self.created.to_be_bytes().into_iter().chain(self.key.to_be_bytes())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (created, key) = bytes.split_first_chunk::<8>()?;
        Some(Self { created: i64::from_be_bytes(*created), key: i64::from_be_bytes(key.try_into().ok()?) })
    }
}

impl Position {
    /// The position that `token` names in the instances that `filter` fits; none without a token.
    pub(super) fn of(token: Option<&PageToken>, filter: &InstanceFilter) -> Result<Option<Self>, Trouble> {
        let Some(token) = token else { return Ok(None) };
        let read = token.open(filter).and_then(|bytes| Self::read(&bytes));
        read.map(Some).ok_or_else(bad_token)
    }

    /// A token that names it.
    pub(super) fn token(&self, filter: &InstanceFilter) -> PageToken {
        let bytes: Vec<u8> = match self {
            Self::Created(at) => [b'c'].into_iter().chain(at.bytes()).collect(),
            Self::Tagged(tag, at) => [b't', *tag].into_iter().chain(at.bytes()).collect(),
            Self::Id(id) => [b'i'].into_iter().chain(id.bytes()).collect(),
        };
        PageToken::seal(filter, &bytes)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'c', at @ ..] => At::read(at).map(Self::Created),
            [b't', tag, at @ ..] => At::read(at).map(|at| Self::Tagged(*tag, at)),
            [b'i', id @ ..] => std::str::from_utf8(id).ok().map(|id| Self::Id(id.to_owned())),
            _ => None,
        }
    }
}

/// A token of another query, or none at all.
pub(super) fn bad_token() -> Trouble {
    Trouble::new(ProviderErrorKind::BadPageToken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_position_is_read_back_from_its_token() {
        let filter = InstanceFilter::new().tag("a", "b");
        let at = At { created: -7, key: 9 };
        for position in [Position::Created(at), Position::Tagged(3, at), Position::Id("größe".into())] {
            let token = position.token(&filter);
            assert_eq!(Position::of(Some(&token), &filter).unwrap(), Some(position));
        }
        let foreign = PageToken::seal(&filter, b"x");
        assert_eq!(Position::of(Some(&foreign), &filter).unwrap_err().kind, ProviderErrorKind::BadPageToken);
    }
}
