//! Which instances are meant, and how many of them are told at a time.
//!
//! Must not know how a store finds them. Begin with [`InstanceFilter`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::PageToken;
use crate::model::{FunctionName, InstanceState, Payload, RuntimeStatus, Timestamp};

/// Which instances are meant: those that all of it fits. Empty, it fits every instance (R2:MGT-36,
/// MGT-39; R4:MGMT-54 to 58). Entities are no instances in this sense.
///
/// ```
/// use durable::prelude::*;
///
/// let failed_orders = InstanceFilter::new().status(RuntimeStatus::Failed).id_prefix("order-").tag("shop", "7");
/// # let _ = failed_orders;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InstanceFilter {
    /// Where it stands: any of these; anywhere when there are none.
    pub statuses: BTreeSet<RuntimeStatus>,
    /// Created at this time or later (DECISIONS 2).
    pub created_from: Option<Timestamp>,
    /// Created at this time or earlier.
    pub created_to: Option<Timestamp>,
    /// What it runs, exactly (DECISIONS 7).
    pub name: Option<FunctionName>,
    /// How its id begins, exactly.
    pub id_prefix: Option<String>,
    /// Tags that it has, all of them.
    pub tags: BTreeMap<String, String>,
}

impl InstanceFilter {
    /// Fits every instance.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fits this status, besides those named before.
    #[must_use]
    pub fn status(mut self, status: RuntimeStatus) -> Self {
        self.statuses.insert(status);
        self
    }

    /// Fits any of these statuses, besides those named before.
    #[must_use]
    pub fn statuses(mut self, statuses: impl IntoIterator<Item = RuntimeStatus>) -> Self {
        self.statuses.extend(statuses);
        self
    }

    /// Fits what was created at `time` or later.
    #[must_use]
    pub fn created_from(mut self, time: Timestamp) -> Self {
        self.created_from = Some(time);
        self
    }

    /// Fits what was created at `time` or earlier.
    #[must_use]
    pub fn created_to(mut self, time: Timestamp) -> Self {
        self.created_to = Some(time);
        self
    }

    /// Fits orchestrations of this orchestrator.
    #[must_use]
    pub fn name(mut self, name: impl Into<FunctionName>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Fits ids that begin with `prefix`.
    #[must_use]
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.id_prefix = Some(prefix.into());
        self
    }

    /// Fits what was started with this tag, besides those named before.
    #[must_use]
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(key.into(), value.into());
        self
    }

    /// Whether it fits an instance at `status`.
    pub fn fits_status(&self, status: RuntimeStatus) -> bool {
        self.statuses.is_empty() || self.statuses.contains(&status)
    }

    /// Whether it fits an instance created at `time`.
    pub fn fits_created(&self, time: Timestamp) -> bool {
        self.created_from.is_none_or(|from| from <= time) && self.created_to.is_none_or(|to| time <= to)
    }

    /// Whether it fits an instance with this id, by its beginning.
    pub fn fits_id(&self, id: &str) -> bool {
        self.id_prefix.as_ref().is_none_or(|prefix| id.starts_with(prefix.as_str()))
    }

    /// Whether it fits `state`.
    pub fn fits(&self, state: &InstanceState) -> bool {
        self.fits_status(state.runtime_status)
            && self.fits_created(state.created_time)
            && self.fits_id(state.instance_id.as_str())
            && self.name.as_ref().is_none_or(|name| *name == state.name)
            && self.tags.iter().all(|(key, value)| state.tags.get(key) == Some(value))
    }
}

/// One page of the instances that a filter fits: `InstanceQuery::of(filter).page_size(20)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceQuery {
    /// Which instances.
    pub filter: InstanceFilter,
    /// How many at most, from 1 to [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE).
    pub page_size: usize,
    /// Where the page before ended; absent for the first.
    pub after: Option<PageToken>,
    /// Whether inputs and outputs are wanted.
    pub payloads: Payloads,
}

/// Whether a query tells inputs, outputs and custom statuses, which may be large (R4:MGMT-47).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Payloads {
    /// It does.
    #[default]
    Told,
    /// They are all `null`.
    LeftOut,
}

