//! Queries on a hub in memory: what anybody may ask.
//!
//! Changes nothing, and must not know the queue. Begin with the [`Reader`] of a [`MemoryStore`].

use super::{
    entities::{self, FoundEntities},
    error::Trouble,
    memory::MemoryStore,
    place::{Among, Found, Listed, Position},
    rows,
    store::Reader,
};
use crate::{
    history::{ExecutionStarted, History, format},
    model::{InstanceId, InstanceState},
    provider::{EntityQuery, InstanceFilter, InstanceQuery, ProviderErrorKind, StatusCounts},
};

impl Reader for MemoryStore {
    fn state(&self, id: &InstanceId) -> Result<Option<InstanceState>, Trouble> {
        self.kept().state(id)
    }

    fn start(&self, id: &InstanceId) -> Result<ExecutionStarted, Trouble> {
        let kept = self.kept();
        let found = kept.keys.get(id).and_then(|key| kept.instances.get(key));
        let found = found.ok_or_else(|| Trouble::new(ProviderErrorKind::NotFound))?;
        rows::started_of(&found.started).cloned()
    }

    fn history(&self, id: &InstanceId) -> Result<Option<History>, Trouble> {
        let kept = self.kept();
        let Some(key) = kept.keys.get(id) else { return Ok(None) };
        let mut episodes = Vec::new();
        let mut next = kept.instances.get(key).and_then(|instance| instance.head.last);
        while let Some(episode) = next.and_then(|row| kept.history.get(&row)) {
            episodes.push(format::decode(&episode.events)?);
            next = episode.previous;
        }
        Ok(Some(History::new(episodes.into_iter().rev().flatten().collect())))
    }

    fn query(&self, query: &InstanceQuery, after: Option<&Position>) -> Result<Listed, Trouble> {
        self.kept().query(query, after)
    }

    fn ended(
        &self,
        filter: &InstanceFilter,
        most: usize,
        after: Option<&Position>,
    ) -> Result<Found, Trouble> {
        self.kept().look(filter, Among::Ended, most, after)
    }

    fn entities(&self, query: &EntityQuery, after: Option<&str>) -> Result<FoundEntities, Trouble> {
        entities::in_memory(&self.kept(), query, after)
    }

    fn counts(&self) -> Result<StatusCounts, Trouble> {
        Ok(self.kept().counts())
    }

    fn hub_exists(&self) -> Result<bool, Trouble> {
        Ok(self.kept().is_made)
    }
}
