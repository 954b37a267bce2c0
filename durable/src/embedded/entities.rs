//! Finds the entities of a hub, in the order of their ids.
//!
//! Changes nothing, and must not know what is kept of an entity. Begin with [`in_file`].

use rusqlite::{Connection, params};

use super::{
    error::Trouble,
    memory::Kept,
    place::SCAN,
    reading,
    rows::{self, Row},
    tables,
};
use crate::{
    history::{EventKind, HistoryEvent, format},
    model::{EntityId, InstanceId, Payload, Timestamp},
    provider::{EntityQuery, Payloads, StoredEntity},
};

/// The entities of a page, and behind which id the next one begins.
#[derive(Debug, Default)]
pub(super) struct FoundEntities {
    pub(super) entities: Vec<StoredEntity>,
    pub(super) next: Option<String>,
}

/// Looks in a file. How far is bounded: a page may be short before the last.
pub(super) fn in_file(
    connection: &Connection,
    query: &EntityQuery,
    after: Option<&str>,
) -> Result<FoundEntities, Trouble> {
    let prefix = query.filter.id_prefix();
    let mut walk = connection.prepare_cached(tables::WALK_ENTITIES)?;
    let mut found = walk.query(params![after.unwrap_or(&prefix)])?;
    let mut page = FoundEntities::default();
    let mut looked_at = 0;
    while let Some(row) = found.next()? {
        let id: String = row.get(0)?;
        if after == Some(&id) {
            continue;
        }
        if !id.starts_with(&prefix) {
            return Ok(FoundEntities { next: None, ..page });
        }
        let modified = Timestamp::from_microseconds(row.get(1)?);
        if page.entities.len() == query.page_size || looked_at == SCAN {
            return Ok(page);
        }
        looked_at += 1;
        if query.filter.fits_modified(modified) {
            let last: Option<Row> = row.get(2)?;
            let last = last.filter(|_| query.states == Payloads::Told);
            let kept = last.map(|last| reading::episode(connection, last)).transpose()?;
            let kept = kept.map(|episode| kept_in(&format::decode(&episode.events)?)).transpose();
            let kept = kept.map_err(|trouble| trouble.at(|| format!("entity `{id}`")))?;
            page.entities.extend(stored(&id, modified, kept));
        }
        page.next = Some(id);
    }
    Ok(FoundEntities { next: None, ..page })
}

/// Looks in memory.
pub(super) fn in_memory(
    kept: &Kept,
    query: &EntityQuery,
    after: Option<&str>,
) -> Result<FoundEntities, Trouble> {
    let prefix = query.filter.id_prefix();
    let is_behind = |id: &InstanceId| {
        id.is_entity() && id.as_str().starts_with(&prefix) && after.is_none_or(|after| id.as_str() > after)
    };
    let mut ids: Vec<_> = kept.keys.iter().filter(|(id, _)| is_behind(id)).collect();
    ids.sort_unstable_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    let mut page = FoundEntities::default();
    for (id, key) in ids {
        if page.entities.len() == query.page_size {
            return Ok(page);
        }
        let Some(instance) = kept.instances.get(key) else { continue };
        let modified = instance.standing.updated;
        if query.filter.fits_modified(modified) {
            let last = instance.head.last.filter(|_| query.states == Payloads::Told);
            let episode = last.and_then(|last| kept.history.get(&last));
            let kept = episode.map(|episode| kept_in(&format::decode(&episode.events)?)).transpose()?;
            page.entities.extend(stored(id.as_str(), modified, kept));
        }
        page.next = Some(id.as_str().to_owned());
    }
    Ok(FoundEntities { next: None, ..page })
}

/// What the one event of an entity's history keeps.
fn kept_in(events: &[HistoryEvent]) -> Result<Payload, Trouble> {
    let started = events.iter().find(|event| matches!(event.kind, EventKind::ExecutionStarted(_)));
    let started = started.ok_or_else(|| Trouble::corrupt("what is kept of it is missing"))?;
    Ok(rows::started_of(started)?.input.clone())
}

fn stored(id: &str, modified: Timestamp, kept: Option<Payload>) -> Option<StoredEntity> {
    let entity: EntityId = id.parse().ok()?;
    Some(StoredEntity { entity, modified, kept: kept.unwrap_or_default() })
}
