use std::{
    borrow::Cow,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write as _},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::commit::Write;

/// What happened to the graph and its stream, a line of JSON each, in a file that only grows.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// How much of the file is whole lines.
    length: u64,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Entry<'a> {
    /// Writes were committed.
    #[serde(rename_all = "camelCase")]
    Commit {
        /// Its number.
        commit_num: u64,
        /// When it was requested.
        timestamp: i64,
        /// Its writes.
        writes: Cow<'a, [Write]>,
    },
    /// Writes were committed while the stream was off.
    Unstreamed {
        /// The writes.
        writes: Cow<'a, [Write]>,
    },
    /// Commits expired.
    Trim {
        /// The last of them.
        through: u64,
    },
    /// The graph and the stream were deleted.
    Reset {},
}

impl Journal {
    /// Opens the file, which need not exist, and hands every entry in it to `replay`. It stays
    /// locked for others.
    ///
    /// A last line that broke off when a process ended is dropped: nobody was told that what it
    /// says had happened.
    pub fn open(path: &Path, mut replay: impl FnMut(Entry<'static>) -> Result<()>) -> Result<Self> {
        let open = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = open.with_context(|| format!("cannot open {}", path.display()))?;
        file.try_lock().with_context(|| format!("{} is in use by another emulator", path.display()))?;
        let mut journal = Self { file, length: 0 };
        let mut reader = BufReader::new(journal.file.try_clone()?);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            let length = reader.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                break;
            }
            let happened = serde_json::from_slice(&line).map_err(anyhow::Error::new).and_then(&mut replay);
            happened.with_context(|| format!("{}, line {number}", path.display()))?;
            journal.length += length as u64;
        }
        journal.file.set_len(journal.length)?;
        Ok(journal)
    }

    /// Writes an entry, whole or not at all.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // Whatever was written of it must not stand before the next line.
            if let Err(worse) = self.file.set_len(self.length) {
                bail!("the journal is damaged: {error}, then {worse}");
            }
            return Err(error).context("cannot write to the journal");
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::testing::TemporaryFile;

    fn replayed(path: &Path) -> Result<Vec<Entry<'static>>> {
        let mut entries = Vec::new();
        Journal::open(path, |entry| {
            entries.push(entry);
            Ok(())
        })?;
        Ok(entries)
    }

    fn commit() -> Entry<'static> {
        let writes = vec![Write::RemoveVertex { id: "한강\n".into() }].into();
        Entry::Commit { commit_num: u64::MAX, timestamp: 7, writes }
    }

    #[test]
    fn entries_come_back_in_order() {
        let file = TemporaryFile::new();
        let entries = [commit(), Entry::Trim { through: 3 }, Entry::Reset {}, commit()];
        for pair in entries.chunks(2) {
            let mut journal = Journal::open(file.path(), |_| Ok(())).unwrap();
            pair.iter().for_each(|entry| journal.append(entry).unwrap());
        }
        assert_eq!(replayed(file.path()).unwrap(), entries);
    }

    #[test]
    fn a_torn_last_line_is_dropped() {
        let file = TemporaryFile::new();
        let mut journal = Journal::open(file.path(), |_| Ok(())).unwrap();
        journal.append(&commit()).unwrap();
        journal.append(&commit()).unwrap();
        drop(journal);
        let whole = fs::read(file.path()).unwrap();
        for length in whole.len() / 2..whole.len() {
            fs::write(file.path(), &whole[..length]).unwrap();
            let mut journal = Journal::open(file.path(), |_| Ok(())).unwrap();
            journal.append(&Entry::Reset {}).unwrap();
            drop(journal);
            assert_eq!(replayed(file.path()).unwrap(), [commit(), Entry::Reset {}], "torn at {length}");
        }
    }

    #[test]
    fn any_other_damage_is_told() {
        let file = TemporaryFile::new();
        for text in ["{\"trim\":{\"through\":1}}\n{\"tri\n{\"reset\":{}}\n", "\n\n"] {
            fs::write(file.path(), text).unwrap();
            let error = replayed(file.path()).unwrap_err();
            assert!(format!("{error:#}").contains("line "), "{error:#}");
        }
    }

    #[test]
    fn nobody_else_may_write() {
        let file = TemporaryFile::new();
        let _journal = Journal::open(file.path(), |_| Ok(())).unwrap();
        let error = Journal::open(file.path(), |_| Ok(())).unwrap_err();
        assert!(format!("{error:#}").contains("in use"), "{error:#}");
    }
}
