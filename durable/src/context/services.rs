//! What a worker lends to its activities: connections, clients, settings.
//!
//! By type, one value each. Must not know workers. Begin with [`Services::with`].

use std::{
    any::{Any, TypeId, type_name},
    collections::BTreeMap,
    fmt,
    sync::Arc,
};

use crate::model::{Failure, FailureKind};

/// Values that activities may ask for by their type. Cheap to clone.
#[derive(Clone, Default)]
pub struct Services(Arc<BTreeMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Services {
    /// These and `service`, which replaces another one of its type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, service: T) -> Self {
        Arc::make_mut(&mut self.0).insert(TypeId::of::<T>(), Arc::new(service));
        self
    }

    /// The one of type `T`.
    ///
    /// # Errors
    /// When there is none; names the type, and what to do.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, Failure> {
        let found = self.0.get(&TypeId::of::<T>()).cloned();
        found.and_then(|service| service.downcast().ok()).ok_or_else(|| {
            let message = format!(
                "this worker has no service of type `{}`; give it one: `hub.worker().service(..)`",
                type_name::<T>()
            );
            Failure::of_kind(FailureKind::Application, "MissingService", message)
        })
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("count", &self.0.len()).finish()
    }
}
