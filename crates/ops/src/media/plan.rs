//! Decides whether an item is rendered again.
//!
//! The worker receives S3's event of the upload with the position in the table. Like every late or repeated event, it
//! loses to a later deletion or overwrite in any order. metadata-writer does not receive it, because it would set the
//! item to `processing` for a while.

use domain::media::{Kind, MediaItem, ObjectChange, ObjectEvent, State};

/// Properties of an original in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Size in bytes.
    pub size: u64,
    /// `ETag` without quotes.
    pub etag: String,
}

/// A function that processes originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Renders variants of pictures.
    Thumbnailer,
    /// Renders renditions of recordings.
    AudioWorker,
}

/// The decision for an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send the event to the worker.
    Send(Worker, Box<ObjectEvent>),
    /// Do nothing.
    Skip(SkipReason),
}

/// Why an item is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The table has no row: no event of the original has been processed, or the key is not one of an original.
    Unknown,
    /// The item is deleted.
    Deleted,
    /// The original is missing or differs from the table. An event of S3 will follow.
    Changed,
    /// The position has no next revision.
    NoRevision,
}

/// Decides about an item. With `replace`, the worker replaces existing files.
pub fn decide(item: Option<&MediaItem>, original: Option<&Original>, replace: bool) -> Decision {
    let Some(item) = item else { return Decision::Skip(SkipReason::Unknown) };
    let upload = match &item.state {
        State::Deleted { .. } => return Decision::Skip(SkipReason::Deleted),
        State::Processing(upload) | State::Ready(upload, _) | State::Failed(upload, _) => upload,
    };
    let Some(original) = original.filter(|original| original.size == upload.size) else {
        return Decision::Skip(SkipReason::Changed);
    };
    let current = &item.position.sequencer;
    let sequencer = if replace { current.next_revision() } else { Some(current.clone()) };
    let Some(sequencer) = sequencer else { return Decision::Skip(SkipReason::NoRevision) };
    let worker = match item.kind {
        Kind::Avatar | Kind::Photo => Worker::Thumbnailer,
        Kind::Audio => Worker::AudioWorker,
    };
    let change = ObjectChange::Created { size: original.size, etag: original.etag.clone() };
    // Lists are sorted by this time, so it must not change.
    let event = ObjectEvent { key: item.key.clone(), at: upload.uploaded_at, sequencer, change };
    Decision::Send(worker, Box::new(event))
}

#[cfg(test)]
mod tests {
    use domain::media::{Declared, MediaId, Original as Upload, Outcome, Position, Reason, Report, Sequencer, Stage};

    use super::*;

    fn upload(key: &str) -> Upload {
        let event = ObjectEvent {
            key: key.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 3, etag: "e".to_owned() },
        };
        Upload::of(&event, 3, Declared::default()).expect("owned")
    }

    fn failed(key: &str) -> MediaItem {
        MediaItem::from_report(Report { original: upload(key), outcome: Outcome::Failed { reason: Reason::Corrupt } })
    }

    fn original() -> Original {
        Original { size: 3, etag: "e".to_owned() }
    }

    fn sent(decision: Decision) -> (Worker, ObjectEvent) {
        match decision {
            Decision::Send(worker, event) => (worker, *event),
            Decision::Skip(reason) => panic!("skipped: {reason:?}"),
        }
    }

    #[test]
    fn event_of_the_upload_is_sent_again() {
        for (key, expected) in [
            ("avatar/mina/a", Worker::Thumbnailer),
            ("photo/mina/a", Worker::Thumbnailer),
            ("audio/mina/a", Worker::AudioWorker),
        ] {
            let item = MediaItem::processing(upload(key));
            let (worker, event) = sent(decide(Some(&item), Some(&original()), false));
            assert_eq!((worker, event.key.as_str(), &event.sequencer), (expected, key, &item.position.sequencer));
        }
    }

    #[test]
    fn position_of_a_replacement_is_between_the_current_and_the_next_upload() {
        let item = failed("photo/mina/a");
        let (_, event) = sent(decide(Some(&item), Some(&original()), true));
        let lowest = Position { sequencer: event.sequencer.clone(), stage: Stage::Failed };
        assert!(lowest > item.position);
        let next = Sequencer::parse("0A0000000000000001").expect("a sequencer");
        let next = Position { sequencer: next, stage: Stage::S3Event };
        assert!(next > Position { sequencer: event.sequencer, stage: Stage::Ready });
    }

    #[test]
    fn deleted_unknown_and_changed_items_are_skipped() {
        let item = MediaItem::processing(upload("photo/mina/a"));
        let other = Original { size: 4, ..original() };
        let event = ObjectEvent {
            key: item.key.clone(),
            at: item.state.upload().expect("an upload").uploaded_at,
            sequencer: item.position.sequencer.clone(),
            change: ObjectChange::Removed,
        };
        let deleted = MediaItem::deleted(&event).expect("owned");
        for (item, original, reason) in [
            (None, Some(original()), SkipReason::Unknown),
            (Some(&deleted), Some(original()), SkipReason::Deleted),
            (Some(&item), None, SkipReason::Changed),
            (Some(&item), Some(other), SkipReason::Changed),
        ] {
            assert_eq!(decide(item, original.as_ref(), false), Decision::Skip(reason));
        }
        assert_eq!(item.id, MediaId::of_key("photo/mina/a"));
    }
}
