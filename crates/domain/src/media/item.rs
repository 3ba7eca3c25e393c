use jiff::{Timestamp, ToSpan};

use super::{
    Decision, Declared, Derivatives, Kind, MediaId, ObjectEvent, Original, OriginalKey, Outcome, Position, Reason,
    Report, Stage, UnknownKey,
};
use crate::user_report::ReportReason;

/// Days for which the tombstone of a deleted item is kept.
///
/// Longer than any message lives: at most 14 days in a queue and 14 in its dead-letter queue (SQS's
/// longest retention).
pub const TOMBSTONE_DAYS: i64 = 30;

/// One upload in its latest known state.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaItem {
    /// Hash of the key.
    pub id: MediaId,
    /// Position of this state in the item's history.
    pub position: Position,
    /// Avatar, photo or audio.
    pub kind: Kind,
    /// `sub` of the owner's account.
    pub owner: String,
    /// Key of the original.
    pub key: String,
    /// State of processing.
    pub state: State,
}

/// State of a media item: `processing` → `ready` | `failed` → `deleted`. An operator can take it down and restore it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Uploaded; a worker will report the outcome.
    Processing(Upload),
    /// Processed. The derivatives are `None` if the reader did not ask for them.
    Ready(Upload, Option<Derivatives>),
    /// Cannot be processed, permanently.
    Failed(Upload, Reason),
    /// Taken down by an operator: only the owner sees it, and it has no derivatives, whatever S3 and workers say.
    TakenDown(Upload, ReportReason),
    /// Deleted. The tombstone keeps the position, so that late messages do not bring the item back.
    Deleted {
        /// Time after which the tombstone may be removed.
        expires_at: Timestamp,
    },
}

impl State {
    /// Size, time and metadata of the original; `None` if it was deleted.
    pub fn upload(&self) -> Option<&Upload> {
        match self {
            Self::Processing(upload)
            | Self::Ready(upload, _)
            | Self::Failed(upload, _)
            | Self::TakenDown(upload, _) => Some(upload),
            Self::Deleted { .. } => None,
        }
    }
}

/// Size, time and metadata of an original that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Size in bytes.
    pub size: u64,
    /// Time at which S3 stored it.
    pub uploaded_at: Timestamp,
    /// Declared metadata.
    pub declared: Declared,
    /// Content type by the bytes, if a worker has recognised it. It may differ from the declared one.
    pub detected_type: Option<String>,
}

impl MediaItem {
    /// The item after the upload of its original.
    pub fn processing(original: Original) -> Self {
        Self::alive(original, None, Stage::S3Event, State::Processing)
    }

    /// The item after a worker has processed its original.
    pub fn from_report(report: Report) -> Self {
        let Report { original, outcome, detected_type } = report;
        match outcome {
            Outcome::Ready(derived) => {
                Self::alive(original, detected_type, Stage::Ready, |upload| State::Ready(upload, Some(derived)))
            }
            Outcome::Failed { reason } => {
                Self::alive(original, detected_type, Stage::Failed, |upload| State::Failed(upload, reason))
            }
        }
    }

    /// The decision to take the item down. `None` if it was deleted, or has no further revision.
    pub fn take_down(&self, reason: ReportReason) -> Option<Decision> {
        if matches!(self.state, State::Deleted { .. }) {
            return None;
        }
        let sequencer = self.position.sequencer.next_revision()?;
        Some(Decision::TakeDown { id: self.id, sequencer, reason })
    }

    /// The decision to restore the item. `None` if it is not taken down, or has no further revision.
    pub fn restore(&self) -> Option<Decision> {
        if !matches!(self.state, State::TakenDown(..)) {
            return None;
        }
        let sequencer = self.position.sequencer.next_revision()?;
        Some(Decision::Restore { id: self.id, sequencer })
    }

    /// The item in the same place of its history, but taken down. A deleted item stays deleted.
    #[must_use]
    pub fn taken_down(self, reason: ReportReason) -> Self {
        let state = match self.state {
            State::Processing(upload)
            | State::Ready(upload, _)
            | State::Failed(upload, _)
            | State::TakenDown(upload, _) => State::TakenDown(upload, reason),
            deleted @ State::Deleted { .. } => deleted,
        };
        Self { state, ..self }
    }

