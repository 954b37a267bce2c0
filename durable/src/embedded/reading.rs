//! Queries on a hub file: what anybody may ask, on any connection.
//!
//! Changes nothing, and must not know the queue. Begin with [`FileReader`].

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row as Columns, ToSql};

use super::{
    database::Place,
    entities::{self, FoundEntities},
    error::Trouble,
    place::{Among, Found, Listed, Position},
    rows::{self, Key, Row, Standing, StoredEpisode, StoredHead, StoredMessage},
    search::{self, Search},
    store::Reader,
    tables,
};
use crate::{
    history::{ExecutionStarted, History, HistoryEvent, format},
    model::{ExecutionId, InstanceId, InstanceState, Timestamp},
    provider::{EntityQuery, InstanceFilter, InstanceQuery, ProviderErrorKind, StatusCounts},
};

/// Answers from connections of its own, beside the writer's.
pub(super) struct FileReader(pub(super) Arc<Place>);

impl Reader for FileReader {
    fn state(&self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
        Ok(self.0.read(|connection| state(connection, id))?.flatten())
    }

    fn start(&self, id: &InstanceId) -> Result<ExecutionStarted, Trouble> {
        let read = |connection: &Connection| {
            let key: Option<Key> = connection
                .prepare_cached(tables::FIND_INSTANCE)?
                .query_row([id.as_str()], |row| row.get(0))
                .optional()?;
            let event = key.map(|key| started(connection, key)).transpose()?;
            event.map(|event| rows::started_of(&event).cloned()).transpose()
        };
        self.0.read(read)?.flatten().ok_or_else(|| Trouble::new(ProviderErrorKind::NotFound))
    }

    fn history(&self, id: &InstanceId) -> Result<Option<History>, Trouble> {
        Ok(self.0.read(|connection| history(connection, id))?.flatten())
    }

    fn query(&self, query: &InstanceQuery, after: Option<&Position>) -> Result<Listed, Trouble> {
        let search = Search { filter: &query.filter, among: Among::All, most: query.page_size };
        let listed = self.0.read(|connection| {
            let found = search.run(connection, after)?;
            let states = found.places.iter().map(|place| state_at(connection, place.at.key));
            let instances = states.filter_map(Result::transpose).collect::<Result<_, _>>()?;
            Ok(Listed { instances, next: found.next })
        })?;
        Ok(listed.unwrap_or_default())
    }

    fn ended(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&Position>,
    ) -> Result<Found, Trouble> {
        let search = Search { filter, among: Among::Ended, most };
        Ok(self.0.read(|connection| search.run(connection, after))?.unwrap_or_default())
    }

    fn entities(&self, query: &EntityQuery, after: Option<&str>) -> Result<FoundEntities, Trouble> {
        Ok(self.0.read(|connection| entities::in_file(connection, query, after))?.unwrap_or_default())
    }

    fn counts(&self) -> Result<StatusCounts, Trouble> {
        Ok(self.0.read(search::counts)?.unwrap_or_default())
    }

    fn hub_exists(&self) -> Result<bool, Trouble> {
        Ok(self.0.open_existing()?.is_some())
    }
}

