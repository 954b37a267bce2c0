//! A random program: a tree of parts, each with a seed from which its shape follows.
//!
//! A part decides by its seed and by results only, never by the moment at which it runs, so the same
//! seed is the same program. Begin with [`Part::run`].

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use durable::{
    context::{HttpTask, OrchestrationContext, Timeout},
    http::HttpRequest,
    model::{EventName, Failure, FunctionName, InstanceId, Payload, RetryPolicy},
    replay::{Callee, Child, Handle, Task},
};
use futures::future::{BoxFuture, FusedFuture};

use super::{
    entities::{account, operation},
    mutants::Mutant,
    random::{Random, mix},
    shapes::{LEAVES, SHAPES},
};

/// An activity that succeeds.
pub(super) const WORK: FunctionName = FunctionName::literal("work");
/// An activity that fails every third time.
pub(super) const SHAKY: FunctionName = FunctionName::literal("shaky");
/// The events that programs wait for.
pub(super) const EVENTS: [EventName; 4] = [
    EventName::literal("north"),
    EventName::literal("east"),
    EventName::literal("south"),
    EventName::literal("west"),
];

/// What user code saw and did, in order, as one number; and how many external events are among it.
#[derive(Debug, Clone, Default)]
pub(super) struct Trace(Arc<(AtomicU64, AtomicU64)>);

impl Trace {
    fn note(&self, word: u64) {
        self.0.0.store(mix(self.value(), word), Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.0.load(Ordering::Relaxed)
    }

    /// How many external events it observed.
    pub(super) fn events(&self) -> u64 {
        self.0.1.load(Ordering::Relaxed)
    }
}

/// What all parts of one running program share.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) handle: Handle,
    /// The verbs that are made of several steps.
    pub(super) context: OrchestrationContext,
    pub(super) trace: Trace,
    pub(super) mutant: Option<Mutant>,
}

/// One node of the program.
#[derive(Debug, Clone)]
pub(super) struct Part {
    program: Arc<Program>,
    seed: u64,
    /// About how many durable calls it may make.
    size: usize,
    /// A result that flows into it.
    given: u64,
}

impl Part {
    pub(super) fn root(program: Arc<Program>, seed: u64) -> Self {
        let size = Random::new(mix(seed, 1)).between(2, 28);
        Self { program, seed, size, given: seed & 0xff }
    }

