//! `cargo xtask test`: everything a change must pass, cheapest first.
//!
//! The tests come last, so that the test runner's own summary ends the output.

use crate::{
    command::TestOptions,
    examples,
    step::{Step, StepError},
    tools,
};

/// Runs every step, up to the first that fails.
pub(crate) fn run(options: &TestOptions) -> Result<(), StepError> {
    tools::install_missing()?;
    Step::cargo("Format", &["fmt", "--all", "--check"]).run()?;
    Step::cargo("Lints", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()?;
    Step::cargo("Documentation", &["doc", "--workspace", "--no-deps"])
        .variable("RUSTDOCFLAGS", "-D warnings")
        .run()?;
    Step::cargo("Documentation tests", &["test", "--workspace", "--doc"]).run()?;
    examples::run()?;
    tests(options).run()
}

fn tests(options: &TestOptions) -> Step {
    let step = Step::cargo("Tests", &["nextest", "run", "--workspace"]);
    match options.fuzz_programs {
        Some(programs) => step.variable("DURABLE_FUZZ_PROGRAMS", programs.to_string()),
        None => step,
    }
}
