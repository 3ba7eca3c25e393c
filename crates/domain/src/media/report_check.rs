//! Checks what a worker reports against all that can be derived without it.

use super::{
    Declared, Derivatives, Kind, MediaId, Original, OriginalKey, Outcome, Report, Sequencer, UnknownKey, Visibility,
    derivative_keys::is_file_of,
};
use crate::upload::Lane;

/// A worker, by the queue of its reports. Only that worker may send to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    /// `thumbnailer`.
    Pictures,
    /// `audio-worker`.
    Sound,
}

impl Worker {
    /// The worker that processes originals of this kind.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Avatar | Kind::Photo => Self::Pictures,
            Kind::Audio => Self::Sound,
        }
    }
}

/// What S3 says of the current object at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentObject {
    /// Size in bytes.
    pub size: u64,
    /// Declared metadata, from the object's headers.
    pub declared: Declared,
    /// Where it is processed.
    pub lane: Lane,
}

/// Why a report cannot come from a worker that does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForgedReport {
    /// The object has no owner.
    #[error(transparent)]
    Key(#[from] UnknownKey),
    /// The id is not the key's hash, or kind or owner are not those in the key.
    #[error("id, kind or owner are not those of the key")]
    Identity,
    /// The sender processes no items of this kind.
    #[error("the sender does not process items of this kind")]
    Sender,
    /// A recording's derivatives for a picture, or the reverse.
    #[error("the derivatives are of another kind than the item")]
    Kind,
    /// The key of a derivative belongs to another item, generation, visibility or worker.
    #[error("the key of a derivative is not one of the item's generation")]
    File,
}

impl Report {
    /// Checks that the report is about an item that `sender` processes, and has its id, kind and owner from the key.
    ///
    /// `sender` is `None` for reports of workers of the version before, which shared one queue.
    pub fn check_identity(&self, sender: Option<Worker>) -> Result<(), ForgedReport> {
        let Original { id, key, kind, owner, .. } = &self.original;
        let of_key = OriginalKey::parse(key)?;
        if *id != MediaId::of_key(key) || *kind != of_key.kind || owner != of_key.owner {
            return Err(ForgedReport::Identity);
        }
        match sender {
            Some(sender) if sender != Worker::of(*kind) => Err(ForgedReport::Sender),
            _ => Ok(()),
        }
    }

    /// The report with size and declaration of the current object. `None` if the report is about an object that has been
    /// replaced since: that has an event of its own.
    ///
    /// The files must be those that a worker names for the object: of the item, its generation and its visibility.
    pub fn with_object(mut self, current: CurrentObject) -> Result<Option<Self>, ForgedReport> {
        let visibility = current.declared.intent.visibility;
        if self.original.size != current.size || self.original.declared.intent.visibility != visibility {
            return Ok(None);
        }
        self.original.declared = current.declared;
        let Original { id, kind, sequencer, .. } = &self.original;
        if let Outcome::Ready(derived) = &self.outcome {
            check_files(derived, *id, *kind, sequencer, visibility)?;
        }
        Ok(Some(self))
    }
}

fn check_files(
    derived: &Derivatives,
    id: MediaId,
    kind: Kind,
    sequencer: &Sequencer,
    visibility: Visibility,
) -> Result<(), ForgedReport> {
    let worker = match derived {
        Derivatives::Picture(_) => Worker::Pictures,
        Derivatives::Sound(_) => Worker::Sound,
    };
    if worker != Worker::of(kind) {
        return Err(ForgedReport::Kind);
    }
    let extensions = extensions(worker);
    let is_expected = |key: &str| {
        let extension = key.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| extensions.contains(&extension)) && is_file_of(key, id, sequencer, visibility)
    };
    if keys(derived).into_iter().all(is_expected) { Ok(()) } else { Err(ForgedReport::File) }
}

/// The extensions of a worker's files. Its role can write no others (template.yaml).
pub fn extensions(worker: Worker) -> &'static [&'static str] {
    match worker {
        Worker::Pictures => &["jpg", "webp"],
        Worker::Sound => &["m4a", "opus", "json", "dat"],
    }
}

fn keys(derived: &Derivatives) -> Vec<&str> {
    match derived {
        Derivatives::Picture(picture) => picture.variants.iter().map(|variant| variant.key.as_str()).collect(),
        Derivatives::Sound(sound) => {
            let waveform = [&sound.waveform.json, &sound.waveform.binary];
            let renditions = sound.renditions.iter().map(|rendition| &rendition.file);
            waveform.into_iter().chain(renditions).map(|file| file.key.as_str()).collect()
        }
    }
}

#[cfg(test)]
mod tests;
