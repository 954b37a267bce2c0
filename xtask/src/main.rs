//! The project's own commands: `cargo xtask <command>`.
//!
//! Uses only the standard library, so that a fresh clone reaches its first check quickly. Must not
//! know what the product does; it only runs what a person could type. Begin with [`main`], then
//! `test.rs` for the one command everybody uses.

mod command;
mod examples;
mod step;
mod test;
mod tools;

use std::process::ExitCode;

use command::Command;
use step::StepError;

fn main() -> ExitCode {
    let outcome = match Command::read(std::env::args().skip(1)) {
        Ok(Command::Test(options)) => test::run(&options),
        Ok(Command::Deny) => tools::deny(),
        Ok(Command::Usage) => {
            eprintln!("{}", command::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprintln!("{mistake}\n\n{}", command::USAGE);
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

fn report(error: &StepError) {
    eprintln!("\nerror: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}
