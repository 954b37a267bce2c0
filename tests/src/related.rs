//! What must hold between instances, however often their process was killed: of parents, their children,
//! and what each was told of the other.
//!
//! Written against the field's rules, not against the engine: it shares no code with it. Begin with
//! [`related`].

use std::collections::BTreeMap;

use durable::{
    history::{EventId, EventKind, History, SubOrchestration},
    model::{FailureKind, InstanceId, InstanceState, RuntimeStatus},
};

/// Every instance of a hub.
pub type Instances = BTreeMap<InstanceId, (InstanceState, History)>;

/// What does not fit together.
#[derive(Debug, thiserror::Error)]
#[error("`{parent}` and `{child}`: {what}")]
pub struct Unrelated {
    parent: InstanceId,
    child: InstanceId,
    what: String,
}

/// Checks that whom an instance begot is there and knows its parent, unless nobody waits for it; that a
/// parent was told what became of its child; and that the parent of every child is there. Gives how many
/// children were looked at.
///
/// Nothing must be live, and nothing purged.
///
/// # Errors
/// The first pair that does not fit.
pub fn related(instances: &Instances) -> Result<usize, Unrelated> {
    let mut children = 0;
    for (id, (state, history)) in instances {
        if let Some(parent) = history.started().and_then(|started| started.parent.as_deref()) {
            let what = || "the child's parent is not there".to_owned();
            let is_there = instances.contains_key(&parent.instance);
            is_there.then_some(()).ok_or_else(|| unrelated(&parent.instance, id, what()))?;
        }
        for (task, child) in begotten(history) {
            children += 1;
            let found = instances.get(&child.instance);
            let checked = match found {
                Some((of_child, its_history)) => {
                    knows_parent(state, task, child, its_history).and_then(|()| told(history, task, of_child))
                }
                None => Err("the child is not there".to_owned()),
            };
            checked.map_err(|what| unrelated(id, &child.instance, what))?;
        }
    }
    Ok(children)
}

fn unrelated(parent: &InstanceId, child: &InstanceId, what: String) -> Unrelated {
    Unrelated { parent: parent.clone(), child: child.clone(), what }
}

/// The children of an execution, of those under one id the last: it has taken the place of the others.
fn begotten(history: &History) -> Vec<(EventId, &SubOrchestration)> {
    let mut by_id = BTreeMap::new();
    for event in history.events() {
        if let EventKind::SubOrchestrationInstanceCreated(child) = &event.kind {
            by_id.insert(&child.instance, (event.id, &**child));
        }
    }
    by_id.into_values().collect()
}

fn knows_parent(
    parent: &InstanceState,
    task: EventId,
    child: &SubOrchestration,
    its_history: &History,
) -> Result<(), String> {
    // One that was ended before it began says nothing.
    let Some(started) = its_history.started() else { return Ok(()) };
    match started.parent.as_deref() {
        None if child.is_detached => Ok(()),
        Some(found) if child.is_detached => Err(format!("it was detached, and answers `{}`", found.instance)),
        None => Err("the child knows no parent".into()),
        Some(found) => {
            let knows = (&found.instance, &found.execution, found.task);
            let is = (&parent.instance_id, &parent.execution_id, task);
            if knows == is {
                Ok(())
            } else {
                Err(format!("the child answers {knows:?}, and was called by {is:?}"))
            }
        }
    }
}

/// The parent was told how its child ended, or ended before.
fn told(history: &History, task: EventId, child: &InstanceState) -> Result<(), String> {
    use RuntimeStatus::{Completed, Failed, Terminated};
    let answer = history.events().iter().find(|event| event.kind.answers() == Some(task));
    match answer.map(|event| &event.kind) {
        Some(EventKind::SubOrchestrationInstanceCompleted { result, .. }) => {
            let is_so = child.runtime_status == Completed && *result == child.output;
            is_so.then_some(()).ok_or_else(|| format!("the parent was told {result:?} of {child:?}"))
        }
        Some(EventKind::SubOrchestrationInstanceFailed { failure, .. }) => {
            let is_so = match child.runtime_status {
                Failed => true,
                Terminated => failure.kind() == FailureKind::Terminated,
                _ => failure.kind() == FailureKind::IdTaken,
            };
            is_so.then_some(()).ok_or_else(|| format!("the parent was told {failure} of {child:?}"))
        }
        Some(other) => Err(format!("`{}` answers for the child", other.name())),
        None if child.runtime_status.is_terminal() => Ok(()),
        None => Err("the child is live".into()),
    }
}
