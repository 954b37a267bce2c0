//! A child process that tells of its progress, line by line, and can be killed at any.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
};

/// A child process, killed when dropped.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Child {
    /// Starts `command`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().expect("the output has just been asked for");
        Ok(Self { process, input, lines: BufReader::new(output) })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The next line of its progress; `None` when it has ended.
    ///
    /// # Errors
    /// When the pipe breaks.
    pub fn line(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end().to_owned()))
    }

    /// Reads until a line that begins with `wanted`; `None` when the child ends before.
    ///
    /// # Errors
    /// When the pipe breaks.
    pub fn line_with(&mut self, wanted: &str) -> io::Result<Option<String>> {
        while let Some(line) = self.line()? {
            if line.starts_with(wanted) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Sends a line to it.
    ///
    /// # Errors
    /// When it no longer reads.
    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        let Some(input) = &mut self.input else { return Ok(()) };
        writeln!(input, "{line}")?;
        input.flush()
    }

    /// The end of its input that [`finish`](Self::finish) would close; whoever has it closes it by
    /// dropping it.
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.input.take()
    }

    /// Ends it with SIGKILL, as the system does when memory runs out, and gives the lines it still
    /// had written. False when it had ended by itself.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn kill(mut self) -> io::Result<(bool, Vec<String>)> {
        self.process.kill()?;
        let mut rest = Vec::new();
        while let Some(line) = self.line()? {
            rest.push(line);
        }
        let was_killed = self.process.wait()?.code().is_none();
        Ok((was_killed, rest))
    }

    /// Closes its input, reads what it still writes and waits for its end.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn finish(mut self) -> io::Result<(ExitStatus, Vec<String>)> {
        self.input = None;
        let mut rest = Vec::new();
        while let Some(line) = self.line()? {
            rest.push(line);
        }
        Ok((self.process.wait()?, rest))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It has usually ended by now, and then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
