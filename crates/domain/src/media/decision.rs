use serde::{Deserialize, Serialize};

use super::{MediaId, Position, Sequencer, Stage};
use crate::user_report::ReportReason;

/// An operator's decision about an item, for `metadata-writer`. It has a position in the item's history behind the state that
/// the operator has seen, and before the next event of S3: late reports of workers do not undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Decision {
    /// The item is taken down until an operator restores it.
    #[serde(rename = "app.iyagi.media.take-down")]
    TakeDown {
        /// The item.
        id: MediaId,
        /// A revision of the item's sequencer.
        sequencer: Sequencer,
        /// Why.
        reason: ReportReason,
    },
    /// The item is no longer taken down. It is `processing`, until a worker has made its files again.
    #[serde(rename = "app.iyagi.media.restore")]
    Restore {
        /// The item.
        id: MediaId,
        /// A revision of the item's sequencer.
        sequencer: Sequencer,
    },
}

impl Decision {
    /// The item.
    pub fn id(&self) -> MediaId {
        let (Self::TakeDown { id, .. } | Self::Restore { id, .. }) = self;
        *id
    }

    /// The position of the item afterwards: as if S3 had reported the object again.
    pub fn position(&self) -> Position {
        let (Self::TakeDown { sequencer, .. } | Self::Restore { sequencer, .. }) = self;
        Position { sequencer: sequencer.clone(), stage: Stage::S3Event }
    }
}
