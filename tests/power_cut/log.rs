//! Reads what `shim.c` recorded. Must not know what survives a power cut. Begin with [`read`].

use std::{collections::BTreeMap, fs, path::Path};

/// One thing that the child did, in order. A file is named by the name it had in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    /// A file was opened, and made when there was none.
    Open { file: String },
    Write { file: String, offset: usize, bytes: Vec<u8> },
    Truncate { file: String, length: usize },
    /// The file is being synced; every earlier record of it will be covered.
    SyncBegin { file: String, descriptor: i64 },
    /// It has been, from the last beginning through the same descriptor.
    SyncEnd { file: String, descriptor: i64 },
    Unlink { file: String },
    /// The folder has been synced: names that were made or removed will stay so.
    FolderSync,
    /// The child was told that something is durable.
    Acknowledged(String),
}

/// The records in the order in which the child made them.
pub(crate) fn read(log: &Path) -> Vec<Record> {
    let bytes = fs::read(log).unwrap();
    let mut rest = &bytes[..];
    let mut names = BTreeMap::new();
    let mut records = Vec::new();
    while !rest.is_empty() {
        let (header, behind) = rest.split_at(32);
        let [kind, descriptor, offset, length] =
            std::array::from_fn(|at| i64::from_le_bytes(header[at * 8..at * 8 + 8].try_into().unwrap()));
        let (content, behind) = behind.split_at(usize::try_from(length).unwrap());
        rest = behind;
        let text = || String::from_utf8(content.to_vec()).unwrap();
        let last = || Path::new(&text()).file_name().unwrap().to_str().unwrap().to_owned();
        if kind == 1 {
            names.insert(descriptor, last());
        }
        let file = names.get(&descriptor).cloned().unwrap_or_default();
        let offset = usize::try_from(offset).unwrap();
        records.push(match kind {
            1 => Record::Open { file },
            2 => Record::Write { file, offset, bytes: content.to_vec() },
            3 => Record::Truncate { file, length: offset },
            4 => Record::SyncBegin { file, descriptor },
            5 => Record::SyncEnd { file, descriptor },
            6 => Record::Unlink { file: last() },
            7 => Record::Acknowledged(text().trim_end().to_owned()),
            8 => Record::FolderSync,
            _ => panic!("the shim wrote a record of kind {kind}"),
        });
    }
    records
}
