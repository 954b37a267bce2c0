//! One step: a program that must end well.
//!
//! Prints a heading, runs, and when the program fails says which line to type to see it again.
//! Begin with [`Step`].

use std::{
    ffi::{OsStr, OsString},
    fmt,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// A program to run at the top of the repository.
///
/// It gets no standard input: nothing here ever waits for a person.
#[derive(Debug)]
pub(crate) struct Step {
    heading: String,
    program: OsString,
    shown: String,
    arguments: Vec<OsString>,
    environment: Vec<(&'static str, OsString)>,
}

impl Step {
    /// A run of the cargo that runs us.
    pub(crate) fn cargo(heading: impl Into<String>, arguments: &[&str]) -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self::new(heading.into(), cargo, "cargo".to_owned(), arguments)
    }

    /// A run of rustup.
    pub(crate) fn rustup(heading: impl Into<String>, arguments: &[&str]) -> Self {
        Self::new(heading.into(), "rustup".into(), "rustup".to_owned(), arguments)
    }

    /// A run of a program that is built already.
    pub(crate) fn program(heading: impl Into<String>, program: &Path) -> Self {
        Self::new(heading.into(), program.into(), quoted(program.as_os_str()), &[])
    }

    fn new(heading: String, program: OsString, shown: String, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(OsString::from).collect();
        Self { heading, program, shown, arguments, environment: Vec::new() }
    }

    /// One argument more.
    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// A variable of the environment.
    pub(crate) fn variable(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name, value.as_ref().to_owned()));
        self
    }

    /// Runs it and waits for its end.
    pub(crate) fn run(self) -> Result<(), StepError> {
        eprintln!("\n==> {}\n    {}", self.heading, self.line());
        match self.command().status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(StepError::Failed { line: self.line(), status }),
            Err(source) => Err(StepError::NotStarted { line: self.line(), source }),
        }
    }

    /// Runs it and gives the lines it prints, showing them meanwhile.
    pub(crate) fn run_reading(self) -> Result<Vec<String>, StepError> {
        let (mut child, lines) = self.start_reading()?;
        let lines: Vec<_> = lines.collect();
        match child.wait() {
            Ok(status) if status.success() => Ok(lines),
            Ok(status) => Err(StepError::Failed { line: self.line(), status }),
            Err(source) => Err(StepError::NotStarted { line: self.line(), source }),
        }
    }

    /// Runs it and kills it, without a chance to do anything more, at the first line that contains
    /// `mark`.
    pub(crate) fn run_and_kill_at(self, mark: &str) -> Result<(), StepError> {
        let (mut child, mut lines) = self.start_reading()?;
        let met = lines.any(|line| line.contains(mark));
        let killed = child.kill().and_then(|()| child.wait());
        match killed {
            Ok(_) if met => Ok(()),
            Ok(_) => Err(StepError::Unexpected(format!("`{mark}` was never printed by: {}", self.line()))),
            Err(source) => Err(StepError::NotKilled { line: self.line(), source }),
        }
    }

    fn start_reading(&self) -> Result<(Child, impl Iterator<Item = String>), StepError> {
        eprintln!("\n==> {}\n    {}", self.heading, self.line());
        let child = self.command().stdout(Stdio::piped()).spawn();
        let mut child = child.map_err(|source| StepError::NotStarted { line: self.line(), source })?;
        let output = child.stdout.take().expect("the output is piped");
        let lines = BufReader::new(output).lines().map_while(Result::ok);
        Ok((child, lines.inspect(|line| eprintln!("{line}"))))
    }

    /// Whether it ends well, without heading or output.
    pub(crate) fn succeeds(&self) -> bool {
        self.command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(top()).stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// What a person types to do the same.
    fn line(&self) -> String {
        let variables = self.environment.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        let arguments = self.arguments.iter().map(|argument| quoted(argument));
        let words: Vec<_> = variables.chain([self.shown.clone()]).chain(arguments).collect();
        words.join(" ")
    }
}

/// Why a step ended the run.
#[derive(Debug)]
pub(crate) enum StepError {
    /// The program could not be started.
    NotStarted { line: String, source: io::Error },
    /// The program could not be killed.
    NotKilled { line: String, source: io::Error },
    /// The program ended badly.
    Failed { line: String, status: ExitStatus },
    /// A file or folder could not be used.
    File { tried: &'static str, path: PathBuf, source: io::Error },
    /// The programs ran, but not to the end that was wanted.
    Unexpected(String),
}

impl fmt::Display for StepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted { line, .. } => write!(f, "could not start: {line}"),
            Self::NotKilled { line, .. } => write!(f, "could not kill: {line}"),
            Self::Failed { line, status } => write!(f, "{status}; to repeat this step alone:\n    {line}"),
            Self::File { tried, path, .. } => write!(f, "could not {tried} `{}`", path.display()),
            Self::Unexpected(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for StepError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotStarted { source, .. } | Self::NotKilled { source, .. } | Self::File { source, .. } => {
                Some(source)
            }
            Self::Failed { .. } | Self::Unexpected(_) => None,
        }
    }
}

/// The top folder of the repository: asked when it runs, for several clones may share what is built.
fn top() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().expect("xtask stands in a folder of the workspace").to_owned()
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:+,@".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_repeat_can_be_typed_as_it_is_shown() {
        let step = Step::cargo("lints", &["clippy", "--", "-D"])
            .argument("two words")
            .variable("FLAGS", "-D warnings");
        assert_eq!(step.line(), "FLAGS='-D warnings' cargo clippy -- -D 'two words'");
    }

    #[test]
    fn a_failing_program_tells_how_to_repeat_it() {
        let error = Step::cargo("nothing", &["no-such-command-of-cargo"]).run().expect_err("no such command");
        assert!(error.to_string().contains("cargo no-such-command-of-cargo"), "{error}");
    }
}