impl InstanceQuery {
    /// How many instances a page has, unless told otherwise.
    pub const USUAL_PAGE_SIZE: usize = 100;
    /// The most a page has.
    pub const MAX_PAGE_SIZE: usize = 1_000;

    /// The first page of all instances.
    pub fn new() -> Self {
        Self::of(InstanceFilter::new())
    }

    /// The first page of the instances that `filter` fits.
    pub fn of(filter: InstanceFilter) -> Self {
        Self { filter, page_size: Self::USUAL_PAGE_SIZE, after: None, payloads: Payloads::default() }
    }

    /// Asks for at most this many; the nearest of 1 and [`MAX_PAGE_SIZE`](Self::MAX_PAGE_SIZE) when it
    /// is beyond.
    #[must_use]
    pub fn page_size(mut self, most: usize) -> Self {
        self.page_size = most.clamp(1, Self::MAX_PAGE_SIZE);
        self
    }

    /// Asks for the page after the one that gave `token`. The filter must be the same.
    #[must_use]
    pub fn after(mut self, token: impl Into<PageToken>) -> Self {
        self.after = Some(token.into());
        self
    }

    /// Leaves out inputs, outputs and custom statuses (R2:MGT-12).
    #[must_use]
    pub fn without_payloads(mut self) -> Self {
        self.payloads = Payloads::LeftOut;
        self
    }
}

impl Default for InstanceQuery {
    fn default() -> Self {
        Self::new()
    }
}

impl From<InstanceFilter> for InstanceQuery {
    fn from(filter: InstanceFilter) -> Self {
        Self::of(filter)
    }
}

impl Payloads {
    /// Leaves out of `state` what is not wanted.
    #[must_use]
    pub fn of(self, mut state: InstanceState) -> InstanceState {
        if self == Self::LeftOut {
            for payload in [&mut state.input, &mut state.output, &mut state.custom_status] {
                *payload = Payload::null();
            }
        }
        state
    }
}

/// Some of the instances that a query asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The instances, without their histories.
    pub instances: Vec<InstanceState>,
    /// Where the next page begins; absent when this is the last. While it is there, more may come,
    /// even if this page is short or empty: a store looks only so far for one page.
    pub next: Option<PageToken>,
}

/// How many instances stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts(BTreeMap<RuntimeStatus, u64>);

impl StatusCounts {
    /// How many instances are at `status`.
    pub fn of(&self, status: RuntimeStatus) -> u64 {
        self.0.get(&status).copied().unwrap_or(0)
    }

    /// How many instances there are.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Every status with how many are there, in the order of a life.
    pub fn iter(&self) -> impl Iterator<Item = (RuntimeStatus, u64)> + '_ {
        RuntimeStatus::ALL.into_iter().map(|status| (status, self.of(status)))
    }
}

impl FromIterator<(RuntimeStatus, u64)> for StatusCounts {
    /// Adds up what is named more than once.
    fn from_iter<I: IntoIterator<Item = (RuntimeStatus, u64)>>(counts: I) -> Self {
        let mut all = Self::default();
        for (status, count) in counts {
            *all.0.entry(status).or_default() += count;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_at_least_one_instance_and_at_most_a_thousand() {
        let size = |most| InstanceQuery::new().page_size(most).page_size;
        assert_eq!([size(0), size(7), size(usize::MAX)], [1, 7, 1_000]);
        assert_eq!(InstanceQuery::new().page_size, 100);
    }

    #[test]
    fn counts_of_one_status_are_added_up() {
        let counts: StatusCounts =
            [(RuntimeStatus::Failed, 1), (RuntimeStatus::Completed, 2), (RuntimeStatus::Failed, 3)]
                .into_iter()
                .collect();
        assert_eq!((counts.of(RuntimeStatus::Failed), counts.of(RuntimeStatus::Pending)), (4, 0));
        assert_eq!((counts.total(), counts.iter().count()), (6, 6));
    }
}
