//! What queries see of an instance in a hub file after an episode.
//!
//! Must not know how they find it. Begin with [`FileStore::move_on`].

use rusqlite::{OptionalExtension, params};

use super::{
    error::Trouble,
    file::FileStore,
    reading,
    rows::{self, Key, NameNumber, StoredHead},
    store::WrittenEpisode,
    tables,
};
use crate::{
    model::{InstanceId, Payload, RuntimeStatus, Timestamp},
    provider::ProviderErrorKind,
};

impl FileStore {
    /// What a query sees of the episode, beyond the status.
    pub(super) fn publish(&mut self, episode: &WrittenEpisode<'_>) -> Result<(), Trouble> {
        let change = episode.change;
        if change.custom_status.is_some() || change.output.is_some() || change.failure.is_some() {
            let failure = change.failure.as_ref().map(rows::failure_text).transpose()?;
            let texts = [&change.custom_status, &change.output, &failure]
                .map(|payload| payload.as_ref().map(Payload::as_json));
            self.run(tables::PUBLISH, params![episode.key, texts[0], texts[1], texts[2]])?;
        }
        Ok(())
    }

    /// Counts the instance where it stands now, and lets queries find it there; until when it is kept,
    /// if it has ended and is not kept for ever.
    pub(super) fn move_on(&mut self, episode: &WrittenEpisode<'_>) -> Result<Option<Timestamp>, Trouble> {
        let WrittenEpisode { key, was, name, change, .. } = *episode;
        if was == change.status {
            return Ok(None);
        }
        self.tally.count(was, name, -1);
        self.tally.count(change.status, name, 1);
        let shelf = rows::shelf_number(change.status);
        if !change.status.is_terminal() {
            if shelf != rows::shelf_number(was) {
                self.run(tables::SHELVE, [key, shelf])?;
            }
            return Ok(None);
        }
        let usually = self.retention.map(rows::retention_number);
        let values = params![key, shelf, change.updated_at.as_microseconds(), usually];
        let mut end = self.connection()?.prepare_cached(tables::END)?;
        let purge_at: Option<Option<i64>> = end.query_row(values, |row| row.get(0)).optional()?;
        Ok(purge_at.flatten().map(Timestamp::from_microseconds))
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
