//! One run of one contender, in a process of its own. Begin with [`Contender::run`].

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{ChildStdout, Command, Stdio},
};

use durable_bench_gauge::{Job, Line, Measured};

use crate::error::BenchError;

/// A program that runs jobs.
#[derive(Debug)]
pub(crate) struct Contender {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments before those of the job.
    pub(crate) leading: Vec<String>,
}

impl Contender {
    /// Runs `job` to its end; `watch` is told how many operations are done meanwhile.
    pub(crate) fn run(&self, job: &Job, watch: impl FnMut(u64)) -> Result<Measured, BenchError> {
        let failed = || BenchError::system("running", &self.program);
        let mut child = Command::new(&self.program)
            .args(&self.leading)
            .args(job.to_arguments())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed())?;
        let out = child.stdout.take().expect("standard output is piped");
        let measured = self.read(out, watch);
        if measured.is_err() {
            // It may be gone already; what went wrong is told by the error below.
            let _ = child.kill();
        }
        let status = child.wait().map_err(failed())?;
        measured?
            .filter(|_| status.success())
            .ok_or(BenchError::NoResult { contender: self.name.to_owned(), status })
    }

    fn read(&self, out: ChildStdout, mut watch: impl FnMut(u64)) -> Result<Option<Measured>, BenchError> {
        let mut measured = None;
        for line in BufReader::new(out).lines() {
            let line = line.map_err(BenchError::system("reading from", &self.program))?;
            match serde_json::from_str(&line) {
                Ok(Line::Done(operations)) => watch(operations),
                Ok(Line::Measured(figures)) => measured = Some(figures),
                Err(source) => {
                    return Err(BenchError::Line { contender: self.name.to_owned(), line, source });
                }
            }
        }
        Ok(measured)
    }
}
