//! Instances whose orchestrator this worker has not, or not in their version.
//!
//! They are left alone, and that is said; or they fail, where the worker is told so. Begin with [`settle`].

use super::{
    Host, MissingVersion,
    orchestrations::{fail, rest_after},
};
use crate::{
    history::ExecutionStarted,
    model::{Failure, FailureKind, FunctionName, FunctionVersion},
    provider::{OrchestrationWorkItem, ProviderError},
};

/// Gives the item back, or fails its instance.
pub(super) async fn settle(
    host: &Host,
    item: OrchestrationWorkItem,
    started: &ExecutionStarted,
) -> Result<(), ProviderError> {
    let ExecutionStarted { name, version, .. } = started;
    let known = in_words(host.registry.orchestrator_versions(name));
    let instance = &item.instance;
    let Some(known) = known else {
        tracing::warn!(
            %instance, %name, ?version,
            "this worker has no such orchestrator; the instance waits for one that has it (is its crate linked? \
             `use that_crate as _;`)"
        );
        let rest = rest_after(item.attempt);
        return host.provider.abandon_orchestration(item, rest).await;
    };
    match host.options.missing_version {
        MissingVersion::LeaveAlone => {
            tracing::warn!(
                %instance, %name, ?version, known,
                "this worker has the orchestrator, but not in this version; the instance waits for a worker that has it"
            );
            let rest = rest_after(item.attempt);
            host.provider.abandon_orchestration(item, rest).await
        }
        MissingVersion::Fail => {
            let failure = missing_version("orchestrator", name, version.as_ref(), &known);
            tracing::error!(%instance, %failure, "an instance fails, since this worker lacks its version");
            fail(host, item, failure).await
        }
    }
}

/// The failure of a function that is there, but not in the version that is asked for.
pub(super) fn missing_version(
    kind: &str,
    name: &FunctionName,
    version: Option<&FunctionVersion>,
    known: &str,
) -> Failure {
    let asked =
        version.map_or_else(|| "without a version".to_owned(), |version| format!("in version `{version}`"));
    let message = format!(
        "this worker has no {kind} `{name}` {asked}, only {known}; register that version, or run a worker that has it"
    );
    Failure::of_kind(FailureKind::UnknownFunction, "UnknownVersion", message)
}

/// Versions as a list for people; `None` when there are none.
pub(super) fn in_words<'a>(versions: impl Iterator<Item = &'a Option<FunctionVersion>>) -> Option<String> {
    let word = |version: &Option<FunctionVersion>| match version {
        Some(version) => format!("version `{version}`"),
        None => "one without a version".to_owned(),
    };
    let words: Vec<_> = versions.map(word).collect();
    (!words.is_empty()).then(|| words.join(", "))
}
