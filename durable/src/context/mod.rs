//! What function authors hold: the verbs of an orchestrator and of an activity.

mod activity;
mod orchestration;
mod orchestrations;

pub use activity::ActivityContext;
pub use orchestration::OrchestrationContext;
