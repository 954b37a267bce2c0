//! What one contender is asked to do, as the arguments of its process.
//!
//! Begin with [`Job`].

use std::{path::PathBuf, str::FromStr, time::Duration};

use crate::{GaugeError, Workload};

/// What one run of one contender is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What is measured.
    pub workload: Workload,
    /// How many operations.
    pub size: u64,
    /// Where the store is to be.
    pub file: PathBuf,
    /// What "acknowledged" is to mean, for contenders that have a choice.
    pub durability: Durability,
    /// After this time what was done is counted, and the run ends.
    pub limit: Duration,
    /// Before or after the restart.
    pub stage: Stage,
    /// Whether somebody watches, and wants [`Line::Done`](crate::Line::Done).
    pub watched: bool,
}

/// What "acknowledged" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Safe against a power cut.
    Full,
    /// Safe against a crash of the process.
    Relaxed,
}

impl Durability {
    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Relaxed => "relaxed",
        }
    }
}

impl FromStr for Durability {
    type Err = GaugeError;

    fn from_str(word: &str) -> Result<Self, GaugeError> {
        match word {
            "full" => Ok(Self::Full),
            "relaxed" => Ok(Self::Relaxed),
            _ => Err(GaugeError::Word { word: word.to_owned(), expected: "`full` or `relaxed`".to_owned() }),
        }
    }
}

/// Which part of a workload with a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The file is new.
    First,
    /// The file is what the first stage left behind.
    Restarted,
}

impl Job {
    /// The arguments that [`from_arguments`](Self::from_arguments) turns into this job.
    pub fn to_arguments(&self) -> Vec<String> {
        let stage = match self.stage {
            Stage::First => "first",
            Stage::Restarted => "restarted",
        };
        let watched = if self.watched { "watched" } else { "unwatched" };
        vec![
            self.workload.to_string(),
            self.size.to_string(),
            self.file.display().to_string(),
            self.durability.as_str().to_owned(),
            self.limit.as_secs().to_string(),
            stage.to_owned(),
            watched.to_owned(),
        ]
    }

    /// The job that these arguments of a process name.
    ///
    /// # Errors
    /// When one is missing or is not what is expected in its place.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, GaugeError> {
        let mut words = Words(arguments);
        let job = Self {
            workload: words.next("a workload")?.parse()?,
            size: words.number("a size")?,
            file: words.next("a file")?.into(),
            durability: words.next("a durability")?.parse()?,
            limit: Duration::from_secs(words.number("a limit in seconds")?),
            stage: words.one_of([("first", Stage::First), ("restarted", Stage::Restarted)])?,
            watched: words.one_of([("watched", true), ("unwatched", false)])?,
        };
        Ok(job)
    }
}

struct Words<I>(I);

impl<I: Iterator<Item = String>> Words<I> {
    fn next(&mut self, expected: &str) -> Result<String, GaugeError> {
        self.0.next().ok_or_else(|| wrong("", expected))
    }

    fn number(&mut self, expected: &str) -> Result<u64, GaugeError> {
        let word = self.next(expected)?;
        word.parse().map_err(|_| wrong(&word, expected))
    }

    fn one_of<T: Copy>(&mut self, choices: [(&str, T); 2]) -> Result<T, GaugeError> {
        let expected = format!("`{}` or `{}`", choices[0].0, choices[1].0);
        let word = self.next(&expected)?;
        let choice = choices.iter().find(|(name, _)| *name == word);
        choice.map(|(_, value)| *value).ok_or_else(|| wrong(&word, &expected))
    }
}

fn wrong(word: &str, expected: &str) -> GaugeError {
    GaugeError::Word { word: word.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_survives_the_way_through_the_command_line() {
        let job = Job {
            workload: Workload::FanOut,
            size: 1000,
            file: "/data/with space.db".into(),
            durability: Durability::Relaxed,
            limit: Duration::from_secs(90),
            stage: Stage::Restarted,
            watched: true,
        };
        assert_eq!(Job::from_arguments(job.to_arguments().into_iter()).unwrap(), job);
    }

    #[test]
    fn a_word_that_is_no_workload_is_quoted_with_the_choices() {
        let error = Job::from_arguments(["helo".to_owned()].into_iter()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`helo`") && text.contains("fan-out"), "{text}");
    }
}
