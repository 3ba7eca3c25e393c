//! What is done about an item.
//!
//! A worker is sent the event that S3 sent when the original landed, of the position that the table has. So the
//! rules for late and repeated news hold: a deletion or an overwrite that has happened since comes out on top,
//! whatever comes first. metadata-writer is not sent it: the item would be `processing` for a while.

use domain::media::{Kind, MediaItem, ObjectChange, ObjectEvent, State};

/// An original, as S3 has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// In bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
}

/// Who makes something of an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// Of pictures.
    Thumbnailer,
    /// Of recordings.
    AudioWorker,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The worker is sent this event.
    Send(Worker, Box<ObjectEvent>),
    /// Nothing, and why.
    Leave(Why),
}

/// Why nothing is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// There is no row of it: no event of it has been worked off, or its key is no media's.
    Unknown,
    /// It was deleted.
    Deleted,
    /// Its original is not what the table knows: S3's own event of that is on its way.
    Changed,
    /// Its position has no room behind it.
    NoRoom,
}

/// Decides.
pub fn decide(item: Option<&MediaItem>, original: Option<&Original>, new_revision: bool) -> Decision {
    let Some(item) = item else { return Decision::Leave(Why::Unknown) };
    let upload = match &item.state {
        State::Deleted { .. } => return Decision::Leave(Why::Deleted),
        State::Processing(upload) | State::Ready(upload, _) | State::Failed(upload, _) => upload,
    };
    let Some(original) = original.filter(|original| original.size == upload.size) else {
        return Decision::Leave(Why::Changed);
    };
    let known = &item.position.sequencer;
    let sequencer = if new_revision { known.next_revision() } else { Some(known.clone()) };
    let Some(sequencer) = sequencer else { return Decision::Leave(Why::NoRoom) };
    let worker = match item.kind {
        Kind::Avatar | Kind::Photo => Worker::Thumbnailer,
        Kind::Audio => Worker::AudioWorker,
    };
    let change = ObjectChange::Created { size: original.size, etag: original.etag.clone() };
    // Lists are by this time: it stays.
    let event = ObjectEvent { key: item.key.clone(), at: upload.uploaded_at, sequencer, change };
    Decision::Send(worker, Box::new(event))
}

#[cfg(test)]
mod tests {
    use domain::media::{Declared, MediaId, Original as Landed, Outcome, Position, Reason, Report, Sequencer, Stage};

    use super::*;

    fn landed(key: &str) -> Landed {
        let event = ObjectEvent {
            key: key.to_owned(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse("0A").expect("a sequencer"),
            change: ObjectChange::Created { size: 3, etag: "e".to_owned() },
        };
        Landed::of(&event, 3, Declared::default()).expect("owned")
    }

    fn failed(key: &str) -> MediaItem {
        MediaItem::from_report(Report { original: landed(key), outcome: Outcome::Failed { reason: Reason::Corrupt } })
    }

    fn original() -> Original {
        Original { size: 3, etag: "e".to_owned() }
    }

    fn sent(decision: Decision) -> (Worker, ObjectEvent) {
        match decision {
            Decision::Send(worker, event) => (worker, *event),
            Decision::Leave(why) => panic!("left: {why:?}"),
        }
    }

    #[test]
    fn the_worker_hears_again_what_it_heard() {
        for (key, expected) in [
            ("avatar/mina/a", Worker::Thumbnailer),
            ("photo/mina/a", Worker::Thumbnailer),
            ("audio/mina/a", Worker::AudioWorker),
        ] {
            let item = MediaItem::processing(landed(key));
            let (worker, event) = sent(decide(Some(&item), Some(&original()), false));
            assert_eq!((worker, event.key.as_str(), &event.sequencer), (expected, key, &item.position.sequencer));
        }
    }

    #[test]
    fn new_revision_replaces_the_known_one_and_loses_to_later_events() {
        let item = failed("photo/mina/a");
        let (_, event) = sent(decide(Some(&item), Some(&original()), true));
        let worst = Position { sequencer: event.sequencer.clone(), stage: Stage::Failed };
        assert!(worst > item.position);
        let next = Sequencer::parse("0A0000000000000001").expect("a sequencer");
        let next = Position { sequencer: next, stage: Stage::S3Event };
        assert!(next > Position { sequencer: event.sequencer, stage: Stage::Ready });
    }

    #[test]
    fn what_is_gone_or_on_its_way_is_left() {
        let item = MediaItem::processing(landed("photo/mina/a"));
        let other = Original { size: 4, ..original() };
        let event = ObjectEvent {
            key: item.key.clone(),
            at: item.state.upload().expect("an upload").uploaded_at,
            sequencer: item.position.sequencer.clone(),
            change: ObjectChange::Removed,
        };
        let deleted = MediaItem::deleted(&event).expect("owned");
        for (item, original, why) in [
            (None, Some(original()), Why::Unknown),
            (Some(&deleted), Some(original()), Why::Deleted),
            (Some(&item), None, Why::Changed),
            (Some(&item), Some(other), Why::Changed),
        ] {
            assert_eq!(decide(item, original.as_ref(), false), Decision::Leave(why));
        }
        assert_eq!(item.id, MediaId::of_key("photo/mina/a"));
    }
}
