//! Runs a child under `power_cut/shim.c`, which stands between it and its files. Linux only. Begin
//! with [`Shim::compile`].

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::Command,
};

use crate::Folder;

/// The compiled shim.
#[derive(Debug)]
pub struct Shim(PathBuf);

impl Shim {
    /// Compiles the shim into `folder`, with the C compiler that building SQLite needs as well.
    ///
    /// # Errors
    /// When there is no compiler, or it refuses.
    pub fn compile(folder: &Folder) -> io::Result<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("power_cut/shim.c");
        let library = folder.file("shim.so");
        let mut compiler = Command::new("cc");
        compiler
            .args(["-O1", "-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .args(["-ldl", "-lpthread"]);
        if compiler.status()?.success() {
            Ok(Self(library))
        } else {
            Err(io::Error::other("`cc` cannot compile the shim; install a C compiler"))
        }
    }

    /// The program `child`, whose writes below `watched` are recorded in `log`, and among them what it
    /// writes to the file `acknowledged`.
    pub fn record(&self, child: &str, watched: &Path, log: &Path, acknowledged: &Path) -> Command {
        let mut command = self.watch(child, watched);
        command.env("POWER_LOG", log).env("POWER_ACKS", acknowledged);
        command
    }

    /// The program `child`, for which the disk below `watched` is full while `flag` exists.
    pub fn fill(&self, child: &str, watched: &Path, flag: &Path) -> Command {
        let mut command = self.watch(child, watched);
        command.env("POWER_FULL", flag);
        command
    }

    /// The program `child`, which may read below `watched` and write nothing.
    pub fn lock(&self, child: &str, watched: &Path) -> Command {
        let mut command = self.watch(child, watched);
        command.env("POWER_LOCKED", "1");
        command
    }

    fn watch(&self, child: &str, watched: &Path) -> Command {
        let mut folder = OsString::from(watched);
        folder.push("/");
        let mut command = Command::new(child);
        command.env("LD_PRELOAD", &self.0).env("POWER_FOLDER", folder);
        command
    }
}
