//! Which version of an orchestrator continues which instance.
//!
//! An instance keeps the version it was started under for life; the rule says which function of this
//! process may run it. Begin with [`VersionMatch`].

use std::cmp::Ordering;

use super::{Functions, OrchestratorFn, Registry};
use crate::model::{FunctionName, FunctionVersion};

/// With which versions of an orchestrator a worker runs an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum VersionMatch {
    /// Only with the function of exactly the instance's version, and an unversioned instance only with
    /// an unversioned function.
    #[default]
    Exact,
    /// Without such a function, with the oldest one that is newer: for code that knows older versions
    /// and asks [`version`](crate::context::OrchestrationContext::version) which one it runs for. An
    /// unversioned instance is older than every version. Numbers in versions compare as numbers
    /// (`1.9` is older than `1.10`), the rest as text.
    CurrentOrOlder,
}

impl Registry {
    /// The orchestrator that runs the instances of `name` and `version` by `rule`.
    pub fn orchestrator_for(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
        rule: VersionMatch,
    ) -> Option<&OrchestratorFn> {
        let exact = self.orchestrator(name, version);
        match rule {
            VersionMatch::Exact => exact,
            VersionMatch::CurrentOrOlder => exact.or_else(|| self.next_newer(name, version)),
        }
    }

    fn next_newer(&self, name: &FunctionName, version: Option<&FunctionVersion>) -> Option<&OrchestratorFn> {
        let newer = |known: &FunctionVersion| version.is_none_or(|version| age(known, version).is_gt());
        let versions = self.orchestrators.get(name)?.iter();
        let named = versions.filter_map(|(known, registered)| Some((known.as_ref()?, registered)));
        let newer = named.filter(|(known, _)| newer(known));
        newer.min_by(|(one, _), (other, _)| age(one, other)).map(|(_, registered)| &registered.function)
    }

    /// The versions there are of the orchestrator `name`; `None` for an unversioned one.
    pub fn orchestrator_versions(
        &self,
        name: &FunctionName,
    ) -> impl Iterator<Item = &Option<FunctionVersion>> {
        versions(&self.orchestrators, name)
    }

    /// The versions there are of the activity `name`; `None` for an unversioned one.
    pub fn activity_versions(&self, name: &FunctionName) -> impl Iterator<Item = &Option<FunctionVersion>> {
        versions(&self.activities, name)
    }
}

fn versions<'a, F>(
    functions: &'a Functions<F>,
    name: &FunctionName,
) -> impl Iterator<Item = &'a Option<FunctionVersion>> {
    functions.get(name).into_iter().flat_map(|versions| versions.keys())
}

/// Which of two versions is the newer one.
fn age(one: &FunctionVersion, other: &FunctionVersion) -> Ordering {
    runs(one.as_str()).cmp(runs(other.as_str()))
}

/// A version cut where digits begin and end; numbers come before other text.
fn runs(version: &str) -> impl Iterator<Item = (u8, u64, &str)> {
    let cuts = |one: &str| one.chars().next().is_some_and(|first| first.is_ascii_digit());
    let mut rest = version;
    std::iter::from_fn(move || {
        let is_number = cuts(rest);
        let end = rest.find(|next: char| next.is_ascii_digit() != is_number).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        rest = after;
        // A number too large to compare as one is compared as text.
        match run.parse() {
            Ok(number) if is_number => Some((0, number, "")),
            _ => (!run.is_empty()).then_some((1, 0, run)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_versions_compare_as_numbers() {
        let ordered = ["1", "1.9", "1.10", "1.10.1", "2", "10", "v2", "v10"];
        for pair in ordered.windows(2) {
            assert_eq!(age(&pair[0].into(), &pair[1].into()), Ordering::Less, "{pair:?}");
        }
        assert_eq!(age(&"2.0".into(), &"2.0".into()), Ordering::Equal);
        assert_eq!(age(&"".into(), &"1".into()), Ordering::Less);
    }
}
