//! The peers, and how they are built.
//!
//! Each lives in a workspace of its own below `bench/peers`, with its own lock file. Begin with [`Peer`].

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{contender::Contender, error::BenchError};

/// Whom ours can be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The crate `duroxide`, on its SQLite provider.
    Duroxide,
}

impl Peer {
    /// The peer of this name.
    pub(crate) fn from_name(name: &str) -> Result<Self, BenchError> {
        match name {
            "duroxide" => Ok(Self::Duroxide),
            _ => {
                Err(BenchError::Arguments { reason: format!("`{name}` is not a peer: there is `duroxide`") })
            }
        }
    }

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Duroxide => "duroxide",
        }
    }

    /// Builds it in release mode into `target`, and gives the program.
    pub(crate) fn build(self, target: &Path) -> Result<Contender, BenchError> {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(self.as_str());
        // The one on the path, in that folder: it settles the toolchain also for dependencies that name
        // another.
        let mut command = Command::new("cargo");
        command.args(["build", "--release", "--locked"]).current_dir(workspace);
        command.arg("--target-dir").arg(target).stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status().map_err(BenchError::system("running", "cargo"))?;
        if !status.success() {
            return Err(BenchError::Build { peer: self.as_str(), command: format!("{command:?}"), status });
        }
        Ok(Contender { name: self.as_str(), program: self.program(target), leading: Vec::new() })
    }

    fn program(self, target: &Path) -> PathBuf {
        let name = format!("durable-bench-{}{}", self.as_str(), std::env::consts::EXE_SUFFIX);
        target.join("release").join(name)
    }
}
