//! What an annotated function tells about itself at link time.

use std::{fmt, sync::Arc};

use futures::future::BoxFuture;

use super::entity::{self, EntityCode};
use crate::{
    context::{ActivityContext, EntityContext, EntityHome, OrchestrationContext},
    entity::EntityExecutor,
    model::{Failure, Payload},
};

/// A durable function: the proxy beside an `#[orchestrator]` or `#[activity]`, or an `#[entity]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a durable function",
    label = "not annotated with `#[orchestrator]`, `#[activity]` or `#[entity]`",
    note = "name an annotated function: `Registry::builder().add::<say_hello>()`"
)]
pub trait Definition {
    /// Its name and code.
    const REGISTRATION: Registration;
}

/// The sort of a durable function; each has a name space of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// Decides what is done, and is replayed.
    Orchestrator,
    /// Does the work.
    Activity,
    /// Keeps a state, and changes it one operation after the other.
    Entity,
}

impl FunctionKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orchestrator => "orchestrator",
            Self::Activity => "activity",
            Self::Entity => "entity",
        }
    }

    /// The plural of the word.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Orchestrator => "orchestrators",
            Self::Activity => "activities",
            Self::Entity => "entities",
        }
    }
}

/// A function's name, version, place in the source, and code.
#[derive(Clone, Copy)]
pub struct Registration {
    pub(super) name: &'static str,
    pub(super) version: Option<&'static str>,
    pub(super) place: &'static str,
    pub(super) code: Code,
}

/// Functions without captures, so that they can stand in a constant.
#[derive(Clone, Copy)]
pub(super) enum Code {
    Orchestrator(Erased<OrchestrationContext>),
    Activity(Erased<ActivityContext>),
    Entity(fn(EntityHome) -> Arc<dyn EntityExecutor>),
    EntityFunction(fn(EntityContext) -> BoxFuture<'static, Result<(), Failure>>),
}

type Erased<C> = fn(C, Payload) -> BoxFuture<'static, Result<Payload, Failure>>;

impl Registration {
    /// An orchestrator; `place` is `file:line`.
    #[doc(hidden)]
    pub const fn orchestrator(
        name: &'static str,
        version: Option<&'static str>,
        place: &'static str,
        code: fn(OrchestrationContext, Payload) -> BoxFuture<'static, Result<Payload, Failure>>,
    ) -> Self {
        Self { name, version, place, code: Code::Orchestrator(code) }
    }

    /// An activity; `place` is `file:line`.
    #[doc(hidden)]
    pub const fn activity(
        name: &'static str,
        version: Option<&'static str>,
        place: &'static str,
        code: fn(ActivityContext, Payload) -> BoxFuture<'static, Result<Payload, Failure>>,
    ) -> Self {
        Self { name, version, place, code: Code::Activity(code) }
    }

    /// A typed entity called `name`, lower-case; `place` is `file:line`.
    #[doc(hidden)]
    pub const fn entity<E: EntityCode>(name: &'static str, place: &'static str) -> Self {
        Self { name, version: None, place, code: Code::Entity(entity::typed::<E>) }
    }

    /// An entity in the function syntax called `name`, lower-case; `place` is `file:line`.
    #[doc(hidden)]
    pub const fn entity_function(
        name: &'static str,
        place: &'static str,
        code: fn(EntityContext) -> BoxFuture<'static, Result<(), Failure>>,
    ) -> Self {
        Self { name, version: None, place, code: Code::EntityFunction(code) }
    }

    /// The name history knows it by (R1:QS-2, R3:BIND-4, BIND-16).
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its version; absent means unversioned.
    pub const fn version(&self) -> Option<&'static str> {
        self.version
    }

    /// Where it is defined, as `file:line`.
    pub const fn place(&self) -> &'static str {
        self.place
    }

    /// Whether it is an orchestrator, an activity or an entity.
    pub const fn kind(&self) -> FunctionKind {
        match self.code {
            Code::Orchestrator(_) => FunctionKind::Orchestrator,
            Code::Activity(_) => FunctionKind::Activity,
            Code::Entity(_) | Code::EntityFunction(_) => FunctionKind::Entity,
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("kind", &self.kind())
            .field("name", &self.name)
            .field("version", &self.version)
            .field("place", &self.place)
            .finish()
    }
}

inventory::collect!(Registration);
