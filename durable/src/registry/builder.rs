//! Filling a registry.

use std::{fmt, panic::Location, sync::Arc};

use super::{
    ActivityFn, Definition, Duplicate, FunctionKind, Functions, OrchestratorFn, Registered, Registration,
    Registry, RegistryError,
    entity::{self, EntityFn, EntityFunction},
    handler::erased,
    registration::Code,
};
use crate::{
    context::{ActivityContext, EntityContext, OrchestrationContext},
    model::{Failure, FunctionName, FunctionVersion, Storable},
};

/// Collects functions; [`build`](Self::build) refuses names that clash.
#[derive(Default)]
#[must_use = "nothing is registered until `build` makes the registry"]
pub struct RegistryBuilder {
    registry: Registry,
    duplicates: Vec<Duplicate>,
}

impl RegistryBuilder {
    /// Adds an annotated function: `.add::<say_hello>()`.
    pub fn add<D: Definition>(self) -> Self {
        self.register(&D::REGISTRATION)
    }

    /// Adds every annotated function that is linked into this program.
    pub fn discover(self) -> Self {
        // Link order is no order: sorted, a clash always names its places the same way round.
        let mut found: Vec<_> = inventory::iter::<Registration>.into_iter().collect();
        found.sort_by_key(|registration| (registration.kind(), registration.name, registration.place));
        found.into_iter().fold(self, Self::register)
    }

    /// Adds a closure as the activity `name`.
    #[track_caller]
    pub fn activity<I, O, E, F, Fut>(self, name: impl Into<FunctionName>, function: F) -> Self
    where
        F: Fn(ActivityContext, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
        I: Storable,
        O: Storable,
        E: Into<Failure> + 'static,
    {
        let name = name.into();
        let function: ActivityFn = Arc::new(erased(name.clone(), function));
        self.add_activity(name, None, function, here(Location::caller()))
    }

    /// Adds a closure as the orchestrator `name`.
    #[track_caller]
    pub fn orchestrator<I, O, E, F, Fut>(self, name: impl Into<FunctionName>, function: F) -> Self
    where
        F: Fn(OrchestrationContext, I) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<O, E>> + Send + 'static,
        I: Storable,
        O: Storable,
        E: Into<Failure> + 'static,
    {
        let name = name.into();
        let function: OrchestratorFn = Arc::new(erased(name.clone(), function));
        self.add_orchestrator(name, None, function, here(Location::caller()))
    }

    /// Adds a closure as the entity `name` in the function syntax: it asks its context for the operation,
    /// and keeps the state by hand (R3:ENT-3). The name ignores case.
    #[track_caller]
    pub fn entity<E, F, Fut>(self, name: impl AsRef<str>, function: F) -> Self
    where
        F: Fn(EntityContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Failure> + 'static,
    {
        let name = name.as_ref().to_lowercase().into();
        self.add_entity(name, function_entity(entity::erased(function)), here(Location::caller()))
    }

    /// The finished registry.
    ///
    /// # Errors
    /// When two functions of one kind have the same name and version; names all such pairs.
    pub fn build(mut self) -> Result<Registry, RegistryError> {
        if self.duplicates.is_empty() {
            return Ok(self.registry);
        }
        self.duplicates.sort();
        Err(RegistryError::new(self.duplicates))
    }

    fn register(self, registration: &Registration) -> Self {
        let name = FunctionName::literal(registration.name);
        let version = registration.version.map(FunctionVersion::literal);
        let place = registration.place.to_owned();
        match registration.code {
            Code::Orchestrator(code) => self.add_orchestrator(name, version, Arc::new(code), place),
            Code::Activity(code) => self.add_activity(name, version, Arc::new(code), place),
            Code::Entity(code) => self.add_entity(name, Arc::new(code), place),
            Code::EntityFunction(code) => self.add_entity(name, function_entity(Arc::new(code)), place),
        }
    }

    fn add_orchestrator(
        mut self,
        name: FunctionName,
        version: Option<FunctionVersion>,
        function: OrchestratorFn,
        place: String,
    ) -> Self {
        let clash = insert(&mut self.registry.orchestrators, &name, &version, Registered { function, place });
        self.note(FunctionKind::Orchestrator, name, version, clash)
    }

    fn add_activity(
        mut self,
        name: FunctionName,
        version: Option<FunctionVersion>,
        function: ActivityFn,
        place: String,
    ) -> Self {
        let clash = insert(&mut self.registry.activities, &name, &version, Registered { function, place });
        self.note(FunctionKind::Activity, name, version, clash)
    }

    fn add_entity(mut self, name: FunctionName, function: EntityFn, place: String) -> Self {
        let clash = insert(&mut self.registry.entities, &name, &None, Registered { function, place });
        self.note(FunctionKind::Entity, name, None, clash)
    }

    fn note(
        mut self,
        kind: FunctionKind,
        name: FunctionName,
        version: Option<FunctionVersion>,
        clash: Option<(String, String)>,
    ) -> Self {
        let duplicate = clash.map(|(first, second)| Duplicate { kind, name, version, first, second });
        self.duplicates.extend(duplicate);
        self
    }
}

fn function_entity(code: EntityFunction) -> EntityFn {
    Arc::new(move |home| entity::function(home, code.clone()))
}

/// Adds a function, or gives the places of the one that is there and the one that came.
fn insert<F>(
    functions: &mut Functions<F>,
    name: &FunctionName,
    version: &Option<FunctionVersion>,
    registered: Registered<F>,
) -> Option<(String, String)> {
    let versions = functions.entry(name.clone()).or_default();
    if let Some(known) = versions.get(version) {
        return Some((known.place.clone(), registered.place));
    }
    versions.insert(version.clone(), registered);
    None
}

fn here(place: &Location<'_>) -> String {
    format!("{}:{}", place.file(), place.line())
}

impl fmt::Debug for RegistryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.registry, f)
    }
}
