//! The functions this process has, by name and version.
//!
//! Explicit registration is the base, link-time discovery feeds it. Knows nothing of work items or
//! stores. Begin with [`Registry::builder`].

mod builder;
mod entity;
mod error;
mod handler;
mod registration;
mod stored;
mod versions;

use std::{collections::BTreeMap, fmt};

pub use builder::RegistryBuilder;
pub use entity::EntityFn;
#[doc(hidden)]
pub use entity::{EntityCode, InterfaceCode, Operation, Running};
pub use error::{Duplicate, RegistryError};
pub use handler::{ActivityFn, OrchestratorFn};
pub use registration::{Definition, FunctionKind, Registration};
#[doc(hidden)]
pub use stored::{Arguments, output_of};
pub use versions::VersionMatch;

use crate::model::{FunctionName, FunctionVersion};

/// The functions a worker can run. Its order is that of the names, never that of registration.
///
/// Orchestrators, activities and entities have a name space each; several versions of one orchestrator or
/// activity stand side by side. Cloning shares the functions.
#[derive(Clone, Default)]
pub struct Registry {
    orchestrators: Functions<OrchestratorFn>,
    activities: Functions<ActivityFn>,
    /// Under their lower-case names, unversioned.
    entities: Functions<EntityFn>,
}

/// By name and version; the unversioned one first.
type Functions<F> = BTreeMap<FunctionName, BTreeMap<Option<FunctionVersion>, Registered<F>>>;

#[derive(Clone)]
struct Registered<F> {
    function: F,
    place: String,
}

impl Registry {
    /// A registry to be filled by hand.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// Every annotated function that is linked into this program (R1:QS-2).
    ///
    /// A crate of which no item is used contributes nothing, because it is not linked: `use
    /// that_crate as _;` links it.
    ///
    /// # Errors
    /// When two functions of one kind have the same name and version; names both places.
    pub fn discover() -> Result<Self, RegistryError> {
        Self::builder().discover().build()
    }

    /// The same registry with another function for the activity `name`, in each of its versions.
    #[must_use]
    pub fn with_activity(mut self, name: impl Into<FunctionName>, function: ActivityFn) -> Self {
        let versions = self.activities.entry(name.into()).or_default();
        for registered in versions.values_mut() {
            registered.function = function.clone();
        }
        versions.entry(None).or_insert(Registered { function, place: "a replacement".into() });
        self
    }

    /// The orchestrator of exactly this name and version.
    pub fn orchestrator(
        &self,
        name: &FunctionName,
        version: Option<&FunctionVersion>,
    ) -> Option<&OrchestratorFn> {
        find(&self.orchestrators, name, version)
    }

    /// The activity of exactly this name and version.
    pub fn activity(&self, name: &FunctionName, version: Option<&FunctionVersion>) -> Option<&ActivityFn> {
        find(&self.activities, name, version)
    }

    /// The code of the entities of this kind; its name is lower-case.
    pub fn entity(&self, name: &str) -> Option<&EntityFn> {
        find(&self.entities, &name.into(), None)
    }

    /// Every function, orchestrators first, then activities and entities, by name and version: what a start-up log lists
    /// (R1:QS-12).
    pub fn functions(&self) -> impl Iterator<Item = (FunctionKind, &FunctionName, Option<&FunctionVersion>)> {
        let orchestrators = listed(&self.orchestrators, FunctionKind::Orchestrator);
        let activities = listed(&self.activities, FunctionKind::Activity);
        orchestrators.chain(activities).chain(listed(&self.entities, FunctionKind::Entity))
    }
}

fn find<'a, F>(
    functions: &'a Functions<F>,
    name: &FunctionName,
    version: Option<&FunctionVersion>,
) -> Option<&'a F> {
    let versions = functions.get(name)?;
    // A name has one or two versions: walking them needs no owned key.
    let mut matching = versions.iter().filter(|(known, _)| known.as_ref() == version);
    matching.next().map(|(_, registered)| &registered.function)
}

fn listed<F>(
    functions: &Functions<F>,
    kind: FunctionKind,
) -> impl Iterator<Item = (FunctionKind, &FunctionName, Option<&FunctionVersion>)> {
    functions
        .iter()
        .flat_map(move |(name, versions)| versions.keys().map(move |version| (kind, name, version.as_ref())))
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.functions()).finish()
    }
}
