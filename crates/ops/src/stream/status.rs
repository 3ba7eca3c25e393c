use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use domain::graph::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::checkpoint::{CheckpointStatus, CheckpointTable};

use crate::{
    Session,
    table::{between, duration},
};

/// The status of the stream. Durations are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The checkpoint: all changes up to this position are published.
    pub position: Option<Position>,
    /// The number of resets of the stream.
    pub generation: u64,
    /// Whether the poller waits for a decision about a reset.
    #[serde(rename = "stoppedByReset")]
    pub is_reset: bool,
    /// The lease of the poller.
    pub lease: Option<LeaseInfo>,
    /// The unpublished part of the stream. `None` if the poller returns no status.
    #[serde(rename = "unread")]
    pub backlog: Option<Backlog>,
    /// The reason why the poller returns no status.
    #[serde(rename = "silence", skip_serializing_if = "Option::is_none")]
    pub poller_error: Option<String>,
}

/// The lease of the poller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseInfo {
    /// The invocation that acquired the lease.
    pub owner: String,
    /// The fencing token: it grows with every acquisition.
    pub epoch: u64,
    /// The time since the acquisition.
    pub age: Option<u64>,
    /// The time until the lease expires; 0 if it has expired.
    pub expires_in: u64,
}

/// The unpublished part of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backlog {
    /// The position of the stream's last record.
    pub head: Option<Position>,
    /// The number of unpublished commits.
    pub lag_commits: Option<u64>,
    /// The age of the oldest unpublished change. `None` if all are published.
    pub lag: Option<u64>,
    /// The time until the oldest unpublished change expires. `None` if all are published.
    pub unpublished_expires_in: Option<u64>,
    /// The time until the stream's oldest record expires. `None` if the stream is empty.
    pub oldest_expires_in: Option<u64>,
    /// The reason why the records after the checkpoint cannot be read. `expired` means that they are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// The status of the stream in the poller's response.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamStatus {
    head: Option<Position>,
    oldest: Option<RecordInfo>,
    next: Option<RecordInfo>,
    unreadable: Option<String>,
    retention_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordInfo {
    committed_at: Timestamp,
}

/// Reads the checkpoint, and invokes the poller for the status of the stream.
///
/// # Errors
/// If the checkpoint cannot be read. A failure of the poller is part of the status.
pub async fn status(session: &Session) -> Result<Status> {
    let checkpoint = checkpoint(session).await?;
    let after = checkpoint.as_ref().and_then(|checkpoint| checkpoint.position);
    let request = json!({"status": {"after": after}});
    let stream = session.invoke(session.output("StreamPollerName")?, &request).await;
    Ok(of(checkpoint, stream.map_err(|error| format!("{error:#}")), Timestamp::now()))
}

/// The stored checkpoint. `None` before the first run of the poller.
pub async fn checkpoint(session: &Session) -> Result<Option<CheckpointStatus>> {
    let (table, stream) = (session.output("CheckpointTableName")?, session.output("StreamName")?);
    let table = CheckpointTable::new(session.dynamodb.clone(), table.to_owned(), stream.to_owned());
    table.status().await.context("cannot read the checkpoint")
}

