//! What is on a disk after the power failed: a model of a file system that keeps what was synced,
//! and of the rest anything.
//!
//! A file's content is certain up to its last completed sync. A name is certain once its file or its
//! folder was synced after it was made; its removal, once the folder was. Begin with
//! [`Disk::apply`], then [`Disk::survivors`].

use std::{collections::BTreeMap, fs, path::Path};

use durable_tests::Seeded;

use super::log::Record;

/// The unit that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What becomes of the writes that were not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    NoneSurvive,
    AllSurvive,
    SomeSurvive,
    /// All, but of the last write only some sectors.
    LastIsTorn,
}

pub(crate) const FATES: [Fate; 4] =
    [Fate::NoneSurvive, Fate::AllSurvive, Fate::SomeSurvive, Fate::LastIsTorn];

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate { length: usize },
}

/// One file, also one that has lost its name.
#[derive(Debug, Clone, Default)]
struct Inode {
    certain: Vec<u8>,
    /// With the number of the record that made each.
    unsynced: Vec<(usize, Change)>,
    name_is_certain: bool,
}

/// The folder as the child left it at some point of the log, with what may not have reached the disk.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<String, Inode>,
    /// Files whose removal may be undone by the power cut.
    removed: BTreeMap<String, Inode>,
    /// Where the sync that each descriptor is in began.
    syncing: BTreeMap<i64, usize>,
    records: usize,
}

impl Disk {
    /// Moves on by one record.
    pub(crate) fn apply(&mut self, record: &Record) {
        self.records += 1;
        match record {
            Record::Open { file } => {
                if !self.files.contains_key(file) {
                    self.files.insert(file.clone(), Inode::default());
                }
            }
            Record::Write { file, offset, bytes } => {
                self.change(file, Change::Write { offset: *offset, bytes: bytes.clone() });
            }
            Record::Truncate { file, length } => self.change(file, Change::Truncate { length: *length }),
            Record::SyncBegin { descriptor, .. } => {
                self.syncing.insert(*descriptor, self.records);
            }
            Record::SyncEnd { file, descriptor } => {
                let began = self.syncing.remove(descriptor).expect("a sync ends after it began");
                if let Some(inode) = self.files.get_mut(file) {
                    inode.sync(began);
                }
            }
            Record::Unlink { file } => {
                if let Some(inode) = self.files.remove(file) {
                    self.removed.insert(file.clone(), inode);
                }
            }
            Record::FolderSync => {
                self.removed.clear();
                self.files.values_mut().for_each(|inode| inode.name_is_certain = true);
            }
            Record::Acknowledged(_) => {}
        }
    }

    fn change(&mut self, file: &str, change: Change) {
        let inode = self.files.get_mut(file).expect("a file is opened before it is written");
        inode.unsynced.push((self.records, change));
    }

    /// Writes into `folder` what a power cut leaves now.
    pub(crate) fn survivors(&self, folder: &Path, fate: Fate, seeded: &mut Seeded) {
        for entry in fs::read_dir(folder).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        let last = self.files.values().filter_map(|inode| Some(inode.unsynced.last()?.0)).max();
        for (name, inode) in &self.removed {
            let comes_back = match fate {
                Fate::NoneSurvive => true,
                Fate::SomeSurvive => seeded.once_in(2),
                Fate::AllSurvive | Fate::LastIsTorn => false,
            };
            if comes_back && !self.files.contains_key(name) {
                inode.write(&folder.join(name), fate, last, seeded);
            }
        }
        for (name, inode) in &self.files {
            let is_there = inode.name_is_certain
                || match fate {
                    Fate::NoneSurvive => false,
                    Fate::SomeSurvive => seeded.once_in(2),
                    Fate::AllSurvive | Fate::LastIsTorn => true,
                };
            // The index of SQLite's log is memory shared between processes, and made anew.
            if is_there && !name.ends_with("-shm") {
                inode.write(&folder.join(name), fate, last, seeded);
            }
        }
    }
}

impl Inode {
    fn sync(&mut self, began: usize) {
        self.name_is_certain = true;
        let certain = self.unsynced.iter().take_while(|(record, _)| *record <= began).count();
        for (_, change) in self.unsynced.drain(..certain) {
            change.apply(&mut self.certain);
        }
    }

    fn write(&self, path: &Path, fate: Fate, last: Option<usize>, seeded: &mut Seeded) {
        let mut content = self.certain.clone();
        for (record, change) in &self.unsynced {
            match fate {
                Fate::NoneSurvive => {}
                Fate::SomeSurvive if seeded.once_in(2) => {}
                Fate::LastIsTorn if Some(*record) == last => change.tear(&mut content, seeded),
                Fate::AllSurvive | Fate::SomeSurvive | Fate::LastIsTorn => change.apply(&mut content),
            }
        }
        fs::write(path, content).unwrap();
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => put(content, *offset, bytes),
            Self::Truncate { length } => content.resize(*length, 0),
        }
    }

    /// Some of the sectors; the file is as long as if all had been written, as file systems that
    /// write its length first leave it.
    fn tear(&self, content: &mut Vec<u8>, seeded: &mut Seeded) {
        let Self::Write { offset, bytes } = self else { return };
        let mut at = 0;
        while at < bytes.len() {
            let end = (at + SECTOR - (offset + at) % SECTOR).min(bytes.len());
            if seeded.once_in(2) {
                put(content, offset + at, &bytes[at..end]);
            }
            at = end;
        }
        let length = content.len().max(offset + bytes.len());
        content.resize(length, 0);
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}
