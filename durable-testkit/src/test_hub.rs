//! A whole hub for a test: memory, a worker in verify mode, and time that passes only while it is
//! waited for.
//!
//! Begin with [`TestHub`].

use std::{fmt, marker::PhantomData, sync::Arc};

use durable::{
    Error,
    call::Startable,
    client::{Client, Run},
    clock::Clock,
    embedded::EmbeddedProvider,
    history::History,
    http::{HttpClient, TokenSource},
    model::{Failure, FunctionName, InstanceId, Storable, Timestamp},
    provider::Provider,
    registry::{ActivityFn, Definition, Registry},
    replay::SessionOptions,
    worker::{Worker, WorkerBuilder},
};

use crate::{
    VirtualClock,
    stand_in::{StandIn, always, fallible},
};

/// A hub in memory with a worker, for one test.
///
/// Every episode is replayed from the start and compared. Time stands still, except while the test
/// waits through the hub: then it jumps to the next due thing whenever nothing else is left to do.
///
/// ```
/// use std::time::Duration;
///
/// use durable::{activity, context::OrchestrationContext, model::Failure, orchestrator};
/// use durable_testkit::TestHub;
///
/// #[activity]
/// async fn say_hello(city: String) -> String {
///     format!("a slow greeting for {city}")
/// }
///
/// #[orchestrator]
/// async fn greet_tomorrow(ctx: OrchestrationContext, city: String) -> Result<String, Failure> {
///     ctx.sleep(Duration::from_secs(86_400)).await?;
///     ctx.call(say_hello::with(city)).await
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), durable::Error> {
/// let hub = TestHub::builder()
///     .replacing::<say_hello>()
///     .by(|city: String| format!("Hello {city}!"))
///     .start()
///     .await?;
/// let began = hub.now();
/// assert_eq!(hub.run(greet_tomorrow::with("Tokyo")).await?, "Hello Tokyo!");
/// assert_eq!(hub.now().duration_since(began), Duration::from_secs(86_400));
/// # Ok(())
/// # }
/// ```
pub struct TestHub {
    provider: Arc<dyn Provider>,
    clock: Arc<VirtualClock>,
    client: Client,
    worker: Worker,
}

impl TestHub {
    /// A hub that runs every annotated function of this program, unless told otherwise.
    pub fn builder() -> TestHubBuilder {
        TestHubBuilder { registry: None, begins_at: None, stand_ins: Vec::new(), outside: Vec::new() }
    }

    /// A hub that runs every annotated function of this program.
    ///
    /// # Errors
    /// See [`TestHubBuilder::start`].
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Starts an orchestration, lets time pass until it has ended, and gives what it returned.
    ///
    /// # Errors
    /// Those of [`Client::start`] and [`Run::output`].
    pub async fn run<S: Startable>(&self, start: S) -> Result<S::Output, Error> {
        let run = self.client.start(start).await?;
        self.output(&run).await
    }

    /// Lets time pass until an orchestration has ended, and gives what it returned.
    ///
    /// # Errors
    /// Those of [`Run::output`].
    pub async fn output<O: Storable>(&self, run: &Run<O>) -> Result<O, Error> {
        self.passing_time(run.output()).await
    }

    /// Lets time pass until `awaited` is there.
    pub async fn passing_time<F: Future>(&self, awaited: F) -> F::Output {
        let _passing = self.clock.pass();
        self.nudge();
        awaited.await
    }

    /// Has the store look again whether something is left to do: a fetch of nothing is harmless.
    fn nudge(&self) {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        let mut nothing = self.provider.fetch_orchestrations(0);
        // It finds nothing either way; what matters is that it looked.
        let _ = nothing.as_mut().poll(&mut cx);
    }

    /// A client of the hub. What it waits for by itself must not need time to pass.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The worker, for what only it can tell.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The store, for what the client does not show.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// The hub's time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The history of an instance so far.
    ///
    /// # Errors
    /// Those of [`Client::history`].
    pub async fn history(&self, run: impl AsRef<InstanceId>) -> Result<History, Error> {
        self.client.history(run.as_ref()).await
    }

    /// Stops the worker, once what runs has ended.
    ///
    /// # Errors
    /// Those of [`Worker::shut_down`].
    pub async fn shut_down(self) -> Result<(), Error> {
        self.worker.shut_down().await
    }
}

/// Sets up a [`TestHub`].
#[must_use = "there is no hub before `start`"]
pub struct TestHubBuilder {
    registry: Option<Registry>,
    begins_at: Option<Timestamp>,
    stand_ins: Vec<(FunctionName, ActivityFn)>,
    outside: Vec<Outside>,
}

/// Something that a worker is given to reach the world outside.
type Outside = Box<dyn FnOnce(WorkerBuilder) -> WorkerBuilder + Send>;

impl TestHubBuilder {
    /// Runs the functions of `registry` instead of every annotated one.
    pub fn functions(mut self, registry: Registry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Lets time begin at `time` instead of the beginning of 2026.
    pub fn begins_at(mut self, time: Timestamp) -> Self {
        self.begins_at = Some(time);
        self
    }

    /// Replaces an annotated activity by a closure: `.replacing::<say_hello>().by(|city: String| ..)`.
    pub fn replacing<D: Definition>(self) -> Replacing<D> {
        Replacing {
            name: FunctionName::literal(D::REGISTRATION.name()),
            builder: self,
            definition: PhantomData,
        }
    }

    /// Replaces or adds the activity `name` by a closure.
    pub fn activity(self, name: impl Into<FunctionName>) -> Replacing<()> {
        Replacing { name: name.into(), builder: self, definition: PhantomData }
    }

    /// Sends the requests of `ctx.call_http(..)` by `client`; a closure will do (R2:HTTP-33).
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.outside.push(Box::new(|worker| worker.http_client(client)));
        self
    }

    /// Gets the tokens of requests that name the token source `name` from `source`; a closure will do.
    pub fn token_source(mut self, name: impl Into<String>, source: impl TokenSource) -> Self {
        let name = name.into();
        self.outside.push(Box::new(|worker| worker.token_source(name, source)));
        self
    }

    /// Starts the hub with its worker, whose activities run on the current tokio runtime.
    ///
    /// # Errors
    /// When two functions have one name, or there is no tokio runtime.
    pub async fn start(self) -> Result<TestHub, Error> {
        let registry = match self.registry {
            Some(registry) => registry,
            None => Registry::discover()?,
        };
        let with_one_more = |registry: Registry, (name, function)| registry.with_activity(name, function);
        let registry = self.stand_ins.into_iter().fold(registry, with_one_more);
        let clock =
            Arc::new(self.begins_at.map_or_else(VirtualClock::new, VirtualClock::at).standing_still());
        let provider: Arc<dyn Provider> = Arc::new(EmbeddedProvider::in_memory(clock.clone())?);
        let worker = WorkerBuilder::new(provider.clone()).functions(registry).always_replay(true);
        let worker = self.outside.into_iter().fold(worker, |worker, give| give(worker));
        let worker = worker.start().await?;
        let client = Client::new(provider.clone(), SessionOptions::DEFAULT_MAX_PAYLOAD);
        Ok(TestHub { provider, clock, client, worker })
    }
}

/// An activity that is to be replaced.
#[must_use = "nothing is replaced before `by` or `by_result`"]
pub struct Replacing<D> {
    name: FunctionName,
    builder: TestHubBuilder,
    definition: PhantomData<fn() -> D>,
}

impl<D> Replacing<D> {
    /// By a closure that always answers.
    ///
    /// # Panics
    /// When the closure returns a `Result`: that is for [`by_result`](Self::by_result).
    #[track_caller]
    pub fn by<M, S>(self, stand_in: S) -> TestHubBuilder
    where
        S: StandIn<M>,
        S::Answer: Storable,
    {
        self.by_function(always(stand_in))
    }

    /// By a closure that may fail.
    pub fn by_result<M, S, O, E>(self, stand_in: S) -> TestHubBuilder
    where
        S: StandIn<M, Answer = Result<O, E>>,
        O: Storable,
        E: Into<Failure>,
    {
        self.by_function(fallible(stand_in))
    }

    fn by_function(mut self, function: ActivityFn) -> TestHubBuilder {
        self.builder.stand_ins.push((self.name, function));
        self.builder
    }
}

impl fmt::Debug for TestHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHub").field("now", &self.now()).finish_non_exhaustive()
    }
}

impl fmt::Debug for TestHubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHubBuilder").field("functions", &self.registry).finish_non_exhaustive()
    }
}

impl<D> fmt::Debug for Replacing<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Replacing").field(&self.name).finish()
    }
}
