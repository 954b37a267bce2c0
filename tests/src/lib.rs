//! What the whole-product tests beside this folder share: the functions that are crashed, what a
//! history must look like however it came to be, scratch folders, and child processes.
//!
//! Knows only what a user of `durable` can know: nothing of engines and stores. Begin with
//! [`functions`], then [`well_formed`].

mod child;
mod folder;
pub mod functions;
mod seeded;
mod well_formed;

pub use child::Child;
pub use folder::Folder;
pub use seeded::Seeded;
pub use well_formed::{Flaw, well_formed};
