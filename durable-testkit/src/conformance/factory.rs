//! What the suite asks of a provider before it can check it: hubs, and what to skip.
//!
//! Must not know any case. Begin with [`ProviderFactory`].

use std::{any::Any, fmt, sync::Arc, time::Duration};

use durable::provider::Provider;

/// Makes the hubs on which the cases run, and says what the provider cannot do.
///
/// ```
/// use std::sync::Arc;
///
/// use durable::provider::Provider;
/// use durable_testkit::conformance::{Hub, ProviderFactory};
///
/// struct Factory(fn() -> Arc<dyn Provider>);
///
/// impl ProviderFactory for Factory {
///     fn fresh(&self) -> Hub {
///         Hub::new((self.0)())
///     }
/// }
/// ```
pub trait ProviderFactory {
    /// A hub of its own for one case: not made yet, and not worked by anybody.
    fn fresh(&self) -> Hub;

    /// The same hub after the process that worked it has died without a word. `None` from a
    /// provider whose hubs do not outlive the process; it then lacks [`Capability::Restart`].
    fn reopen(&self, hub: Hub) -> Option<Hub> {
        drop(hub);
        None
    }

    /// What the provider can do beyond what every provider must.
    fn capabilities(&self) -> &[Capability] {
        &[]
    }

    /// How many cases are skipped for want of a capability. Checked, so that a skipped case never
    /// looks like a passed one.
    fn skips(&self) -> usize {
        0
    }

    /// A short while by the provider's clock: for how long timers are set. Make it short where the
    /// clock is the machine's, since the cases wait for it.
    fn moment(&self) -> Duration {
        Duration::from_secs(3600)
    }
}

/// What only some providers can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// A hub outlives the process: [`ProviderFactory::reopen`] gives it back.
    Restart,
    /// Locks run out when they are not renewed, and the clock can be moved past that.
    LocksThatRunOut,
    /// Ended instances are purged by the store itself before a later timer fires, when their start said for
    /// how long to keep them.
    Retention,
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restart => "a hub that outlives the process",
            Self::Retention => "a store that purges by itself what is kept no longer",
            Self::LocksThatRunOut => "locks that run out by a clock that can be moved",
        })
    }
}

/// One hub of the provider under test, and what must live as long as it does.
pub struct Hub {
    /// The provider under test.
    pub provider: Arc<dyn Provider>,
    /// What must live as long as the hub, such as its folder.
    pub kept: Option<Box<dyn Any + Send + Sync>>,
}

impl Hub {
    /// The hub that `provider` keeps.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        Self { provider, kept: None }
    }

    /// The same hub, with something that must live as long as it does.
    #[must_use]
    pub fn keeping(mut self, kept: impl Any + Send + Sync) -> Self {
        self.kept = Some(Box::new(kept));
        self
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}
