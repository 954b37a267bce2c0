//! What is measured: the same for every contender.
//!
//! Begin with [`Workload`].

use std::{fmt, str::FromStr};

use crate::GaugeError;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Many orchestrations started at once, each of five activities one after the other.
    Hello,
    /// One orchestration that calls many activities at once and adds up what they return.
    FanOut,
    /// One orchestration that calls many activities one after the other and adds up what they return.
    Sequence,
    /// The orchestration of [`Hello`](Self::Hello), one at a time while nothing else happens.
    Latency,
    /// Many orchestrations, each waiting for an activity that never ends; then a restart with them.
    Parked,
    /// The same, and every one of those activities is running, in a task of its own.
    ParkedRunning,
    /// One orchestration that waits for many external events, one after the other, while a client raises them.
    Events,
    /// Many orchestrations, each with a timer, all due within one second.
    Timers,
    /// As many timers, all of one orchestration.
    TimersOfOne,
    /// One counter, which a client signals.
    EntityOne,
    /// Ten thousand counters, which a client signals in turn.
    EntityMany,
    /// Transfers between a hundred accounts, each of which locks two of them.
    Bank,
}

impl Workload {
    /// Every workload, in the order they are documented.
    pub const ALL: [Self; 12] = [
        Self::Hello,
        Self::FanOut,
        Self::Sequence,
        Self::Latency,
        Self::Events,
        Self::Timers,
        Self::TimersOfOne,
        Self::EntityOne,
        Self::EntityMany,
        Self::Bank,
        Self::Parked,
        Self::ParkedRunning,
    ];

    /// Whether it ends with a restart.
    pub fn restarts(self) -> bool {
        matches!(self, Self::Parked | Self::ParkedRunning)
    }

    /// The name on the command line and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::FanOut => "fan-out",
            Self::Sequence => "sequence",
            Self::Latency => "latency",
            Self::Parked => "parked",
            Self::ParkedRunning => "parked-running",
            Self::Events => "events",
            Self::Timers => "timers",
            Self::TimersOfOne => "timers-of-one",
            Self::EntityOne => "entity-one",
            Self::EntityMany => "entity-many",
            Self::Bank => "bank",
        }
    }

    /// How many operations, unless the caller says otherwise.
    pub fn usual_size(self) -> u64 {
        match self {
            Self::Hello | Self::Bank => 5_000,
            Self::EntityOne | Self::EntityMany => 100_000,
            Self::FanOut => 1_000,
            Self::Sequence | Self::Events => 10_000,
            Self::Latency => 200,
            Self::Parked | Self::ParkedRunning | Self::Timers | Self::TimersOfOne => 100_000,
        }
    }

    /// What is counted as one operation, and several of them.
    pub fn operation(self) -> (&'static str, &'static str) {
        match self {
            Self::Hello | Self::Latency => ("orchestration", "orchestrations"),
            Self::FanOut => ("activity", "activities"),
            Self::Sequence => ("step", "steps"),
            Self::Parked | Self::ParkedRunning => ("instance", "instances"),
            Self::Events => ("event", "events"),
            Self::Timers | Self::TimersOfOne => ("timer", "timers"),
            Self::EntityOne | Self::EntityMany => ("operation", "operations"),
            Self::Bank => ("transfer", "transfers"),
        }
    }

    /// What one duration of `p50_ms` and `p99_ms` is.
    pub fn latency_of(self) -> &'static str {
        match self {
            Self::Hello | Self::Latency => "one orchestration, from its start to its output",
            Self::FanOut => "the whole orchestration, from its start to its output",
            Self::Events => "one event, until it is durable",
            Self::Timers => "one timer, from when it is due until its orchestration's output",
            Self::TimersOfOne => "from when the first is due until the orchestration's output",
            Self::EntityOne | Self::EntityMany => "one signal, until it is durable",
            Self::Bank => "one transfer, from its start to its output",
            Self::Sequence => "one step, from activity to activity",
            Self::Parked | Self::ParkedRunning => "one start, until it is durable",
        }
    }
}

impl FromStr for Workload {
    type Err = GaugeError;

    fn from_str(word: &str) -> Result<Self, GaugeError> {
        Self::ALL.into_iter().find(|workload| workload.as_str() == word).ok_or_else(|| GaugeError::Word {
            word: word.to_owned(),
            expected: format!("a workload: one of {}", Self::ALL.map(Self::as_str).join(", ")),
        })
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The orchestration of `hello` and `latency`: whom it greets, and what must come out.
pub mod hello {
    use std::time::Duration;

    use crate::{Measured, Spread, Tally};

    /// One activity each, in this order.
    pub const CITIES: [&str; 5] = ["Tokyo", "Seattle", "London", "Nairobi", "Lima"];

    /// What the activity returns.
    pub fn greeting(city: &str) -> String {
        format!("Hello {city}!")
    }

    /// What the orchestration returns.
    pub fn expected() -> Vec<String> {
        CITIES.map(greeting).to_vec()
    }

    /// What a run that its limit cut off has to show for itself: the activities that ended, five as one
    /// orchestration, since all orchestrations advance side by side and few may be complete. Those that
    /// have no end yet count as having taken `limit` at least.
    pub fn cut_off(
        measured: Measured,
        activities: &Tally,
        mut times: Spread,
        size: u64,
        limit: Duration,
    ) -> Measured {
        while (times.len() as u64) < size {
            times.add(limit);
        }
        let operations = activities.count() / CITIES.len() as u64;
        Measured { operations, cut_off: true, ..measured.with_times(&times) }
    }
}
