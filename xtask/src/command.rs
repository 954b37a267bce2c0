//! What was typed after `cargo xtask`.
//!
//! Pure: text in, [`Command`] out. Begin with [`Command::read`].

use std::fmt;

/// Shown for `help` and after a mistake.
pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  test [--fuzz <programs>]   format, lints, documentation, examples, then every test
  deny                       licences and advisories of all dependencies (needs cargo-deny)
  help                       this text

  --fuzz <programs>          how many random programs the replay engine is tried with; without it,
                             the test's own number";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Everything a change must pass.
    Test(TestOptions),
    /// The dependencies.
    Deny,
    /// Say what can be typed.
    Usage,
}

/// How `cargo xtask test` runs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Random programs for the replay fuzz test; `None` leaves it to the test.
    pub(crate) fuzz_programs: Option<u64>,
}

/// A command line that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.0)
    }
}

impl Command {
    /// Reads the words after `cargo xtask`.
    pub(crate) fn read(words: impl IntoIterator<Item = String>) -> Result<Self, Mistake> {
        let mut words = words.into_iter();
        let command = match words.next().as_deref() {
            Some("test") => Self::Test(TestOptions::read(&mut words)?),
            Some("deny") => Self::Deny,
            Some("help" | "--help" | "-h") | None => Self::Usage,
            Some(other) => return Err(Mistake(format!("there is no command `{other}`"))),
        };
        match words.next() {
            None => Ok(command),
            Some(extra) => Err(Mistake(format!("`{extra}` is one word too many"))),
        }
    }
}

impl TestOptions {
    fn read(words: &mut impl Iterator<Item = String>) -> Result<Self, Mistake> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let number = match word.as_str() {
                "--fuzz" => words.next(),
                other => match other.strip_prefix("--fuzz=") {
                    Some(number) => Some(number.to_owned()),
                    None => return Err(Mistake(format!("`test` has no option `{other}`"))),
                },
            };
            let number = number.unwrap_or_default();
            let programs = number
                .replace('_', "")
                .parse()
                .map_err(|_| Mistake(format!("`--fuzz` takes a number of programs, not `{number}`")))?;
            options.fuzz_programs = Some(programs);
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, Mistake> {
        Command::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_number_of_programs_is_read_in_every_spelling() {
        let expected = Ok(Command::Test(TestOptions { fuzz_programs: Some(500_000) }));
        assert_eq!(read("test --fuzz 500000"), expected);
        assert_eq!(read("test --fuzz=500_000"), expected);
        assert_eq!(read("test"), Ok(Command::Test(TestOptions::default())));
    }

    #[test]
    fn what_means_nothing_is_named() {
        for (line, word) in [
            ("tset", "`tset`"),
            ("test --fast", "`--fast`"),
            ("test --fuzz many", "`many`"),
            ("deny all", "`all`"),
        ] {
            let mistake = read(line).expect_err(line).to_string();
            assert!(mistake.contains(word), "{line}: {mistake}");
        }
    }
}