    pub(super) fn run(self) -> BoxFuture<'static, u64> {
        let shapes = if self.size < 2 { LEAVES } else { SHAPES };
        shapes[Random::new(self.seed).below(shapes.len())](self)
    }

    /// The part's own decisions.
    pub(super) fn random(&self) -> Random {
        Random::new(self.seed ^ 0x5bd1_e995)
    }

    /// One of `siblings` children.
    pub(super) fn child(&self, number: usize, siblings: usize) -> Self {
        Self {
            program: self.program.clone(),
            seed: mix(self.seed, number as u64 + 1),
            size: self.size.saturating_sub(1) / siblings,
            given: self.given,
        }
    }

    pub(super) fn with(self, given: u64) -> Self {
        Self { given, ..self }
    }

    /// A child that may fail.
    pub(super) fn try_child(&self, number: usize, siblings: usize) -> BoxFuture<'static, Result<u64, u64>> {
        let child = self.child(number, siblings + 1);
        Box::pin(async move {
            let value = child.clone().run().await;
            child.attempt(value).await
        })
    }

    pub(super) fn given(&self) -> u64 {
        self.given
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Leaves a mark in the trace.
    pub(super) fn note(&self, value: u64) -> u64 {
        self.program.trace.note(value);
        value
    }

    /// One value of many, their order included; leaves a mark for each.
    pub(super) fn fold(&self, values: impl IntoIterator<Item = u64>) -> u64 {
        values.into_iter().fold(self.given, |all, value| mix(all, self.note(value)) >> 32)
    }

    pub(super) fn call(&self, input: u64) -> Waiting {
        self.waiting(Awaited::Number(
            self.program.handle.call(Callee::activity(WORK, Payload::of(&input).unwrap())),
        ))
    }

    pub(super) fn attempt(&self, input: u64) -> Waiting {
        self.waiting(Awaited::Number(
            self.program.handle.call(Callee::activity(SHAKY, Payload::of(&input).unwrap())),
        ))
    }

    /// A context of its own: one that locks is borrowed meanwhile.
    pub(super) fn context(&self) -> OrchestrationContext {
        OrchestrationContext::new(self.program.handle.clone())
    }

    /// An operation of some entity; one that may fail, or one that does not.
    pub(super) fn operation(&self, input: u64) -> Waiting {
        self.waiting(Awaited::Number(self.program.context.call(operation(&account(input), input))))
    }

    /// A sub-orchestration; one that fails every third time, or one that does not.
    pub(super) fn sub(&self, input: u64) -> Waiting {
        let name = if input.is_multiple_of(2) { SHAKY } else { WORK };
        let callee = Callee::Orchestration(Box::new(child(name, input)));
        let handle = &self.program.handle;
        self.waiting(Awaited::Number(if input.is_multiple_of(5) {
            handle.call_retried(callee, RetryPolicy::new(3, Duration::from_secs(1)), None)
        } else {
            handle.call(callee)
        }))
    }

    /// A call of the shaky activity under a random policy, half of the time with a timeout.
    pub(super) fn retried(&self, input: u64) -> Waiting {
        let mut random = Random::new(self.seed ^ input);
        let mut seconds = |most| Duration::from_secs(random.between(0, most) as u64);
        let (first, longest, total, timeout) = (seconds(4), seconds(9), seconds(400), seconds(60));
        let attempts = random.between(1, 5) as u32;
        let mut policy = RetryPolicy::new(attempts, first).backoff(random.between(1, 3) as f64);
        if random.chance(30) {
            policy = policy.max_interval(longest);
        }
        if random.chance(30) {
            policy = policy.total_timeout(total);
        }
        if random.chance(30) {
            policy = policy.jitter(0.5);
        }
        if random.chance(30) {
            policy = policy.retry_if(|failure, attempt| failure.message().len() as u32 % 5 != attempt);
        }
        let timeout = random.chance(50).then_some(timeout);
        let input = Payload::of(&input).unwrap();
        self.waiting(Awaited::Number(self.program.handle.call_retried(
            Callee::activity(SHAKY, input),
            policy,
            timeout,
        )))
    }

    /// A request under random options; the answer's status, its body's length, or the failure's.
    pub(super) fn http(&self, input: u64) -> BoxFuture<'static, Result<u64, u64>> {
        let mut random = Random::new(self.seed ^ input);
        let mut seconds = |most| Duration::from_secs(random.between(0, most) as u64);
        let (interval, first, limit) = (seconds(60), seconds(4), seconds(90));
        let mut call = HttpRequest::post(format!("http://host/{input}")).poll_every(interval);
        if random.chance(20) {
            call = call.without_polling();
        }
        if random.chance(40) {
            call = call.retry(RetryPolicy::new(3, first).jitter(0.5));
        }
        if random.chance(40) {
            call = call.timeout(limit);
        }
        let task: HttpTask = self.program.context.call_http(call);
        let part = self.clone();
        Box::pin(async move {
            let result = task.await;
            let result = result.map(|answer| u64::from(answer.status()) << 8 | answer.text().len() as u64);
            let result = result.map_err(|failure| failure.message().len() as u64);
            part.note(value(result));
            result
        })
    }

    /// Gives a child so many seconds.
    pub(super) fn timeout(&self, seconds: u64, child: Self) -> Timeout<BoxFuture<'static, u64>> {
        self.program.context.timeout(Duration::from_secs(seconds), child.run())
    }

    /// An event, or its absence after so many seconds.
    pub(super) async fn event_within(&self, number: usize, seconds: u64, default: Option<u64>) -> u64 {
        let (context, patience) = (&self.program.context, Duration::from_secs(seconds));
        let name = EVENTS[number % EVENTS.len()].clone();
        let result = match default {
            // No event has this number.
            Some(_) => context.wait_for_or(name, patience, 1 << 40).await,
            None => context.wait_for_within(name, patience).await,
        };
        if result.as_ref().is_ok_and(|number| *number != 1 << 40) {
            self.program.trace.0.1.fetch_add(1, Ordering::Relaxed);
        }
        self.note(result.unwrap_or_else(|failure| failure.message().len() as u64))
    }

    /// Children, at most `limit` at once, which may fail.
    pub(super) fn map_concurrent(
        &self,
        limit: usize,
        count: usize,
    ) -> impl Future<Output = Result<Vec<u64>, u64>> + use<> {
        let part = self.clone();
        self.program.context.map_concurrent(limit, 0..count, move |number| part.try_child(number, count))
    }

    pub(super) fn timer(&self, seconds: u64) -> Waiting {
        let due = self.program.handle.now().saturating_add(Duration::from_secs(seconds));
        self.waiting(Awaited::Nothing(self.program.handle.timer(due)))
    }

    pub(super) fn event(&self, number: usize) -> Waiting {
        self.waiting(Awaited::Event(self.program.handle.wait(EVENTS[number % EVENTS.len()].clone())))
    }

    /// Any of them, as `number` says.
    pub(super) fn any_task(&self, number: u64, input: u64) -> Waiting {
        match number % 10 {
            9 => self.operation(input),
            0..3 => self.call(input),
            8 => self.sub(input),
            3 => self.retried(input),
            4 => self.attempt(input),
            5 => self.timer(input % 100),
            _ => self.event((number >> 8) as usize),
        }
    }

    pub(super) fn send(&self, value: u64) {
        let whom = InstanceId::new("other").unwrap();
        self.program.handle.send_event(whom, EVENTS[0].clone(), Payload::of(&value).unwrap());
        if value.is_multiple_of(3) {
            self.program.handle.start(&child(WORK, value));
        }
    }

    pub(super) fn uuid(&self) -> u64 {
        self.note(self.program.handle.new_uuid().as_u64_pair().1)
    }

    pub(super) fn now(&self) -> u64 {
        let passed = self.program.handle.now().duration_since(durable::model::Timestamp::UNIX_EPOCH);
        self.note(passed.as_secs())
    }

    pub(super) fn status(&self, value: u64) {
        self.program.handle.set_custom_status(Payload::of(&value).unwrap());
    }

    /// A durable call that was asked for elsewhere.
    pub(super) fn number(&self, task: Task<u64>) -> Waiting {
        self.waiting(Awaited::Number(task))
    }

    fn waiting(&self, task: Awaited) -> Waiting {
        Waiting {
            task,
            first_waker: None,
            keeps_first: self.program.mutant == Some(Mutant::FirstWakerKept),
            trace: self.program.trace.clone(),
        }
    }
}