    /// The item after `event` removed its original.
    pub fn deleted(event: &ObjectEvent) -> Result<Self, UnknownKey> {
        let OriginalKey { kind, owner } = OriginalKey::parse(&event.key)?;
        // Saturates at the last timestamp.
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

    fn alive(
        original: Original,
        detected_type: Option<String>,
        stage: Stage,
        state: impl FnOnce(Upload) -> State,
    ) -> Self {
        let Original { id, key, kind, owner, size, uploaded_at, sequencer, declared } = original;
        let state = state(Upload { size, uploaded_at, declared, detected_type });
        Self { id, position: Position { sequencer, stage }, kind, owner, key, state }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::media::{ObjectChange, ObjectVersion, Picture, Sequencer};

    /// The table's condition: a write applies only if its position is later.
    fn fold(writes: impl IntoIterator<Item = MediaItem>) -> HashMap<MediaId, MediaItem> {
        let mut table = HashMap::<_, MediaItem>::new();
        for item in writes {
            if table.get(&item.id).is_none_or(|known| known.position < item.position) {
                table.insert(item.id, item);
            }
        }
        table
    }

    /// All states of an item in order: processing, failed, ready, overwritten, ready again, deleted.
    fn history() -> Vec<MediaItem> {
        let event = |sequencer: &str, change| ObjectEvent {
            key: "photo/mina/a.jpg".into(),
            at: "2026-11-22T00:00:00Z".parse().expect("a time"),
            sequencer: Sequencer::parse(sequencer).expect("a sequencer"),
            change,
        };
        let created = |sequencer| {
            let event = event(sequencer, ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("") });
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
            MediaItem::from_report(Report {
                original: created(sequencer),
                outcome: outcome.clone(),
                detected_type: None,
            })
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
    fn item_of_any_kind_is_processing_until_a_report() {
        for kind in Kind::ALL {
            let event = ObjectEvent {
                key: format!("{kind}/mina/a"),
                at: "2026-11-22T00:00:00Z".parse().expect("a time"),
                sequencer: Sequencer::parse("0A").expect("a sequencer"),
                change: ObjectChange::Created { size: 1, version: ObjectVersion::of_etag("") },
            };
            let original = Original::of(&event, 1, Declared::default()).expect("owned");
            let processing = MediaItem::processing(original.clone());
            assert!(matches!(processing.state, State::Processing(_)), "{kind}");
            let outcome = Outcome::Failed { reason: Reason::Corrupt };
            let failed = MediaItem::from_report(Report { original, outcome, detected_type: None });
            assert!(processing.position < failed.position, "{kind}");
        }
    }

    #[test]
    fn item_is_taken_down_in_every_state_but_deleted() {
        for item in history() {
            let is_deleted = matches!(item.state, State::Deleted { .. });
            let (position, upload) = (item.position.clone(), item.state.upload().cloned());
            let taken_down = item.taken_down(ReportReason::Hate);
            assert_eq!((&taken_down.position, taken_down.state.upload()), (&position, upload.as_ref()));
            assert_eq!(matches!(taken_down.state, State::TakenDown(_, ReportReason::Hate)), !is_deleted);
        }
    }

    #[test]
    fn decision_is_behind_the_item_and_before_the_next_event() {
        let [_, _, ready, overwritten, ..] = &history()[..] else { panic!("too short") };
        let take_down = ready.take_down(ReportReason::Hate).expect("a decision");
        assert!(ready.position < take_down.position() && take_down.position() < overwritten.position);
        let taken_down = MediaItem { position: take_down.position(), ..ready.clone() }.taken_down(ReportReason::Hate);
        let restore = taken_down.restore().expect("a decision");
        assert!(take_down.position() < restore.position() && restore.position() < overwritten.position);
    }

    #[test]
    fn deleted_item_is_not_taken_down_and_only_a_taken_down_one_is_restored() {
        let deleted = history().pop().expect("a deletion");
        assert_eq!(deleted.take_down(ReportReason::Spam), None);
        assert!(history().iter().all(|item| item.restore().is_none()));
        assert_eq!(deleted.taken_down(ReportReason::Spam).restore(), None);
    }

    #[test]
    fn tombstone_expires_after_30_days() {
        let last = history().pop().expect("a deletion");
        assert_eq!(last.state, State::Deleted { expires_at: "2026-12-22T00:00:00Z".parse().expect("a time") });
    }

    #[test]
    fn deleted_item_stays_deleted() {
        let mut writes = history();
        writes.rotate_right(1);
        let table = fold(writes);
        assert!(matches!(table.values().next().map(|item| &item.state), Some(State::Deleted { .. })));
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_end_in_the_same_state(
            length in 1..=history().len(),
            deliveries in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
            seed in any::<prop::sample::Index>(),
        ) {
            let writes = &history()[..length];
            let mut delivered: Vec<_> = deliveries.iter().map(|index| writes[index.index(length)].clone()).collect();
            // Every write arrives at least once, at any place among the repetitions.
            for item in writes {
                delivered.insert(seed.index(delivered.len() + 1), item.clone());
            }
            prop_assert_eq!(fold(delivered), fold(writes.to_vec()));
        }
    }
}