fn of(checkpoint: Option<CheckpointStatus>, stream: Result<StreamStatus, String>, now: Timestamp) -> Status {
    let checkpoint = checkpoint.unwrap_or(CheckpointStatus {
        position: None,
        generation: 0,
        is_stopped_by_reset: false,
        holder: None,
    });
    let lease = checkpoint.holder.map(|holder| LeaseInfo {
        owner: holder.lease.owner,
        epoch: holder.lease.epoch,
        age: holder.taken_at.map(|taken_at| between(taken_at, now).as_secs()),
        expires_in: between(now, holder.expires_at).as_secs(),
    });
    let position = checkpoint.position;
    let (stream, poller_error) = match stream {
        Ok(stream) => (Some(stream), None),
        Err(error) => (None, Some(error)),
    };
    let backlog = stream.map(|stream| {
        let expires_in =
            |record: RecordInfo| stream.retention_seconds.saturating_sub(between(record.committed_at, now).as_secs());
        let published = position.map_or(0, |position| position.commit_num);
        Backlog {
            head: stream.head,
            lag_commits: stream.head.map(|head| head.commit_num.saturating_sub(published)),
            lag: stream.next.map(|next| between(next.committed_at, now).as_secs()),
            unpublished_expires_in: stream.next.map(expires_in),
            oldest_expires_in: stream.oldest.map(expires_in),
            unreadable: stream.unreadable.clone(),
        }
    });
    let is_reset = checkpoint.is_stopped_by_reset;
    Status { position, generation: checkpoint.generation, is_reset, lease, backlog, poller_error }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |seconds| duration(Duration::from_secs(seconds));
        match self.position {
            Some(position) => writeln!(f, "published   up to {position}, generation {}", self.generation)?,
            None => writeln!(f, "published   nothing, generation {}", self.generation)?,
        }
        if self.is_reset {
            writeln!(f, "reset       detected, and PollOnReset does not say how to continue")?;
        }
        match &self.backlog {
            Some(backlog) => {
                let head = backlog.head.map_or("unknown".to_owned(), |head| head.to_string());
                let commits = backlog.lag_commits.map_or("unknown".to_owned(), |commits| commits.to_string());
                writeln!(f, "stream      ends at {head}")?;
                match (&backlog.unreadable, backlog.lag, backlog.unpublished_expires_in) {
                    (Some(reason), ..) => writeln!(f, "lag         {commits} commits, unreadable: {reason}")?,
                    (None, Some(lag), Some(left)) => {
                        writeln!(f, "lag         {commits} commits, the oldest change is {} old", seconds(lag))?;
                        writeln!(f, "expiry      of the oldest unpublished change: in {}", seconds(left))?;
                    }
                    _ => writeln!(f, "lag         none")?,
                }
                if let Some(left) = backlog.oldest_expires_in {
                    writeln!(f, "expiry      of the stream's oldest record: in {}", seconds(left))?;
                }
            }
            None => {
                let error = self.poller_error.as_deref().unwrap_or("no error message");
                writeln!(f, "stream      unknown, the poller returns no status: {error}")?;
            }
        }
        match &self.lease {
            Some(LeaseInfo { owner, epoch, age, expires_in: 0 }) => {
                let age = age.map_or(String::new(), |age| format!(", acquired {} ago", seconds(age)));
                write!(f, "lease       of {owner} (epoch {epoch}) has expired{age}")
            }
            Some(LeaseInfo { owner, epoch, age, expires_in }) => {
                let age = age.map_or(String::new(), |age| format!(" for {}", seconds(age)));
                write!(f, "lease       held by {owner} (epoch {epoch}){age}, expires in {}", seconds(*expires_in))
            }
            None => write!(f, "lease       free"),
        }
    }
}

#[cfg(test)]
mod tests {
    use store::checkpoint::{Holder, Lease};

    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_000_000, 0);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::constant(1_000_000 + seconds, 0)
    }

    fn checkpoint_status() -> CheckpointStatus {
        let lease = Lease { owner: "r/1".to_owned(), epoch: 7 };
        let holder = Holder { lease, taken_at: Some(at(-12)), expires_at: at(83) };
        let position = Some(Position::new(12, 3));
        CheckpointStatus { position, generation: 1, is_stopped_by_reset: false, holder: Some(holder) }
    }

    fn stream_status() -> StreamStatus {
        StreamStatus {
            head: Some(Position::new(20, 4)),
            oldest: Some(RecordInfo { committed_at: at(-86_400) }),
            next: Some(RecordInfo { committed_at: at(-182) }),
            unreadable: None,
            retention_seconds: 7 * 86_400,
        }
    }

    #[test]
    fn status_shows_backlog_expiry_and_lease() {
        let status = of(Some(checkpoint_status()), Ok(stream_status()), NOW).to_string();
        let expected = "published   up to 12/3, generation 1\n\
                        stream      ends at 20/4\n\
                        lag         8 commits, the oldest change is 3 min 2 s old\n\
                        expiry      of the oldest unpublished change: in 6 d 23 h\n\
                        expiry      of the stream's oldest record: in 6 d 0 h\n\
                        lease       held by r/1 (epoch 7) for 12 s, expires in 1 min 23 s";
        assert_eq!(status, expected);
    }

    #[test]
    fn lost_records_and_expired_lease_are_shown() {
        let stream = StreamStatus { next: None, unreadable: Some("expired".to_owned()), ..stream_status() };
        let mut checkpoint = checkpoint_status();
        checkpoint.holder.as_mut().expect("a holder").expires_at = at(-1);
        checkpoint.is_stopped_by_reset = true;
        let status = of(Some(checkpoint), Ok(stream), NOW).to_string();
        assert!(status.contains("8 commits, unreadable: expired"), "{status}");
        assert!(status.contains("reset       detected"), "{status}");
        assert!(status.contains("of r/1 (epoch 7) has expired, acquired 12 s ago"), "{status}");
    }

    #[test]
    fn status_without_a_response_of_the_poller_has_the_checkpoint() {
        let status = of(Some(checkpoint_status()), Err("it failed".to_owned()), NOW);
        assert!(status.to_string().contains("up to 12/3") && status.to_string().contains("it failed"));
        let json = serde_json::to_value(&status).expect("JSON");
        assert_eq!((&json["position"], &json["silence"]), (&json!("12/3"), &json!("it failed")));
    }

    #[test]
    fn stream_without_checkpoint_and_records_has_no_lag_and_a_free_lease() {
        let stream = StreamStatus { head: None, oldest: None, next: None, ..stream_status() };
        let status = of(None, Ok(stream), NOW).to_string();
        assert!(status.contains("nothing") && status.contains("lag         none") && status.contains("free"));
    }
}
