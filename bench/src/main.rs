//! Measures `durable`, and the peers it can build, on the same workloads in the same run.
//!
//! ```console
//! $ cargo run --release -p durable-bench -- hello --peer duroxide
//! ```
//!
//! Each run of each contender is a process of its own, so that memory and processor time are its own:
//! this program starts itself with `--contender` for ours. Begin with `compare.rs`; what is measured is
//! in `ours/`.

mod args;
mod compare;
mod contender;
mod engine;
mod error;
mod ours;
mod peer;
mod report;
mod summary;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use args::Command;
use error::BenchError;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is closed there is nobody to tell.
            let _ = writeln!(io::stderr(), "{}", error.with_causes());
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), BenchError> {
    match Command::from_arguments(std::env::args().skip(1))? {
        Command::Help => print(&mut io::stdout(), args::HELP),
        Command::Engine => print(&mut io::stdout(), &engine::table()),
        Command::Instances { count, folder, original } => {
            let folder = folder.unwrap_or_else(beside);
            ours::instances::print(count, &folder, original.as_deref(), &mut io::stdout())
        }
        Command::Contend(job) => ours::main(&job),
        Command::Compare(request) => {
            let summary = compare::run(&request)?;
            let report = report::render(&request, &summary);
            if !request.json {
                return print(&mut io::stdout(), &report);
            }
            // The object alone is the output; whoever watches still sees what it leaves out.
            print(&mut io::stderr(), &report)?;
            print(&mut io::stdout(), &summary.to_json(&request)?)
        }
    }
}

/// The folder of this program.
fn beside() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn print(out: &mut impl Write, text: &str) -> Result<(), BenchError> {
    writeln!(out, "{text}").map_err(BenchError::Print)
}
