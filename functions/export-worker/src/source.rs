//! What goes into the file, step by step: the document, the originals, the directory.

use std::collections::VecDeque;

use domain::media::Kind;
use function_kit::failure::Failure;
use store::{exports::StoredExport, personal_data::PersonalPage};

use crate::{
    archive::{Archive, MAX_UNKNOWN_SIZE},
    document, names,
    ports::{Listed, Ports},
    progress::{OpenOriginal, Progress, Stage},
    stores::STORES,
};

/// Result of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The progress has moved.
    Written,
    /// What was begun no longer exists.
    Lost,
    /// The document is too large.
    TooLarge,
}

/// Reads what goes into the file.
#[derive(Debug, Default)]
pub struct Source {
    /// The next originals, of the present kind.
    listed: VecDeque<Listed>,
}

impl Source {
    /// Adds the next piece to `archive`, and moves `progress`.
    pub async fn step(
        &mut self,
        ports: &impl Ports,
        export: &StoredExport,
        username: &str,
        piece_bytes: u64,
        progress: &mut Progress,
        archive: &mut Archive,
    ) -> Result<Step, Failure> {
        progress.stage = match std::mem::take(&mut progress.stage) {
            Stage::Profile => {
                let profile = ports.profile(username).await?;
                archive.begin(document::PATH.to_owned(), export.created_at, None);
                archive.write(document::begin(&export.owner, &profile, export.created_at).as_bytes());
                Stage::Rows { store: 0, after: None, has_rows: false }
            }
            Stage::Rows { store, after, has_rows } => match STORES.get(store) {
                Some(described) => {
                    let PersonalPage { rows, next } = ports.rows(store, &export.owner, after.as_ref()).await?;
                    if after.is_none() {
                        archive.write(document::begin_list(described.name).as_bytes());
                    }
                    archive.write(document::rows(&rows, has_rows).as_bytes());
                    if archive.open_size() > MAX_UNKNOWN_SIZE {
                        return Ok(Step::TooLarge);
                    }
                    if next.is_none() {
                        archive.write(document::END_LIST.as_bytes());
                        Stage::Rows { store: store + 1, after: None, has_rows: false }
                    } else {
                        Stage::Rows { store, after: next, has_rows: has_rows || !rows.is_empty() }
                    }
                }
                None => {
                    archive.write(document::END.as_bytes());
                    archive.end();
                    Stage::Originals { kind: 0, after: None, open: None }
                }
            },
            Stage::Originals { kind, open: Some(open), after } => {
                let start = archive.open_size();
                if start < open.size {
                    let length = piece_bytes.min(open.size - start);
                    let Some(piece) = ports.piece(&open.key, Some(&open.version), start, length).await? else {
                        return Ok(Step::Lost);
                    };
                    archive.write(&piece.bytes);
                    Stage::Originals { kind, open: Some(open), after }
                } else {
                    archive.end();
                    Stage::Originals { kind, open: None, after: Some(open.key) }
                }
            }
            Stage::Originals { kind, open: None, after } => match Kind::ALL.get(kind) {
                Some(named) => self.next_original(ports, export, (kind, *named), after, piece_bytes, archive).await?,
                None => {
                    // The pieces are complete before the first one is read.
                    let directory = archive.take_directory();
                    if !directory.is_empty() {
                        ports.store_work(&names::directory(export, progress.directory_pieces), directory).await?;
                        progress.directory_pieces += 1;
                    }
                    Stage::Directory { pieces: 0 }
                }
            },
            Stage::Directory { pieces } if pieces < progress.directory_pieces => {
                let Some(entries) = ports.work(&names::directory(export, pieces)).await? else {
                    return Ok(Step::Lost);
                };
                archive.add_directory(&entries);
                Stage::Directory { pieces: pieces + 1 }
            }
            Stage::Directory { .. } => {
                if !archive.finish() {
                    return Err(Failure::bug("make an export", "its directory is incomplete"));
                }
                Stage::Complete
            }
            Stage::Complete => Stage::Complete,
        };
        Ok(Step::Written)
    }

    /// Begins the next original of a kind, or the next kind.
    async fn next_original(
        &mut self,
        ports: &impl Ports,
        export: &StoredExport,
        (kind, named): (usize, Kind),
        after: Option<String>,
        piece_bytes: u64,
        archive: &mut Archive,
    ) -> Result<Stage, Failure> {
        if self.listed.is_empty() {
            self.listed = ports.originals(&format!("{named}/{}/", export.owner), after.as_deref()).await?.into();
        }
        let Some(Listed { key, size }) = self.listed.pop_front() else {
            return Ok(Stage::Originals { kind: kind + 1, after: None, open: None });
        };
        let Some(piece) = ports.piece(&key, None, 0, piece_bytes.min(size)).await? else {
            // It was deleted since it was listed.
            return Ok(Stage::Originals { kind, after: Some(key), open: None });
        };
        archive.begin(names::entry(named, &key, piece.file_name.as_deref()), piece.modified, Some(piece.size));
        archive.write(&piece.bytes);
        let open = OpenOriginal { key, version: piece.version, size: piece.size };
        Ok(Stage::Originals { kind, after, open: Some(open) })
    }
}
