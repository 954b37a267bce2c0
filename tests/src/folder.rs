//! Scratch folders.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder of its own for one test, removed with everything in it when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A folder on disk.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(test: &str) -> io::Result<Self> {
        Self::below(&std::env::temp_dir(), test)
    }

    /// A folder in memory where the system has one, otherwise on disk: for many short-lived copies.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn in_memory(test: &str) -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory, test) } else { Self::new(test) }
    }

    fn below(parent: &Path, test: &str) -> io::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("durable-{test}-{}-{number}", std::process::id()));
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The address of a hub in the file `name`.
    pub fn hub(&self, name: &str) -> String {
        format!("sqlite:{}", self.file(name).display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind disturbs nobody: the next folder has another name.
        let _ = fs::remove_dir_all(&self.0);
    }
}
