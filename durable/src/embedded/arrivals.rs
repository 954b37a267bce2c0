//! What other processes leave in a hub file for the worker's.
//!
//! Must not know the queue. Begin with [`FileStore::take_announced`].

use super::{
    error::Trouble,
    file::FileStore,
    reading,
    rows::{Key, Row},
    store::Arrival,
    tables,
};
use crate::provider::ProviderErrorKind;

impl FileStore {
    /// Takes what was announced.
    pub(super) fn take_announced(&mut self) -> Result<Vec<Arrival>, Trouble> {
        let announced: Vec<(Key, Option<Row>)> = {
            let mut statement = self.connection()?.prepare_cached(tables::READ_ARRIVALS)?;
            let found = statement.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
            found.collect::<Result<_, _>>()?
        };
        if announced.is_empty() {
            return Ok(Vec::new());
        }
        self.run(tables::DELETE_ARRIVALS, ())?;
        let mut arrivals = Vec::new();
        for (key, message) in announced {
            match self.arrival(key, message) {
                Err(trouble) if matches!(trouble.kind, ProviderErrorKind::Corrupt(_)) => {
                    // What cannot be read must not keep everything else from being written.
                    let error = trouble.on("take in an arrival at", self.place.path().display().to_string());
                    tracing::error!(%error, "it stays where it is");
                }
                arrival => arrivals.extend(arrival?),
            }
        }
        Ok(arrivals)
    }

    fn arrival(&mut self, key: Key, message: Option<Row>) -> Result<Option<Arrival>, Trouble> {
        let connection = self.connection()?;
        let Some(head) = reading::head(connection, key)? else { return Ok(None) };
        let Some(row) = message else {
            let started = reading::started(connection, key)
                .map_err(|trouble| trouble.at(|| format!("instance `{}`", head.id)))?;
            return Ok(Some(Arrival::Instance { head, started }));
        };
        let stored = reading::messages(connection, tables::READ_MESSAGE, &[&row])?.pop();
        let message = stored.filter(|stored| stored.generation == head.generation).map(|stored| {
            stored.read(&head.id).map_err(|trouble| trouble.at(|| format!("a message to `{}`", head.id)))
        });
        Ok(message.transpose()?.map(|message| Arrival::Message { key, row, message }))
    }
}
