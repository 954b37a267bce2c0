//! An explanation in words.
//!
//! Begin with the `Display` of [`Explanation`].

use std::{fmt, time::Duration};

use super::{Awaited, Explanation, Handling, HeldUp, Wait};
use crate::model::{RuntimeStatus, Timestamp};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = &self.state;
        write!(f, "instance `{}` of `{}`", state.instance_id, state.name)?;
        if let Some(version) = &state.version {
            write!(f, ", version `{version}`")?;
        }
        let updated = ago(self.at, state.last_updated_time);
        match state.runtime_status {
            RuntimeStatus::Pending => {
                write!(f, ": accepted {}, not begun", ago(self.at, state.created_time))?
            }
            RuntimeStatus::Running => write!(f, ": running, last step {updated}")?,
            RuntimeStatus::Suspended => write!(f, ": suspended, last step {updated}")?,
            RuntimeStatus::Completed => write!(f, ": completed {updated}")?,
            RuntimeStatus::Terminated => {
                let reason = state.output.read::<String>().unwrap_or_default();
                write!(f, ": terminated {updated}: {reason}")?;
            }
            RuntimeStatus::Failed => {
                write!(f, ": failed {updated}")?;
                if let Some(failure) = &state.failure {
                    write!(f, ": {failure:?}")?;
                }
            }
        }
        if !self.waits.is_empty() {
            f.write_str("\nwaits for")?;
        }
        self.waits.iter().try_for_each(|wait| write!(f, "\n- {}", Line { wait, at: self.at }))?;
        if self.state.runtime_status.is_terminal() {
            return Ok(());
        }
        handling(&self.handling, f)
    }
}

fn handling(handling: &Handling, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match handling {
        Handling::Unknown | Handling::Handled => Ok(()),
        Handling::Unhandled { versions } if versions.is_empty() => f.write_str(
            "\nthis worker has no orchestrator of that name, and leaves the instance alone; annotate it with \
             `#[orchestrator]`, and make sure its crate is linked",
        ),
        Handling::Unhandled { versions } => {
            f.write_str("\nthis worker has the orchestrator only as ")?;
            for (index, version) in versions.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { ", " })?;
                match version {
                    Some(version) => write!(f, "version `{version}`")?,
                    None => f.write_str("unversioned")?,
                }
            }
            f.write_str(", and leaves the instance alone; run a worker that has its version")
        }
        Handling::Broken(failure) => write!(f, "\nthis worker cannot continue it: {failure:?}"),
    }
}

/// One wait, seen at a time.
struct Line<'a> {
    wait: &'a Wait,
    at: Timestamp,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wait, at } = self;
        match &wait.what {
            Awaited::Activity { name, version, attempt, deadline } => {
                write!(f, "activity `{name}`")?;
                if let Some(version) = version {
                    write!(f, ", version `{version}`")?;
                }
                self.task(f)?;
                if !attempt.is_only() {
                    write!(f, ", {attempt}")?;
                }
                write!(f, ", called {}", ago(*at, wait.since))?;
                if let Some(deadline) = deadline {
                    write!(f, ", times out {}", when(*at, *deadline))?;
                }
            }
            Awaited::Orchestration { name, instance, deadline } => {
                write!(f, "orchestration `{name}` under `{instance}`")?;
                self.task(f)?;
                write!(f, ", called {}", ago(*at, wait.since))?;
                if let Some(deadline) = deadline {
                    write!(f, ", times out {}", when(*at, *deadline))?;
                }
            }
            Awaited::Retry { name, attempt, failure, due } => {
                write!(f, "the next attempt of `{name}`, {}", when(*at, *due))?;
                let which = if attempt.is_only() { "it".to_owned() } else { attempt.to_string() };
                write!(f, "; {which} failed {}: {}", ago(*at, wait.since), failure.message())?;
            }
            Awaited::Operation { entity, operation, held_up } => {
                write!(f, "operation `{}` of `{entity}`", operation.as_str())?;
                self.task(f)?;
                write!(f, ", called {}", ago(*at, wait.since))?;
                self.held_up(held_up.as_ref(), f)?;
            }
            Awaited::Locks { entities, held_up } => {
                f.write_str("the locks of ")?;
                for (index, entity) in entities.iter().enumerate() {
                    write!(f, "{}`{entity}`", if index == 0 { "" } else { ", " })?;
                }
                self.task(f)?;
                write!(f, ", asked for {}", ago(*at, wait.since))?;
                self.held_up(held_up.as_ref(), f)?;
            }
            Awaited::Timer { due } => {
                f.write_str("a timer")?;
                self.task(f)?;
                write!(f, ", due {}, set {}", when(*at, *due), ago(*at, wait.since))?;
            }
            Awaited::Event { name } => write!(f, "event `{name}`, since {}", ago(*at, wait.since))?,
            Awaited::Start { due: Some(due) } if *due > *at => {
                write!(f, "its scheduled start, {}", when(*at, *due))?;
            }
            Awaited::Start { .. } => f.write_str(
                "a worker that has this orchestrator and begins it; is one running, and does it have this version?",
            )?,
            Awaited::Resume { reason } => {
                write!(f, "being resumed; suspended {}: {reason}", ago(*at, wait.since))?;
            }
            Awaited::Worker => {
                f.write_str("a worker that takes its next step; nothing it asked for is open, is a worker running?")?;
            }
        }
        match &wait.place {
            Some(place) => write!(f, ", at {place}"),
            None => Ok(()),
        }
    }
}

impl Line<'_> {
    fn task(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wait.task.map_or(Ok(()), |task| write!(f, " (task {task})"))
    }

    fn held_up(&self, by: Option<&HeldUp>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(HeldUp { entity, owner, since }) = by else { return Ok(()) };
        write!(f, "; `{owner}` has the lock of `{entity}`, since {}", ago(self.at, *since))
    }
}

fn ago(at: Timestamp, then: Timestamp) -> String {
    format!("{} ago", Rough(at.duration_since(then)))
}

fn when(at: Timestamp, then: Timestamp) -> String {
    if then < at { ago(at, then) } else { format!("in {} ({then})", Rough(then.duration_since(at))) }
}

/// A duration in its two largest units.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let seconds = self.0.as_secs();
        if seconds == 0 {
            return write!(f, "{} ms", self.0.as_millis());
        }
        let first = UNITS.iter().position(|(size, _)| seconds >= *size).unwrap_or(UNITS.len() - 1);
        let (size, unit) = UNITS[first];
        write!(f, "{} {unit}", seconds / size)?;
        match UNITS.get(first + 1) {
            Some((next, unit)) if seconds % size >= *next => write!(f, " {} {unit}", seconds % size / next),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (milliseconds, told) in
            [(0, "0 ms"), (999, "999 ms"), (28_400, "28 s"), (62_000, "1 min 2 s"), (3_600_000, "1 h")]
        {
            assert_eq!(Rough(Duration::from_millis(milliseconds)).to_string(), told);
        }
        assert_eq!(Rough(Duration::from_secs(3 * 86_400 + 7_300)).to_string(), "3 d 2 h");
    }
}
