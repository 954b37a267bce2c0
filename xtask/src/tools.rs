//! The programs the checks need, installed when they are missing.

use crate::step::{Step, StepError};

/// Makes sure that cargo can format, lint and run the tests.
pub(crate) fn install_missing() -> Result<(), StepError> {
    for (component, command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !is_there(command) {
            Step::rustup(format!("Install {component}"), &["component", "add", component]).run()?;
        }
    }
    if !is_there("nextest") {
        Step::cargo("Install the test runner", &["install", "--locked", "cargo-nextest"]).run()?;
    }
    Ok(())
}

/// Checks licences, advisories and sources of all dependencies.
pub(crate) fn deny() -> Result<(), StepError> {
    if !is_there("deny") {
        return Err(StepError::Unexpected(
            "cargo-deny is not installed, so nothing was checked; get it with `cargo install --locked cargo-deny`"
                .to_owned(),
        ));
    }
    Step::cargo("Licences and advisories", &["deny", "--all-features", "check"]).run()
}

fn is_there(command: &str) -> bool {
    Step::cargo(command, &[command, "--version"]).succeeds()
}
