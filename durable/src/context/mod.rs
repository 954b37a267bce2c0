//! What function authors hold: the verbs of an orchestrator, an activity and an entity.

mod activity;
mod combine;
mod entities;
mod entity;
mod entity_state;
mod http;
mod orchestration;
mod orchestrations;
mod services;
mod timeout;

pub use activity::ActivityContext;
pub use entities::{CriticalSection, Locking};
pub(crate) use entity::EffectsOf;
pub use entity::{EntityContext, EntityHome};
pub(crate) use entity_state::FunctionState;
pub use http::HttpTask;
pub use orchestration::OrchestrationContext;
pub use services::Services;
pub use timeout::{Elapsed, Timeout, WaitWithin};
