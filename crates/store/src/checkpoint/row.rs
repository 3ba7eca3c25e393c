use domain::graph::Position;
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::Deserialize;

use super::lease::{Checkpoint, CheckpointStatus, Holder, Lease, LeaseStatus, Progress};
use crate::{attribute::Attributes, row};

const READ: &str = "read the checkpoint";
/// The value of the attribute `stopped`.
pub const RESET: &str = "reset";

/// The attributes that are read.
#[derive(Debug, Deserialize)]
pub struct Row {
    position: Option<String>,
    committed: Option<String>,
    stopped: Option<String>,
    #[serde(default)]
    pub generation: u64,
    owner: Option<String>,
    pub epoch: u64,
    taken_at: Option<i64>,
    expires_at: Option<i64>,
    successor: Option<String>,
    asks_until: Option<i64>,
}

impl Row {
    /// Reads the attributes in a response.
    ///
    /// # Errors
    /// If there are none, or one has an unexpected form.
    pub fn read(attributes: Option<Attributes>) -> Result<Self, Failure> {
        row::read(READ, attributes.ok_or_else(|| Failure::bug(READ, "the response has no row"))?)
    }

    fn position(&self) -> Result<Option<Position>, Failure> {
        self.position.as_deref().map(parse).transpose()
    }

    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, Failure> {
        let (Some(text), Some(position)) = (&self.position, self.position()?) else { return Ok(None) };
        let time = self.committed.as_deref().and_then(|committed| committed.strip_prefix(text)?.strip_prefix('@'));
        let committed_at_ms = time.map(|time| time.parse().map_err(|error| Failure::bug(READ, error))).transpose()?;
        Ok(Some(Checkpoint { position, committed_at_ms }))
    }

    pub fn is_stopped_by_reset(&self) -> bool {
        self.stopped.as_deref() == Some(RESET)
    }

    pub fn progress(&self) -> Result<Progress, Failure> {
        let (checkpoint, is_stopped_by_reset) = (self.checkpoint()?, self.is_stopped_by_reset());
        Ok(Progress { checkpoint, generation: self.generation, is_stopped_by_reset })
    }

    pub fn status(self) -> Result<CheckpointStatus, Failure> {
        let (position, is_stopped_by_reset) = (self.position()?, self.is_stopped_by_reset());
        let holder = self.owner.zip(self.expires_at).map(|(owner, expires_at)| {
            let lease = Lease { owner, epoch: self.epoch };
            Ok(Holder { lease, taken_at: self.taken_at.map(time).transpose()?, expires_at: time(expires_at)? })
        });
        Ok(CheckpointStatus { position, generation: self.generation, is_stopped_by_reset, holder: holder.transpose()? })
    }

    pub fn lease_status(&self, lease: &Lease, now: Timestamp) -> LeaseStatus {
        let is_held = self.owner.as_ref() == Some(&lease.owner) && self.epoch == lease.epoch;
        let is_requested =
            self.successor.is_some() && self.asks_until.is_some_and(|until| until > now.as_millisecond());
        match (is_held, is_requested) {
            (false, _) => LeaseStatus::Lost,
            (true, true) => LeaseStatus::HandoverRequested,
            (true, false) => LeaseStatus::Held,
        }
    }
}

/// A position as text of fixed width, so that texts sort like positions.
pub fn sortable(position: Position) -> String {
    format!("{:020}/{:020}", position.commit_num, position.op_num)
}

/// The attribute `committed` of a checkpoint.
pub fn committed(position: Position, committed_at_ms: i64) -> String {
    format!("{}@{committed_at_ms}", sortable(position))
}

/// Reverses [`sortable`].
pub fn parse(text: &str) -> Result<Position, Failure> {
    let position = text.split_once('/').and_then(|(commit, op)| Some((commit.parse().ok()?, op.parse().ok()?)));
    let (commit_num, op_num) =
        position.ok_or_else(|| Failure::bug(READ, "the attribute position is not a position"))?;
    Ok(Position { commit_num, op_num })
}

fn time(milliseconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| Failure::bug(READ, error))
}
