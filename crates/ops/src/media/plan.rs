//! Decides whether an item is processed again.
//!
//! The worker gets the S3 event of the original again, at the position in the media table. So the rules for late and
//! repeated events apply: a later deletion or overwrite wins in any order of arrival. metadata-writer does not get the
//! event, because the item would become `processing` again.

use domain::media::{Kind, MediaItem, ObjectChange, ObjectEvent, ObjectVersion, State};

/// The current object of an original in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// Size in bytes.
    pub size: u64,
    /// The current version.
    pub version: ObjectVersion,
}

/// A function that processes originals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Processes pictures.
    Thumbnailer,
    /// Processes recordings.
    AudioWorker,
}

/// The decision about one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send this event to the worker.
    Send(Worker, Box<ObjectEvent>),
    /// Skip the item.
    Skip(SkipReason),
}

/// Reason why an item is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The media table has no row: no event of the item was processed, or its key is not that of a media item.
    Unknown,
    /// The item was deleted.
    Deleted,
    /// The original is missing or differs from the row. An S3 event of that change will arrive.
    Changed,
    /// No further revision of the sequencer exists.
    NoRevisionLeft,
}

/// Decides about an item. `new_revision`: whether existing files are replaced.
pub fn decide(item: Option<&MediaItem>, original: Option<&Original>, new_revision: bool) -> Decision {
    let Some(item) = item else { return Decision::Skip(SkipReason::Unknown) };
    let upload = match &item.state {
        State::Deleted { .. } => return Decision::Skip(SkipReason::Deleted),
        // The worker deletes the files of an item that was taken down.
        State::Processing(upload)
        | State::Ready(upload, _)
        | State::Failed(upload, _)
        | State::TakenDown(upload, _) => upload,
    };
    let Some(original) = original.filter(|original| original.size == upload.size) else {
        return Decision::Skip(SkipReason::Changed);
    };
    let current = &item.position.sequencer;
    let sequencer = if new_revision { current.next_revision() } else { Some(current.clone()) };
    let Some(sequencer) = sequencer else { return Decision::Skip(SkipReason::NoRevisionLeft) };
    let worker = match item.kind {
        Kind::Avatar | Kind::Photo => Worker::Thumbnailer,
        Kind::Audio => Worker::AudioWorker,
    };
    let change = ObjectChange::Created { size: original.size, version: original.version.clone() };
    // Lists are sorted by this time, so it does not change.
    let event = ObjectEvent { key: item.key.clone(), at: upload.uploaded_at, sequencer, change };
    Decision::Send(worker, Box::new(event))
}

#[cfg(test)]
mod tests {
    use domain::media::{Declared, MediaId, Original as Upload, Outcome, Position, Reason, Report, Sequencer, Stage};

    use super::*;

    fn uploaded(key: &str) -> Upload {
        let event = ObjectEvent {
            key: key.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 3, version: ObjectVersion::of_etag("e") },
        };
        Upload::of(&event, 3, Declared::default()).expect("owned")
    }

    fn failed(key: &str) -> MediaItem {
        let outcome = Outcome::Failed { reason: Reason::Corrupt };
        MediaItem::from_report(Report { original: uploaded(key), outcome, detected_type: None })
    }

    fn original() -> Original {
        Original { size: 3, version: ObjectVersion::of_etag("e") }
    }

    fn sent(decision: Decision) -> (Worker, ObjectEvent) {
        match decision {
            Decision::Send(worker, event) => (worker, *event),
            Decision::Skip(reason) => panic!("skipped: {reason:?}"),
        }
    }

    #[test]
    fn worker_gets_the_event_at_the_known_position() {
        for (key, expected) in [
            ("avatar/mina/a", Worker::Thumbnailer),
            ("photo/mina/a", Worker::Thumbnailer),
            ("audio/mina/a", Worker::AudioWorker),
        ] {
            let item = MediaItem::processing(uploaded(key));
            let (worker, event) = sent(decide(Some(&item), Some(&original()), false));
            assert_eq!((worker, event.key.as_str(), &event.sequencer), (expected, key, &item.position.sequencer));
        }
    }

    #[test]
    fn new_revision_is_after_the_known_position_and_before_the_next_event() {
        let item = failed("photo/mina/a");
        let (_, event) = sent(decide(Some(&item), Some(&original()), true));
        let lowest = Position { sequencer: event.sequencer.clone(), stage: Stage::Failed };
        assert!(lowest > item.position);
        let next = Sequencer::parse("0A0000000000000001").expect("a sequencer");
        let next = Position { sequencer: next, stage: Stage::S3Event };
        assert!(next > Position { sequencer: event.sequencer, stage: Stage::Ready });
    }

    #[test]
    fn unknown_deleted_or_changed_item_is_skipped() {
        let item = MediaItem::processing(uploaded("photo/mina/a"));
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
