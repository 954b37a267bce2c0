//! Instances in bulk, of a hub in memory.
//!
//! Looks at one instance after the other, in the order of creation: there is nothing to read. Begin with
//! [`Kept::look`].

use super::{
    error::Trouble,
    memory::{Kept, KeptInstance},
    place::{Among, At, Found, Listed, Place, Position, SCAN, bad_token},
    rows::{self, Key},
};
use crate::{
    model::{InstanceId, Timestamp},
    provider::{InstanceFilter, InstanceQuery, ProviderErrorKind, StatusCounts},
};

/// How many times farther a look goes where nothing is read.
const FARTHER: usize = 16;

impl Kept {
    /// Up to `most` instances behind `after`.
    pub(super) fn look(
        &self,
        filter: &InstanceFilter,
        among: Among,
        most: usize,
        after: Option<&Position>,
    ) -> Result<Found, Trouble> {
        let first = match after {
            None => Key::MIN,
            Some(Position::Created(at)) => at.key.saturating_add(1),
            Some(Position::Tagged(..) | Position::Id(_)) => return Err(bad_token()),
        };
        let mut found = Found::default();
        let mut rest = self.instances.range(first..);
        for (key, instance) in rest.by_ref().take(FARTHER * SCAN) {
            let at = At { created: instance.standing.created.as_microseconds(), key: *key };
            if instance.fits(filter, among) {
                found.places.push(Place { at, shelf: rows::shelf_number(instance.standing.status) });
            }
            found.next = Some(Position::Created(at));
            if found.places.len() == most {
                break;
            }
        }
        if rest.next().is_none() {
            found.next = None;
        }
        Ok(found)
    }

    pub(super) fn query(&self, query: &InstanceQuery, after: Option<&Position>) -> Result<Listed, Trouble> {
        let found = self.look(&query.filter, Among::All, query.page_size, after)?;
        let instances = found.places.iter().filter_map(|place| self.instances.get(&place.at.key));
        let states = instances.map(|kept| rows::instance_state(&kept.started, kept.standing.clone()));
        Ok(Listed { instances: states.collect::<Result<_, _>>()?, next: found.next })
    }

    pub(super) fn purge(&mut self, id: &InstanceId) -> Result<bool, Trouble> {
        let Some(key) = self.keys.get(id).copied() else { return Ok(false) };
        if !self.has_ended(key) {
            return Err(Trouble::new(ProviderErrorKind::NotEnded));
        }
        self.remove(key);
        Ok(true)
    }

    pub(super) fn purge_found(&mut self, places: &[Place]) -> u64 {
        let mut removed = 0;
        for Place { at, shelf } in places {
            let standing = self.instances.get(&at.key).map(|instance| &instance.standing);
            let is_same = standing.is_some_and(|standing| {
                standing.status.is_terminal() && rows::shelf_number(standing.status) == *shelf
            });
            if is_same {
                self.remove(at.key);
                removed += 1;
            }
        }
        removed
    }

    pub(super) fn purge_due(&mut self, now: Timestamp, most: usize) -> u64 {
        let due: Vec<_> = self.purges.range(..=(now, Key::MAX)).take(most).copied().collect();
        for (_, key) in &due {
            self.remove(*key);
        }
        due.len() as u64
    }

    pub(super) fn counts(&self) -> StatusCounts {
        self.counts.iter().map(|(status, count)| (*status, *count)).collect()
    }

    /// Removes everything about an instance.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(instance) = self.instances.remove(&key) else { return };
        self.keys.remove(&instance.head.id);
        self.count(&instance.head.id, instance.standing.status, -1);
        if let Some(purge_at) = instance.purge_at {
            self.purges.remove(&(purge_at, key));
        }
        self.forget_history(instance.head.last);
    }

    fn has_ended(&self, key: Key) -> bool {
        self.instances.get(&key).is_some_and(|instance| instance.standing.status.is_terminal())
    }
}

impl KeptInstance {
    /// Whether `filter` fits it. An entity it does not.
    fn fits(&self, filter: &InstanceFilter, among: Among) -> bool {
        let Self { head, started, standing, .. } = self;
        among.fits(filter, standing.status)
            && filter.fits_created(standing.created)
            && filter.fits_id(head.id.as_str())
            && !head.id.is_entity()
            && rows::started_of(started).is_ok_and(|begun| {
                filter.name.as_ref().is_none_or(|name| *name == begun.name)
                    && filter.tags.iter().all(|(tag, value)| begun.tags.get(tag) == Some(value))
            })
    }
}
