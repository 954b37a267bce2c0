//! What function authors hold: the verbs of an orchestrator and of an activity.

mod activity;
mod combine;
mod http;
mod orchestration;
mod orchestrations;
mod services;
mod timeout;

pub use activity::ActivityContext;
pub use http::HttpTask;
pub use orchestration::OrchestrationContext;
pub use services::Services;
pub use timeout::{Elapsed, Timeout, WaitWithin};
