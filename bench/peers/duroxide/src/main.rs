//! Runs one workload of `durable-bench` on duroxide, and prints what it took.
//!
//! A process of its own, given a job as arguments; see `durable-bench-gauge` for both. What is measured is
//! in `workloads.rs`, how duroxide is set up in `engine.rs`.

mod engine;
mod error;
mod functions;
mod workloads;

use durable_bench_gauge::{Job, Line};
use error::PeerError;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    match run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn std::error::Error> = Some(&error);
            while let Some(error) = cause {
                eprintln!("{error}");
                cause = error.source();
            }
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), PeerError> {
    let job = Job::from_arguments(std::env::args().skip(1))?;
    let measured = workloads::run(&job).await?;
    Line::Measured(measured).print()?;
    Ok(())
}
