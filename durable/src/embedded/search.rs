//! Finds the instances of a hub file that a filter fits.
//!
//! Walks along one index, and looks at rows only for what that index does not say. Every filter of
//! statuses, name and created times is one or several stretches of the index `shelves`; so is a filter
//! that fits nothing. With a prefix or tags it walks where the fewest instances are. Changes nothing.
//! Begin with [`Search::run`].

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Row as Columns, params};

use super::{
    error::Trouble,
    place::{Among, At, Found, LOOKUP, Place, Position, SCAN, bad_token},
    rows::{self, Key, NameNumber},
    tables,
};
use crate::{
    model::{RuntimeStatus, Timestamp},
    provider::{InstanceFilter, StatusCounts},
};

/// How many instances are walked along at once, when not all of them fit.
const STRETCH: usize = 1_024;
/// How many times as many as in a stretch may have another tag there, and still be read one after the other:
/// that costs a fraction of asking for each.
const DENSE: usize = 4;
/// How far instances are counted to find out along which index there are fewest.
const PROBE: i64 = 20_000;

/// A look for instances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) filter: &'a InstanceFilter,
    pub(super) among: Among,
    pub(super) most: usize,
}

/// A part of the index: where the instances of one name are that stand at one status, or live.
type Shelf = (i64, NameNumber);

/// One look, as far as it has got.
struct Walk<'a> {
    search: Search<'a>,
    connection: &'a Connection,
    /// The shelves on which what fits can stand.
    shelves: BTreeSet<Shelf>,
    /// Whether a shelf does not say where an instance stands: the pending share one with the running.
    shares_a_shelf: bool,
}

/// Which of a stretch have one of the filter's tags.
enum Tagged {
    /// These, in order.
    Those(Vec<At>),
    /// To be asked for each.
    Unknown,
}

/// The next instance along the way.
struct Step {
    position: Position,
    place: Place,
}

/// How many instances stand where, of one name.
struct Count {
    status: RuntimeStatus,
    name: NameNumber,
    count: i64,
    text: String,
}

/// How many instances stand where.
pub(super) fn counts(connection: &Connection) -> Result<StatusCounts, Trouble> {
    Ok(read_counts(connection)?.into_iter().map(|count| (count.status, count.count.unsigned_abs())).collect())
}

fn read_counts(connection: &Connection) -> Result<Vec<Count>, Trouble> {
    let mut statement = connection.prepare_cached(tables::READ_COUNTS)?;
    let mut found = statement.query(())?;
    let mut counts = Vec::new();
    while let Some(row) = found.next()? {
        counts.push(Count {
            status: rows::status_of(row.get(0)?)?,
            name: row.get(1)?,
            count: row.get(2)?,
            text: row.get(3)?,
        });
    }
    Ok(counts)
}

impl Search<'_> {
    /// Looks for up to `most` instances behind `after`.
    pub(super) fn run(self, connection: &Connection, after: Option<&Position>) -> Result<Found, Trouble> {
        let fits = |count: &Count| {
            self.fits(count.status)
                && self.filter.name.as_ref().is_none_or(|name| name.as_str() == count.text)
        };
        let counts: Vec<_> = read_counts(connection)?.into_iter().filter(fits).collect();
        let shelves: BTreeSet<_> =
            counts.iter().map(|count| (rows::shelf_number(count.status), count.name)).collect();
        if shelves.is_empty() {
            return Ok(Found::default());
        }
        let after = match after {
            Some(after) => after.clone(),
            None => self.beginning(connection, counts.iter().map(|count| count.count).sum())?,
        };
        let shares_a_shelf = self.fits(RuntimeStatus::Pending) != self.fits(RuntimeStatus::Running);
        Walk { search: self, connection, shelves, shares_a_shelf }.along(after)
    }

    fn fits(&self, status: RuntimeStatus) -> bool {
        self.among.fits(self.filter, status)
    }

    fn prefix(&self) -> Option<&str> {
        self.filter.id_prefix.as_deref().filter(|prefix| !prefix.is_empty())
    }

    /// Where to begin: at the beginning of the index along which the fewest instances are. `shelved` are
    /// on the shelves.
    fn beginning(&self, connection: &Connection, shelved: i64) -> Result<Position, Trouble> {
        let created_from = self.filter.created_from.map_or(i64::MIN, Timestamp::as_microseconds);
        let from = At::before(created_from);
        let mut best = (shelved, Position::Created(from));
        if let Some(prefix) = self.prefix() {
            let end = format!("{prefix}{}", char::MAX);
            let mut probe = connection.prepare_cached(tables::PROBE_IDS)?;
            let count: i64 = probe.query_row(params![prefix, end, PROBE], |row| row.get(0))?;
            if count < best.0 {
                best = (count, Position::Id(String::new()));
            }
        }
        for (tag, (name, value)) in (0..=u8::MAX).zip(&self.filter.tags) {
            let mut probe = connection.prepare_cached(tables::PROBE_TAG)?;
            let count: i64 = probe.query_row(params![name, value, PROBE], |row| row.get(0))?;
            if count < best.0 {
                best = (count, Position::Tagged(tag, from));
            }
        }
        Ok(best.1)
    }

    fn created_to(&self) -> i64 {
        self.filter.created_to.map_or(i64::MAX, Timestamp::as_microseconds)
    }
}

