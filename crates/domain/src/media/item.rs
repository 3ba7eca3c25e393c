use jiff::{Timestamp, ToSpan};

use super::{
    Declared, Derivatives, Kind, MediaId, ObjectEvent, Original, OriginalKey, Outcome, Position, Reason, Report, Stage,
    UnknownKey,
};

/// Days for which a deleted item stays as a tombstone.
///
/// Longer than any late message can live: 14 days on a queue, then 14 on its dead-letter queue
/// (SQS's longest retention).
pub const TOMBSTONE_DAYS: i64 = 30;

/// One thing that somebody uploaded, in its latest known state.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaItem {
    /// Derived from the key.
    pub id: MediaId,
    /// Where in the item's history this state stands.
    pub position: Position,
    /// What it is for.
    pub kind: Kind,
    /// Whose it is.
    pub owner: String,
    /// Of the original.
    pub key: String,
    /// What became of it.
    pub state: State,
}

/// The life of a media item: `processing` → `ready` | `failed` → `deleted`.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// It has landed; a worker will report.
    Processing(Upload),
    /// It can be shown or heard. There is no `Derivatives` where no more than the rest was asked for.
    Ready(Upload, Option<Derivatives>),
    /// It cannot be shown and never will be.
    Failed(Upload, Reason),
    /// It is gone; only its position is kept, until `expires_at`, against late news of it.
    Deleted {
        /// When the tombstone may go.
        expires_at: Timestamp,
    },
}

impl State {
    /// What is known of the object; nothing if it has gone.
    pub fn upload(&self) -> Option<&Upload> {
        match self {
            Self::Processing(upload) | Self::Ready(upload, _) | Self::Failed(upload, _) => Some(upload),
            Self::Deleted { .. } => None,
        }
    }
}

/// What is known of an object that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// In bytes.
    pub size: u64,
    /// When S3 stored it.
    pub uploaded_at: Timestamp,
    /// Its type, and what is to become of it.
    pub declared: Declared,
}

impl MediaItem {
    /// The item after its original landed: a worker will report.
    pub fn processing(original: Original) -> Self {
        Self::alive(original, Stage::S3Event, State::Processing)
    }

    /// The item after a worker was done with its original.
    pub fn from_report(report: Report) -> Self {
        match report.outcome {
            Outcome::Ready(derived) => {
                Self::alive(report.original, Stage::Ready, |upload| State::Ready(upload, Some(derived)))
            }
            Outcome::Failed { reason } => {
                Self::alive(report.original, Stage::Failed, |upload| State::Failed(upload, reason))
            }
        }
    }

    /// The item after its original was removed, as `event` tells.
    pub fn deleted(event: &ObjectEvent) -> Result<Self, UnknownKey> {
        let OriginalKey { kind, owner } = OriginalKey::parse(&event.key)?;
        // Saturates: a tombstone from the end of time may stay.
        let expires_at = event.at.saturating_add((24 * TOMBSTONE_DAYS).hours()).unwrap_or(Timestamp::MAX);
        Ok(Self {
            id: MediaId::of_key(&event.key),
            position: Position { sequencer: event.sequencer.clone(), stage: Stage::S3Event },
            kind,
            owner: owner.to_owned(),
            key: event.key.clone(),
            state: State::Deleted { expires_at },
        })
    }

    fn alive(original: Original, stage: Stage, state: impl FnOnce(Upload) -> State) -> Self {
        let Original { id, key, kind, owner, size, uploaded_at, sequencer, declared } = original;
        let state = state(Upload { size, uploaded_at, declared });
        Self { id, position: Position { sequencer, stage }, kind, owner, key, state }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::media::{ObjectChange, Picture, Sequencer};

    /// The rule that the table enforces with a condition: a write counts only if it is further on.
    fn fold(news: impl IntoIterator<Item = MediaItem>) -> HashMap<MediaId, MediaItem> {
        let mut table = HashMap::<_, MediaItem>::new();
        for item in news {
            if table.get(&item.id).is_none_or(|known| known.position < item.position) {
                table.insert(item.id, item);
            }
        }
        table
    }

    /// A whole life: landed, failed, ready, overwritten, ready again, deleted; cut short anywhere.
    fn history() -> Vec<MediaItem> {
        let event = |sequencer: &str, change| ObjectEvent {
            key: "photo/mina/a.jpg".into(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse(sequencer).expect("a sequencer"),
            change,
        };
        let created = |sequencer| {
            let event = event(sequencer, ObjectChange::Created { size: 1, etag: String::new() });
            Original::of(&event, 1, Declared::default()).expect("owned")
        };
        let ready = Outcome::Ready(Derivatives::Picture(Picture {
            width: 1,
            height: 1,
            thumb_hash: String::new(),
            dominant_colour: "#000000".into(),
            variants: vec![],
        }));
        let report = |sequencer, outcome: &Outcome| {
            MediaItem::from_report(Report { original: created(sequencer), outcome: outcome.clone() })
        };
        vec![
            MediaItem::processing(created("0A")),
            report("0A", &Outcome::Failed { reason: Reason::Corrupt }),
            report("0A", &ready),
            MediaItem::processing(created("0A01")),
            report("0A01", &ready),
            MediaItem::deleted(&event("0B", ObjectChange::Removed)).expect("owned"),
        ]
    }

    #[test]
    fn every_kind_is_waited_for() {
        for kind in Kind::ALL {
            let event = ObjectEvent {
                key: format!("{kind}/mina/a"),
                at: "2026-11-22T00:00:00Z".parse().expect("a time"),
                sequencer: Sequencer::parse("0A").expect("a sequencer"),
                change: ObjectChange::Created { size: 1, etag: String::new() },
            };
            let original = Original::of(&event, 1, Declared::default()).expect("owned");
            let processing = MediaItem::processing(original.clone());
            assert!(matches!(processing.state, State::Processing(_)), "{kind}");
            let failed =
                MediaItem::from_report(Report { original, outcome: Outcome::Failed { reason: Reason::Corrupt } });
            assert!(processing.position < failed.position, "{kind}");
        }
    }

    #[test]
    fn a_tombstone_outlives_every_late_message() {
        let last = history().pop().expect("a deletion");
        assert_eq!(last.state, State::Deleted { expires_at: "2026-12-22T00:00:00Z".parse().expect("a time") });
    }

    #[test]
    fn a_deleted_item_stays_deleted() {
        let mut news = history();
        news.rotate_right(1);
        let table = fold(news);
        assert!(matches!(table.values().next().map(|item| &item.state), Some(State::Deleted { .. })));
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_ends_in_the_same_state(
            life in 1..=history().len(),
            deliveries in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
            seed in any::<prop::sample::Index>(),
        ) {
            let news = &history()[..life];
            let mut delivered: Vec<_> = deliveries.iter().map(|index| news[index.index(life)].clone()).collect();
            // Everything arrives at least once, somewhere among the repetitions.
            for item in news {
                delivered.insert(seed.index(delivered.len() + 1), item.clone());
            }
            prop_assert_eq!(fold(delivered), fold(news.to_vec()));
        }
    }
}