/// The state of an instance as a query sees it.
pub(super) fn state(connection: &Connection, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
    let mut statement = connection.prepare_cached(tables::READ_STATE)?;
    let mut found = statement.query([id.as_str()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    state_of(row).map(Some).map_err(|trouble| trouble.at(|| format!("instance `{id}`")))
}

/// The state of the instance with a number; `None` when it has gone.
pub(super) fn state_at(connection: &Connection, key: Key) -> Result<Option<InstanceState>, Trouble> {
    let mut statement = connection.prepare_cached(tables::READ_STATE_AT)?;
    let mut found = statement.query([key])?;
    let Some(row) = found.next()? else { return Ok(None) };
    let id: String = row.get(9)?;
    state_of(row).map(Some).map_err(|trouble| trouble.at(|| format!("instance `{id}`")))
}

fn state_of(row: &Columns<'_>) -> Result<InstanceState, Trouble> {
    let standing = Standing {
        status: rows::status_of(row.get(0)?)?,
        execution: ExecutionId::new(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?),
        generation: row.get(2)?,
        updated: Timestamp::from_microseconds(row.get(3)?),
        created: Timestamp::from_microseconds(row.get(4)?),
        custom_status: rows::payload_of(row.get(5)?)?,
        output: rows::payload_of(row.get(6)?)?,
        failure: rows::failure_of(row.get(7)?)?,
    };
    let started: Option<Vec<u8>> = row.get(8)?;
    let started = started.ok_or_else(|| Trouble::corrupt("how it was started is missing"))?;
    rows::instance_state(&rows::only_event(&started)?, standing)
}

/// The history of an instance's current execution.
fn history(connection: &Connection, id: &InstanceId) -> Result<Option<History>, Trouble> {
    let chain = connection
        .prepare_cached(tables::READ_CHAIN)?
        .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((key, last, episodes)) = chain else { return Ok(None) };
    let read = || {
        let mut events = Vec::new();
        for episode in self::episodes(connection, key, last, episodes)? {
            events.extend(format::decode(&episode.events)?);
        }
        Ok(Some(History::new(events)))
    };
    read().map_err(|trouble: Trouble| trouble.at(|| format!("the history of instance `{id}`")))
}

fn episodes(
    connection: &Connection,
    key: Key,
    last: Option<Row>,
    count: u32,
) -> Result<Vec<StoredEpisode>, Trouble> {
    let mut episodes = Vec::new();
    let mut next = last;
    for sequence in (1..=count).rev() {
        let row = next.ok_or_else(|| Trouble::corrupt(format!("episode {sequence} is missing")))?;
        let episode = episode(connection, row)?;
        if episode.instance != key || episode.sequence != sequence {
            return Err(Trouble::corrupt(format!("row {row} is not its episode {sequence}")));
        }
        next = episode.previous;
        episodes.push(episode);
    }
    episodes.reverse();
    Ok(episodes)
}

/// One row of a history.
pub(super) fn episode(connection: &Connection, row: Row) -> Result<StoredEpisode, Trouble> {
    let read = |columns: &Columns<'_>| {
        Ok(StoredEpisode {
            previous: columns.get(0)?,
            instance: columns.get(1)?,
            sequence: columns.get(2)?,
            events: columns.get(3)?,
            cancelled: columns.get(4)?,
        })
    };
    let found = connection.prepare_cached(tables::READ_HISTORY_ROW)?.query_row([row], read).optional()?;
    found.ok_or_else(|| Trouble::corrupt(format!("row {row} of the history is missing")))
}

/// All live instances, in the order of creation.
pub(super) fn live(connection: &Connection) -> Result<Vec<StoredHead>, Trouble> {
    let mut heads = heads(connection.prepare_cached(tables::READ_LIVE)?, &[])?;
    heads.sort_unstable_by_key(|head| head.key);
    Ok(heads)
}

/// One live instance.
pub(super) fn head(connection: &Connection, key: Key) -> Result<Option<StoredHead>, Trouble> {
    Ok(heads(connection.prepare_cached(tables::READ_HEAD)?, &[&key])?.pop())
}

fn heads(mut statement: CachedStatement<'_>, values: &[&dyn ToSql]) -> Result<Vec<StoredHead>, Trouble> {
    let mut found = statement.query(values)?;
    let mut heads = Vec::new();
    while let Some(row) = found.next()? {
        heads.push(head_of(row)?);
    }
    Ok(heads)
}

fn head_of(row: &Columns<'_>) -> Result<StoredHead, Trouble> {
    let key = row.get(0)?;
    let read = || {
        let id = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
        let id = InstanceId::stored(id)
            .map_err(|error| Trouble::corrupt("its id breaks the rules").caused_by(error))?;
        Ok(StoredHead {
            key,
            id,
            status: rows::status_of(row.get(2)?)?,
            execution: ExecutionId::new(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?),
            generation: row.get(4)?,
            last: row.get(5)?,
            sequence: row.get(6)?,
            open: row.get(7)?,
            name: row.get(8)?,
        })
    };
    read().map_err(|trouble: Trouble| trouble.at(|| format!("instance number {key}")))
}

/// How the current execution of an instance was started.
pub(super) fn started(connection: &Connection, key: Key) -> Result<HistoryEvent, Trouble> {
    let found: Option<Vec<u8>> =
        connection.prepare_cached(tables::READ_START)?.query_row([key], |row| row.get(0)).optional()?;
    let text = found.ok_or_else(|| Trouble::corrupt("how it was started is missing"))?;
    rows::only_event(&text)
}

/// The messages that `sql` selects.
pub(super) fn messages(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<StoredMessage>, Trouble> {
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Columns<'_>| {
        let execution: Option<String> = row.get(3)?;
        let visible_at: Option<i64> = row.get(4)?;
        Ok(StoredMessage {
            row: row.get(0)?,
            instance: row.get(1)?,
            generation: row.get(2)?,
            execution: execution.map(ExecutionId::new),
            visible_at: visible_at.map(Timestamp::from_microseconds),
            event: row.get(5)?,
        })
    };
    let found = statement.query_map(values, read)?;
    Ok(found.collect::<Result<_, _>>()?)
}