impl Walk<'_> {
    /// Walks on behind `after` until enough is found, or nothing is left, or it has gone far enough.
    fn along(&self, mut after: Position) -> Result<Found, Trouble> {
        let most = self.search.most;
        let all_fit = !self.looks_at_rows(&after) && self.search.filter.tags.is_empty();
        let stretch = if all_fit { most + 1 } else { STRETCH };
        let mut found = Found::default();
        let mut looked_at = 0;
        loop {
            let (steps, is_last) = self.steps(&after, stretch)?;
            let tagged = self.tagged(&steps)?;
            let count = steps.len();
            for (number, step) in (1..).zip(steps) {
                looked_at += 1;
                if !tagged.iter().any(|tagged| tagged.lacks(step.place.at)) {
                    looked_at += if all_fit { 0 } else { LOOKUP };
                    found.places.extend(self.look_at(&step, &tagged)?);
                }
                after = step.position;
                if found.places.len() == most || looked_at >= SCAN {
                    let is_over = is_last && number == count;
                    found.next = (!is_over).then_some(after);
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// The next instances along the way, at least one if there is any, and whether they are the last.
    fn steps(&self, after: &Position, most: usize) -> Result<(Vec<Step>, bool), Trouble> {
        match after {
            Position::Created(at) => self.along_shelves(*at, most),
            Position::Tagged(tag, at) => self.along_tag(*tag, *at, most),
            Position::Id(id) => self.along_ids(id, most),
        }
    }

    fn along_shelves(&self, after: At, most: usize) -> Result<(Vec<Step>, bool), Trouble> {
        let mut steps = Vec::new();
        // Behind the end of a stretch that is not the last there may be more of that shelf.
        let mut horizon: Option<At> = None;
        for (shelf, name) in &self.shelves {
            let mut walk = self.connection.prepare_cached(tables::WALK_SHELF)?;
            let to = self.search.created_to();
            let values = params![shelf, name, after.created, after.key, to, limit(most)];
            let found = walk.query_map(values, |row| Ok(At { created: row.get(0)?, key: row.get(1)? }))?;
            let found = found.collect::<Result<Vec<_>, _>>()?;
            if let Some(last) = found.last().filter(|_| found.len() == most) {
                horizon = Some(horizon.map_or(*last, |horizon| horizon.min(*last)));
            }
            let step = |at| Step { position: Position::Created(at), place: Place { at, shelf: *shelf } };
            steps.extend(found.into_iter().map(step));
        }
        steps.retain(|step| horizon.is_none_or(|horizon| step.place.at <= horizon));
        steps.sort_unstable_by_key(|step| step.place.at);
        Ok((steps, horizon.is_none()))
    }

    fn along_tag(&self, tag: u8, after: At, most: usize) -> Result<(Vec<Step>, bool), Trouble> {
        let (name, value) = self.search.filter.tags.iter().nth(tag.into()).ok_or_else(bad_token)?;
        let mut walk = self.connection.prepare_cached(tables::WALK_TAG)?;
        let values = params![name, value, after.created, after.key, self.search.created_to(), limit(most)];
        let found = walk.query_map(values, |row| Ok(At { created: row.get(0)?, key: row.get(1)? }))?;
        let mut steps = Vec::new();
        for at in found {
            let at = at?;
            steps.push(Step { position: Position::Tagged(tag, at), place: Place { at, shelf: 0 } });
        }
        let is_last = steps.len() < most;
        Ok((steps, is_last))
    }

    fn along_ids(&self, after: &str, most: usize) -> Result<(Vec<Step>, bool), Trouble> {
        let prefix = self.search.prefix().ok_or_else(bad_token)?;
        // Only the prefix itself is not behind it, and is looked at as well.
        let mut steps = Vec::new();
        if after.is_empty() {
            let mut find = self.connection.prepare_cached(tables::FIND_INSTANCE)?;
            let key: Option<Key> = find.query_row([prefix], |row| row.get(0)).optional()?;
            steps.extend(key.map(|key| Step::of_id(prefix.to_owned(), key)));
        }
        let mut walk = self.connection.prepare_cached(tables::WALK_IDS)?;
        let from = if after.is_empty() { prefix } else { after };
        let mut found = walk.query(params![from, limit(most)])?;
        let mut is_last = true;
        while let Some(row) = found.next()? {
            let id: String = row.get(0)?;
            if !id.starts_with(prefix) {
                return Ok((steps, true));
            }
            steps.push(Step::of_id(id, row.get(1)?));
            is_last = steps.len() < most;
        }
        Ok((steps, is_last))
    }

    /// Whether the way along which an instance is found does not tell all but its tags.
    fn looks_at_rows(&self, position: &Position) -> bool {
        let tells_shelf = matches!(position, Position::Created(_));
        !tells_shelf || self.shares_a_shelf || self.search.prefix().is_some()
    }

    /// For each tag of the filter, which of these steps have it.
    fn tagged(&self, steps: &[Step]) -> Result<Vec<Tagged>, Trouble> {
        let tags = &self.search.filter.tags;
        let (Some(first), Some(last)) = (steps.first(), steps.last()) else { return Ok(Vec::new()) };
        let (along, is_in_order) = match first.position {
            Position::Created(_) => (None, true),
            Position::Tagged(along, _) => (Some(usize::from(along)), true),
            Position::Id(_) => (None, false),
        };
        let mut tagged = Vec::with_capacity(tags.len());
        for (number, (name, value)) in tags.iter().enumerate() {
            if !is_in_order || along == Some(number) {
                tagged.push(Tagged::Unknown);
                continue;
            }
            let (from, to) = (first.place.at, last.place.at.created);
            let most = DENSE * steps.len();
            let mut walk = self.connection.prepare_cached(tables::WALK_TAG)?;
            let values = params![name, value, from.created, from.key.saturating_sub(1), to, limit(most)];
            let those = walk.query_map(values, |row| Ok(At { created: row.get(0)?, key: row.get(1)? }))?;
            let those = those.collect::<Result<Vec<_>, _>>()?;
            tagged.push(if those.len() < most { Tagged::Those(those) } else { Tagged::Unknown });
        }
        Ok(tagged)
    }

    /// The place of an instance along the way, if it fits by its tags and its row as well.
    fn look_at(&self, step: &Step, tagged: &[Tagged]) -> Result<Option<Place>, Trouble> {
        if !self.looks_at_rows(&step.position) {
            return Ok(self.has_tags(step.place.at, &step.position, tagged)?.then_some(step.place));
        }
        let mut read = self.connection.prepare_cached(tables::READ_PLACE)?;
        let mut found = read.query([step.place.at.key])?;
        let Some(row) = found.next()? else { return Ok(None) };
        let shelf: Option<i64> = row.get(2)?;
        let Some(shelf) = shelf.filter(|shelf| self.has_shelf(*shelf, row)) else { return Ok(None) };
        let status = rows::status_of(row.get(1)?)?;
        let at = At { created: row.get(4)?, key: step.place.at.key };
        let fits = self.search.fits(status)
            && self.search.filter.fits_created(Timestamp::from_microseconds(at.created))
            && self.search.filter.fits_id(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)
            && self.has_tags(at, &step.position, tagged)?;
        Ok(fits.then_some(Place { at, shelf }))
    }

    fn has_shelf(&self, shelf: i64, row: &Columns<'_>) -> bool {
        row.get(3).is_ok_and(|name| self.shelves.contains(&(shelf, name)))
    }

    /// Whether the instance has every tag of which that is not known.
    fn has_tags(&self, at: At, found_at: &Position, tagged: &[Tagged]) -> Result<bool, Trouble> {
        let mut has = self.connection.prepare_cached(tables::HAS_TAG)?;
        for (tag, (name, value)) in self.search.filter.tags.iter().enumerate() {
            let is_along = matches!(found_at, Position::Tagged(along, _) if tag == usize::from(*along));
            let is_known = is_along || matches!(tagged.get(tag), Some(Tagged::Those(_)));
            if !is_known && !has.exists(params![name, value, at.created, at.key])? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Tagged {
    /// Whether the instance at this place is known not to have the tag.
    fn lacks(&self, at: At) -> bool {
        match self {
            Self::Those(those) => those.binary_search(&at).is_err(),
            Self::Unknown => false,
        }
    }
}

impl Step {
    /// Whose created time and shelf its row tells.
    fn of_id(id: String, key: Key) -> Self {
        Self { position: Position::Id(id), place: Place { at: At { created: 0, key }, shelf: 0 } }
    }
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}
