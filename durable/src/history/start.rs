//! How an execution begins: asked for by a client, or by another orchestration.
//!
//! Everything here follows from what is recorded, so that a start that is sent twice is the same start.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventId, HistoryEvent};
use crate::model::{EntityId, ExecutionId, FunctionName, FunctionVersion, InstanceId, Payload, Timestamp};

/// The namespace of ids that follow from an execution: the one that Durable Functions uses (R1:CC-5).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x9e95_2958_5e33_4daf_827f_2fa1_2937_b875);

/// How an execution began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionStarted {
    /// The orchestrator to run.
    pub name: FunctionName,
    /// Which version of it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<FunctionVersion>,
    /// Its input.
    pub input: Payload,
    /// Whose execution this is.
    pub instance: InstanceId,
    /// The execution's id.
    pub execution: ExecutionId,
    /// How often the instance id was created anew before.
    #[serde(default)]
    pub generation: u32,
    /// What the instance was tagged with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it may begin, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_start: Option<Timestamp>,
    /// How long after its end the instance is kept, if it is not to be kept as its hub keeps others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention: Option<Duration>,
    /// The orchestration that called it and waits for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<ParentInstance>>,
    /// The engine behaviour the execution was begun under ([`BEHAVIOUR`](super::BEHAVIOUR)); 0 in histories
    /// that somebody else wrote.
    #[serde(default)]
    pub behaviour: u32,
}

/// Who waits for a sub-orchestration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentInstance {
    /// The orchestrator that called.
    pub name: FunctionName,
    /// Its instance.
    pub instance: InstanceId,
    /// Its execution; the answer goes to no other.
    pub execution: ExecutionId,
    /// The action that called.
    pub task: EventId,
}

/// Another orchestration, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubOrchestration {
    /// The orchestrator to run.
    pub name: FunctionName,
    /// Which version of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<FunctionVersion>,
    /// With what.
    pub input: Payload,
    /// Under which id.
    pub instance: InstanceId,
    /// What it is tagged with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// When it may begin, if not at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_start: Option<Timestamp>,
    /// Whether it was only started: nobody waits for it, and it answers to nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_detached: bool,
}

impl ExecutionStarted {
    /// How the sub-orchestration begins that this execution asked for with action `task`. Its
    /// execution id follows from the parent's, so that a second delivery is recognised.
    #[must_use]
    pub fn of_child(&self, task: EventId, child: &SubOrchestration) -> Self {
        let parent = ParentInstance {
            name: self.name.clone(),
            instance: self.instance.clone(),
            execution: self.execution.clone(),
            task,
        };
        Self {
            name: child.name.clone(),
            version: child.version.clone(),
            input: child.input.clone(),
            instance: child.instance.clone(),
            execution: self.derived_execution(&format!("child {task}")),
            generation: 0,
            tags: child.tags.clone(),
            scheduled_start: child.scheduled_start,
            retention: None,
            parent: (!child.is_detached).then(|| Box::new(parent)),
            behaviour: super::BEHAVIOUR,
        }
    }

    /// How an entity begins, which every one does with the first message to it (R2:ENT-41). It has one
    /// execution for ever, and no input: what is kept of it takes its place.
    #[must_use]
    pub fn of_entity(entity: &EntityId) -> Self {
        let execution = Uuid::new_v5(&NAMESPACE, entity.as_str().as_bytes()).simple().to_string();
        Self {
            name: entity.name().into(),
            version: None,
            input: Payload::null(),
            instance: entity.instance(),
            execution: ExecutionId::new(execution),
            generation: 0,
            tags: BTreeMap::new(),
            scheduled_start: None,
            retention: None,
            parent: None,
            behaviour: super::BEHAVIOUR,
        }
    }

    /// Whether both were begun for the same call: they are the same execution, or one was continued as the
    /// other for a parent that waits for whichever is the last.
    #[must_use]
    pub fn is_same_call(&self, other: &Self) -> bool {
        self.execution == other.execution || (self.parent.is_some() && self.parent == other.parent)
    }

    /// The id of an execution that follows from this one.
    pub fn derived_execution(&self, what: &str) -> ExecutionId {
        let name = format!("{}_{}_{what}", self.instance, self.execution);
        ExecutionId::new(Uuid::new_v5(&NAMESPACE, name.as_bytes()).simple().to_string())
    }
}

impl ParentInstance {
    /// The message that brings the parent what its call came to.
    pub fn answer(&self, event: HistoryEvent) -> super::TaskMessage {
        super::TaskMessage {
            instance: self.instance.clone(),
            execution: Some(self.execution.clone()),
            event,
            visible_at: None,
        }
    }
}
