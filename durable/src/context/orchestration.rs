//! The verbs of an orchestrator.

/// The verbs of an orchestrator; its first parameter.
#[derive(Debug)]
pub struct OrchestrationContext {
    _private: (),
}
