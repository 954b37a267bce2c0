//! Runs a child under `shim.c`, which is compiled here. Begin with [`Shim::compile`].

#![allow(dead_code, reason = "the two tests that include this file each use a part of it")]

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use durable_tests::Folder;

/// The compiled shim.
pub(crate) struct Shim(PathBuf);

impl Shim {
    /// Compiles the shim into `folder`, with the C compiler that building SQLite needs as well.
    pub(crate) fn compile(folder: &Folder) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("power_cut/shim.c");
        let library = folder.file("shim.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).args(["-ldl", "-lpthread"]);
        assert!(compiler.status().unwrap().success(), "the shim cannot be compiled");
        Self(library)
    }

    /// A child whose writes below `watched` are recorded in `log`.
    pub(crate) fn record(&self, watched: &Path, log: &Path, acknowledged: &Path) -> Command {
        let mut command = self.watch(watched);
        command.env("POWER_LOG", log).env("POWER_ACKS", acknowledged);
        command
    }

    /// A child for which the disk below `watched` is full while `flag` exists.
    pub(crate) fn fill(&self, watched: &Path, flag: &Path) -> Command {
        let mut command = self.watch(watched);
        command.env("POWER_FULL", flag);
        command
    }

    /// A child that may read below `watched`, and write nothing.
    pub(crate) fn lock(&self, watched: &Path) -> Command {
        let mut command = self.watch(watched);
        command.env("POWER_LOCKED", "1");
        command
    }

    fn watch(&self, watched: &Path) -> Command {
        let mut folder = OsString::from(watched);
        folder.push("/");
        let mut command = Command::new(env!("CARGO_BIN_EXE_crash_child"));
        command.env("LD_PRELOAD", &self.0).env("POWER_FOLDER", folder);
        command
    }
}
