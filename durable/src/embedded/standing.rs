//! What queries see of an instance in a hub file after an episode.
//!
//! Must not know how they find it. Begin with [`FileStore::move_on`].

use rusqlite::{OptionalExtension, params};

use super::{
    error::Trouble,
    file::FileStore,
    reading,
    rows::{self, Key, NameNumber, Row, StoredHead},
    store::WrittenEpisode,
    tables,
};
use crate::{
    model::{InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::{InstanceChange, ProviderErrorKind},
};

impl FileStore {
    /// Lets the instance stand where the episode left it, with `last` as the newest row of its history, and
    /// counts it there; until when it is kept, if it has ended and is not kept for ever.
    pub(super) fn move_on(
        &mut self,
        episode: &WrittenEpisode<'_>,
        last: Row,
    ) -> Result<Option<Timestamp>, Trouble> {
        let WrittenEpisode { was, name, change, .. } = *episode;
        if was != change.status {
            self.tally.count(was, name, -1);
            self.tally.count(change.status, name, 1);
        }
        if change.status.is_terminal() {
            return self.end(episode, last);
        }
        self.advance(episode, last)?;
        Ok(None)
    }

    fn advance(&mut self, episode: &WrittenEpisode<'_>, last: Row) -> Result<(), Trouble> {
        let WrittenEpisode { key, was, sequence, open, change, .. } = *episode;
        let (status, updated) = (rows::status_number(change.status), change.updated_at.as_microseconds());
        self.run(tables::ADVANCE, params![key, status, last, sequence, open, updated])?;
        if change.custom_status.is_some() || change.output.is_some() || change.failure.is_some() {
            let failure = change.failure.as_ref().map(rows::failure_text).transpose()?;
            let [custom_status, output, failure] = texts(change, failure.as_ref());
            self.run(tables::PUBLISH, params![key, custom_status, output, failure])?;
        }
        let shelf = rows::shelf_number(change.status);
        if shelf != rows::shelf_number(was) {
            self.run(tables::SHELVE, [key, shelf])?;
        }
        Ok(())
    }

    /// Everything about an end at once: each statement more costs with every instance.
    fn end(&mut self, episode: &WrittenEpisode<'_>, last: Row) -> Result<Option<Timestamp>, Trouble> {
        let WrittenEpisode { key, sequence, open, change, .. } = *episode;
        let (status, shelf) = (rows::status_number(change.status), rows::shelf_number(change.status));
        let own: Option<i64> = self
            .connection()?
            .prepare_cached(tables::READ_RETENTION)?
            .query_row([key], |row| row.get(0))
            .optional()?
            .flatten();
        let updated = change.updated_at.as_microseconds();
        let kept = own.or_else(|| self.retention.map(rows::retention_number));
        let purge_at = kept.map(|kept| updated.saturating_add(kept));
        let failure = change.failure.as_ref().map(rows::failure_text).transpose()?;
        let [custom_status, output, failure] = texts(change, failure.as_ref());
        let stands = params![
            key,
            status,
            last,
            sequence,
            open,
            updated,
            custom_status,
            output,
            failure,
            shelf,
            purge_at
        ];
        self.run(tables::END, stands)?;
        Ok(purge_at.map(Timestamp::from_microseconds))
    }

    /// Makes an instance live again that has failed, and gives its head; `None` when it is live.
    pub(super) fn reopen_failed(&mut self, id: &InstanceId) -> Result<Option<StoredHead>, Trouble> {
        let connection = self.connection()?;
        let reopened: Option<(Key, NameNumber)> = connection
            .prepare_cached(tables::REOPEN)?
            .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((key, name)) = reopened {
            let head = reading::head(connection, key)?;
            self.tally.count(RuntimeStatus::Failed, name, -1);
            self.tally.count(RuntimeStatus::Running, name, 1);
            return Ok(head);
        }
        match self.find(id)? {
            None => Err(Trouble::new(ProviderErrorKind::NotFound)),
            Some(taken) if taken.is_live() => Ok(None),
            Some(_) => Err(Trouble::new(ProviderErrorKind::Ended)),
        }
    }

    /// Lets queries find an instance by the tags of its new execution.
    pub(super) fn tag_again(&mut self, key: Key, started: &[u8]) -> Result<(), Trouble> {
        let event = rows::only_event(started)?;
        let tags = &rows::started_of(&event)?.tags;
        self.run(tables::DELETE_TAGS, [key])?;
        for (tag, value) in tags {
            self.run(tables::TAG_AGAIN, params![tag, value, key])?;
        }
        Ok(())
    }
}

/// What a query sees of the change, beyond the status; `failure` is the change's as it is stored.
fn texts<'a>(change: &'a InstanceChange, failure: Option<&'a Payload>) -> [Option<&'a str>; 3] {
    [change.custom_status.as_ref(), change.output.as_ref(), failure]
        .map(|payload| payload.map(Payload::as_json))
}
