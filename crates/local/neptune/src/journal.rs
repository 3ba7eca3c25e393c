use std::{
    borrow::Cow,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Write as _},
    path::Path,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::commit::Write;

/// An append-only file with a JSON line per change of the graph and its stream.
#[derive(Debug)]
pub struct Journal {
    file: File,
    /// Length of the complete lines in bytes.
    length: u64,
}

/// A line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Entry<'a> {
    /// A commit.
    #[serde(rename_all = "camelCase")]
    Commit {
        /// Commit number.
        commit_num: u64,
        /// Commit time in milliseconds since 1970.
        timestamp: i64,
        /// The writes.
        writes: Cow<'a, [Write]>,
    },
    /// A commit that is not in the stream.
    Unstreamed {
        /// The writes.
        writes: Cow<'a, [Write]>,
    },
    /// Commits expired.
    Trim {
        /// Number of the last expired commit.
        through: u64,
    },
    /// The graph and the stream were deleted.
    Reset {},
}

impl Journal {
    /// Opens or creates the file, locks it, and passes every entry to `replay`.
    ///
    /// An incomplete last line is dropped: its commit was never acknowledged.
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
            let replayed = serde_json::from_slice(&line).map_err(anyhow::Error::new).and_then(&mut replay);
            replayed.with_context(|| format!("{}, line {number}", path.display()))?;
            journal.length += length as u64;
        }
        journal.file.set_len(journal.length)?;
        Ok(journal)
    }

    /// Appends an entry atomically.
    pub fn append(&mut self, entry: &Entry<'_>) -> Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if let Err(error) = self.file.write_all(&line) {
            // A partial line must not precede the next entry.
            if let Err(worse) = self.file.set_len(self.length) {
                bail!("the journal is corrupt: {error}, then {worse}");
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

    use tempfile::NamedTempFile;

    use super::*;

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
    fn entries_are_replayed_in_order() {
        let file = NamedTempFile::new().unwrap();
        let entries = [commit(), Entry::Trim { through: 3 }, Entry::Reset {}, commit()];
        for pair in entries.chunks(2) {
            let mut journal = Journal::open(file.path(), |_| Ok(())).unwrap();
            pair.iter().for_each(|entry| journal.append(entry).unwrap());
        }
        assert_eq!(replayed(file.path()).unwrap(), entries);
    }

    #[test]
    fn incomplete_last_line_is_dropped() {
        let file = NamedTempFile::new().unwrap();
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
            assert_eq!(replayed(file.path()).unwrap(), [commit(), Entry::Reset {}], "cut at {length}");
        }
    }

    #[test]
    fn other_corruption_is_an_error_with_its_line() {
        let file = NamedTempFile::new().unwrap();
        for text in ["{\"trim\":{\"through\":1}}\n{\"tri\n{\"reset\":{}}\n", "\n\n"] {
            fs::write(file.path(), text).unwrap();
            let error = replayed(file.path()).unwrap_err();
            assert!(format!("{error:#}").contains("line "), "{error:#}");
        }
    }

    #[test]
    fn journal_in_use_cannot_be_opened() {
        let file = NamedTempFile::new().unwrap();
        let _journal = Journal::open(file.path(), |_| Ok(())).unwrap();
        let error = Journal::open(file.path(), |_| Ok(())).unwrap_err();
        assert!(format!("{error:#}").contains("in use"), "{error:#}");
    }
}
