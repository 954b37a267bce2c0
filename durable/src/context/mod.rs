//! What function authors hold: the verbs of an orchestrator and of an activity.

mod activity;
mod combine;
mod http;
mod orchestration;
mod orchestrations;
mod timeout;

pub use activity::ActivityContext;
pub use http::HttpTask;
pub use orchestration::OrchestrationContext;
pub use timeout::{Elapsed, Timeout, WaitWithin};
