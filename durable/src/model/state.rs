//! What a query tells about an instance.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{ExecutionId, Failure, FunctionName, FunctionVersion, InstanceId, Payload, Timestamp};

/// Where an instance stands (R2:MGT, R4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RuntimeStatus {
    /// Accepted, not yet begun.
    Pending,
    /// Begun; perhaps waiting.
    Running,
    /// Halted from outside until it is resumed.
    Suspended,
    /// Returned a value, and nothing it asked for is open.
    Completed,
    /// Returned an error, panicked, or could not be replayed.
    Failed,
    /// Ended from outside.
    Terminated,
}

impl RuntimeStatus {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Suspended, Self::Completed, Self::Failed, Self::Terminated];

    /// Whether the instance has ended and will not change by itself.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Terminated => true,
            Self::Pending | Self::Running | Self::Suspended => false,
        }
    }

    /// The name as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Suspended => "Suspended",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Terminated => "Terminated",
        }
    }
}

impl fmt::Display for RuntimeStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`RuntimeStatus`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is not a status: use Pending, Running, Suspended, Completed, Failed or Terminated",
    .0.escape_debug()
)]
pub struct UnknownStatus(String);

impl FromStr for RuntimeStatus {
    type Err = UnknownStatus;

    /// Reads a status in any case (DECISIONS 24).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownStatus(text.into()))
    }
}

/// One instance as a query sees it (R1:QS-6, R4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InstanceState {
    /// The orchestrator's name.
    pub name: FunctionName,
    /// The orchestrator's version, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<FunctionVersion>,
    /// Which instance.
    pub instance_id: InstanceId,
    /// Its current execution.
    pub execution_id: ExecutionId,
    /// How often the id was created anew; 0 the first time.
    pub generation: u32,
    /// Where it stands.
    pub runtime_status: RuntimeStatus,
    /// What it was started with.
    pub input: Payload,
    /// What the orchestrator publishes about itself; `null` until it does (R1:CST-8).
    pub custom_status: Payload,
    /// What it returned, or the reason for which it is suspended or was terminated (R2:MGT-19); `null`
    /// otherwise.
    pub output: Payload,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When the start was accepted (DECISIONS 3).
    pub created_time: Timestamp,
    /// When it last made a checkpoint.
    pub last_updated_time: Timestamp,
    /// The time before which it is not begun, if one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_start: Option<Timestamp>,
    /// What it was tagged with at the start.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl InstanceState {
    /// The state of an instance that was accepted at `created`, and not yet begun.
    pub fn pending(
        instance_id: InstanceId,
        execution_id: ExecutionId,
        name: FunctionName,
        input: Payload,
        created: Timestamp,
    ) -> Self {
        Self {
            name,
            version: None,
            instance_id,
            execution_id,
            generation: 0,
            runtime_status: RuntimeStatus::Pending,
            input,
            custom_status: Payload::null(),
            output: Payload::null(),
            failure: None,
            created_time: created,
            last_updated_time: created,
            scheduled_start: None,
            tags: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R4:MGMT-144, R4:MGMT-161; DECISIONS 24
    #[test]
    fn a_status_is_read_in_any_case() {
        for status in RuntimeStatus::ALL {
            assert_eq!(status.as_str().to_uppercase().parse(), Ok(status));
        }
        assert!("Done".parse::<RuntimeStatus>().is_err());
    }
}
