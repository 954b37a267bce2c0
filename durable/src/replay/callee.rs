//! What can be called and answers: an activity, or another orchestration.
//!
//! Says how a call is recorded; must not know contexts or policies. Begin with [`Callee`].

use std::collections::BTreeMap;

use super::{journal::TaskKind, task::Subject};
use crate::{
    history::{BEHAVIOUR, EventId, EventKind, ExecutionStarted, SubOrchestration},
    model::{ExecutionId, FunctionName, FunctionVersion, InstanceId, Payload, Timestamp},
};

/// What is called, with what.
#[derive(Debug, Clone)]
pub enum Callee {
    /// An activity.
    Activity {
        /// Which one.
        name: FunctionName,
        /// Which version of it.
        version: Option<FunctionVersion>,
        /// With what.
        input: Payload,
    },
    /// Another orchestration.
    Orchestration(Box<Child>),
}

/// Another orchestration, before it has an id.
#[derive(Debug, Clone)]
pub struct Child {
    /// The orchestrator to run.
    pub name: FunctionName,
    /// Which version of it.
    pub version: Option<FunctionVersion>,
    /// With what.
    pub input: Payload,
    /// Under which id; absent means one that follows from the call (R1:SUB-8).
    pub instance: Option<InstanceId>,
    /// What it is tagged with.
    pub tags: BTreeMap<String, String>,
    /// When it may begin, if not at once.
    pub scheduled_start: Option<Timestamp>,
}

impl Callee {
    /// The activity `name`, in no particular version.
    pub fn activity(name: impl Into<FunctionName>, input: Payload) -> Self {
        Self::Activity { name: name.into(), version: None, input }
    }

    /// The function's name.
    pub fn name(&self) -> &FunctionName {
        match self {
            Self::Activity { name, .. } => name,
            Self::Orchestration(child) => &child.name,
        }
    }

    pub(super) fn task(&self) -> TaskKind {
        match self {
            Self::Activity { .. } => TaskKind::Activity,
            Self::Orchestration(_) => TaskKind::SubOrchestration,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        match self {
            Self::Activity { name, .. } => Subject::Activity(name.clone()),
            Self::Orchestration(child) => Subject::Orchestration(child.name.clone()),
        }
    }

    /// What history keeps of the call, if it is action `id` of the execution `caller`.
    pub(super) fn into_kind(self, caller: &ExecutionStarted, id: EventId) -> EventKind {
        match self {
            Self::Activity { name, version, input } => EventKind::TaskScheduled { name, version, input },
            Self::Orchestration(child) => child.into_kind(caller, id, false),
        }
    }
}

impl Child {
    /// The instance's id, if it is asked for by action `id` of `execution`.
    pub(super) fn instance_under(&self, execution: &ExecutionId, id: EventId) -> InstanceId {
        self.instance.clone().unwrap_or_else(|| InstanceId::of_child(execution, id.as_i32()))
    }

    /// How the execution begins that takes the place of `before`: the same instance, with what was
    /// asked for, and the same parent if somebody waits for it.
    pub(super) fn into_next(self, before: &ExecutionStarted) -> ExecutionStarted {
        let mut tags = before.tags.clone();
        tags.extend(self.tags);
        ExecutionStarted {
            name: self.name,
            version: self.version,
            input: self.input,
            execution: before.derived_execution("next"),
            tags,
            scheduled_start: None,
            behaviour: BEHAVIOUR,
            ..before.clone()
        }
    }

    pub(super) fn into_kind(self, caller: &ExecutionStarted, id: EventId, is_detached: bool) -> EventKind {
        let instance = self.instance_under(&caller.execution, id);
        let Self { name, version, input, tags, scheduled_start, .. } = self;
        EventKind::SubOrchestrationInstanceCreated(Box::new(SubOrchestration {
            name,
            version,
            input,
            instance,
            tags,
            scheduled_start,
            is_detached,
        }))
    }
}
