//! What the whole-product tests beside this folder share: the functions that are crashed, what a
//! history must look like however it came to be, scratch folders, and child processes.
//!
//! Knows only what a user of `durable` can know: nothing of engines and stores. Begin with
//! [`functions`], then [`well_formed`].

pub mod bank;
mod child;
mod folder;
pub mod functions;
pub mod gates;
pub mod mixed;
pub mod places;
mod related;
mod seeded;
#[cfg(target_os = "linux")]
mod shim;
mod well_formed;

pub use child::Child;
pub use folder::Folder;
pub use related::{Instances, Unrelated, related};
pub use seeded::Seeded;
#[cfg(target_os = "linux")]
pub use shim::Shim;
pub use well_formed::{Flaw, well_formed};