/// A durable call whose result leaves a mark in the trace.
#[derive(Debug)]
pub(super) struct Waiting {
    task: Awaited,
    first_waker: Option<Waker>,
    keeps_first: bool,
    trace: Trace,
}

#[derive(Debug)]
enum Awaited {
    Number(Task<u64>),
    Event(Task<u64>),
    Nothing(Task<()>),
}

impl Waiting {
    /// The result, a failure as just another value.
    pub(super) async fn value(self) -> u64 {
        value(self.await)
    }

    pub(super) fn is_completed(&self) -> bool {
        match &self.task {
            Awaited::Number(task) | Awaited::Event(task) => task.is_completed(),
            Awaited::Nothing(task) => task.is_completed(),
        }
    }
}

/// Another orchestration, under an id that follows from the call.
pub(super) fn child(name: FunctionName, input: u64) -> Child {
    Child {
        name,
        version: None,
        input: Payload::of(&input).unwrap(),
        instance: None,
        tags: Default::default(),
        scheduled_start: None,
    }
}

pub(super) fn value(result: Result<u64, u64>) -> u64 {
    result.unwrap_or_else(|failure| failure)
}

impl Future for Waiting {
    type Output = Result<u64, u64>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut cx = match this.keeps_first {
            true => Context::from_waker(this.first_waker.get_or_insert_with(|| cx.waker().clone())),
            false => Context::from_waker(cx.waker()),
        };
        let result: Result<u64, Failure> = match &mut this.task {
            Awaited::Number(task) => std::task::ready!(Pin::new(task).poll(&mut cx)),
            Awaited::Event(task) => {
                let event = std::task::ready!(Pin::new(task).poll(&mut cx));
                this.trace.0.1.fetch_add(1, Ordering::Relaxed);
                event
            }
            Awaited::Nothing(task) => std::task::ready!(Pin::new(task).poll(&mut cx)).map(|()| 1),
        };
        let result = result.map_err(|failure| failure.message().len() as u64);
        this.trace.note(value(result));
        Poll::Ready(result)
    }
}

impl FusedFuture for Waiting {
    fn is_terminated(&self) -> bool {
        match &self.task {
            Awaited::Number(task) | Awaited::Event(task) => task.is_terminated(),
            Awaited::Nothing(task) => task.is_terminated(),
        }
    }
}
