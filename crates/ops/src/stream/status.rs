use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use domain::graph::Position;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::checkpoint::{CheckpointStatus, CheckpointTable};

use crate::{
    Session,
    durations::{between, duration},
};

/// State of the stream. Durations are in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Last published position.
    pub position: Option<Position>,
    /// Number of resets of the stream.
    pub generation: u64,
    /// The lease of the publishing invocation.
    pub lease: Option<LeaseStatus>,
    /// Changes that are not published. `None` if the poller does not respond.
    pub unread: Option<Unread>,
    /// Why the poller does not respond.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poller_error: Option<String>,
}

/// A lease to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseStatus {
    /// Invocation of the poller.
    pub owner: String,
    /// Sequence number of the lease.
    pub epoch: u64,
    /// Seconds since the lease was taken.
    pub age: Option<u64>,
    /// Seconds until the lease expires. 0 if it has expired.
    pub expires_in: u64,
}

/// Changes that are not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// Position of the last record in the stream.
    pub head: Option<Position>,
    /// Number of commits that are not published.
    pub lag_commits: Option<u64>,
    /// Age of the oldest unpublished change. `None` if all are published.
    pub lag: Option<u64>,
    /// Seconds until the oldest unpublished change expires. `None` if all are published.
    pub unpublished_expires_in: Option<u64>,
    /// Seconds until the oldest record expires. `None` if the stream is empty.
    pub oldest_expires_in: Option<u64>,
    /// Why changes after the checkpoint cannot be read. `expired` means that they are lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// The poller's response.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StreamState {
    head: Option<Position>,
    oldest: Option<RecordTime>,
    next: Option<RecordTime>,
    unreadable: Option<String>,
    retention_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordTime {
    committed_at: Timestamp,
}

/// Reads the checkpoint, and the state of the stream from the poller.
///
/// # Errors
/// If the checkpoint cannot be read. An error of the poller is part of the status.
pub async fn status(session: &Session) -> Result<Status> {
    let (table, stream) = (session.output("CheckpointTableName")?, session.output("StreamName")?);
    let table = CheckpointTable::new(session.dynamodb.clone(), table.to_owned(), stream.to_owned());
    let checkpoint = table.status().await.context("cannot read the checkpoint")?;
    let after = checkpoint.as_ref().and_then(|checkpoint| checkpoint.position);
    let event = json!({"status": {"after": after}});
    let stream = session.invoke(session.output("StreamPollerName")?, &event).await;
    Ok(combine(checkpoint, stream.map_err(|error| format!("{error:#}")), Timestamp::now()))
}

fn combine(checkpoint: Option<CheckpointStatus>, stream: Result<StreamState, String>, now: Timestamp) -> Status {
    let checkpoint = checkpoint.unwrap_or(CheckpointStatus { position: None, generation: 0, holder: None });
    let lease = checkpoint.holder.map(|holder| LeaseStatus {
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
    let unread = stream.map(|stream| {
        let expires_in =
            |mark: RecordTime| stream.retention_seconds.saturating_sub(between(mark.committed_at, now).as_secs());
        let published = position.map_or(0, |position| position.commit_num);
        Unread {
            head: stream.head,
            lag_commits: stream.head.map(|head| head.commit_num.saturating_sub(published)),
            lag: stream.next.map(|next| between(next.committed_at, now).as_secs()),
            unpublished_expires_in: stream.next.map(expires_in),
            oldest_expires_in: stream.oldest.map(expires_in),
            unreadable: stream.unreadable.clone(),
        }
    });
    Status { position, generation: checkpoint.generation, lease, unread, poller_error }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |seconds| duration(Duration::from_secs(seconds));
        match self.position {
            Some(position) => writeln!(f, "published   up to {position}, generation {}", self.generation)?,
            None => writeln!(f, "published   nothing yet, generation {}", self.generation)?,
        }
        match &self.unread {
            Some(unread) => {
                let head = unread.head.map_or("unknown".to_owned(), |head| head.to_string());
                let commits = unread.lag_commits.map_or("unknown".to_owned(), |commits| commits.to_string());
                writeln!(f, "stream      ends at {head}")?;
                match (&unread.unreadable, unread.lag, unread.unpublished_expires_in) {
                    (Some(reason), ..) => writeln!(f, "lag         {commits} commits, not readable: {reason}")?,
                    (None, Some(lag), Some(left)) => {
                        writeln!(f, "lag         {commits} commits, the oldest change is {} old", seconds(lag))?;
                        writeln!(f, "expiry      oldest unpublished change: in {}", seconds(left))?;
                    }
                    _ => writeln!(f, "lag         none")?,
                }
                if let Some(left) = unread.oldest_expires_in {
                    writeln!(f, "expiry      oldest record: in {}", seconds(left))?;
                }
            }
            None => {
                let error = self.poller_error.as_deref().unwrap_or("no reason");
                writeln!(f, "stream      unknown, the poller failed: {error}")?;
            }
        }
        match &self.lease {
            Some(LeaseStatus { owner, epoch, age, expires_in: 0 }) => {
                let age = age.map_or(String::new(), |age| format!(", taken {} ago", seconds(age)));
                write!(f, "lease       of {owner} (epoch {epoch}){age}, expired")
            }
            Some(LeaseStatus { owner, epoch, age, expires_in }) => {
                let age = age.map_or(String::new(), |age| format!(", taken {} ago", seconds(age)));
                let left = seconds(*expires_in);
                write!(f, "lease       of {owner} (epoch {epoch}){age}, expires in {left}")
            }
            None => write!(f, "lease       none"),
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

    fn checkpoint() -> CheckpointStatus {
        let lease = Lease { owner: "r/1".to_owned(), epoch: 7 };
        let holder = Holder { lease, taken_at: Some(at(-12)), expires_at: at(83) };
        CheckpointStatus { position: Some(Position::new(12, 3)), generation: 1, holder: Some(holder) }
    }

    fn stream() -> StreamState {
        StreamState {
            head: Some(Position::new(20, 4)),
            oldest: Some(RecordTime { committed_at: at(-86_400) }),
            next: Some(RecordTime { committed_at: at(-182) }),
            unreadable: None,
            retention_seconds: 7 * 86_400,
        }
    }

    #[test]
    fn status_shows_lag_expiry_and_lease() {
        let status = combine(Some(checkpoint()), Ok(stream()), NOW).to_string();
        let expected = "published   up to 12/3, generation 1\n\
                        stream      ends at 20/4\n\
                        lag         8 commits, the oldest change is 3 min 2 s old\n\
                        expiry      oldest unpublished change: in 6 d 23 h\n\
                        expiry      oldest record: in 6 d 0 h\n\
                        lease       of r/1 (epoch 7), taken 12 s ago, expires in 1 min 23 s";
        assert_eq!(status, expected);
    }

    #[test]
    fn status_shows_lost_changes_and_an_expired_lease() {
        let lost = StreamState { next: None, unreadable: Some("expired".to_owned()), ..stream() };
        let mut checkpoint = checkpoint();
        checkpoint.holder.as_mut().expect("a holder").expires_at = at(-1);
        let status = combine(Some(checkpoint), Ok(lost), NOW).to_string();
        assert!(status.contains("8 commits, not readable: expired"), "{status}");
        assert!(status.contains("of r/1 (epoch 7), taken 12 s ago, expired"), "{status}");
    }

    #[test]
    fn status_shows_the_checkpoint_if_the_poller_fails() {
        let status = combine(Some(checkpoint()), Err("timeout".to_owned()), NOW);
        assert!(status.to_string().contains("up to 12/3") && status.to_string().contains("timeout"));
        let json = serde_json::to_value(&status).expect("JSON");
        assert_eq!((&json["position"], &json["pollerError"]), (&json!("12/3"), &json!("timeout")));
    }

    #[test]
    fn status_of_a_new_stream_is_empty() {
        let status =
            combine(None, Ok(StreamState { head: None, oldest: None, next: None, ..stream() }), NOW).to_string();
        assert!(
            status.contains("nothing yet")
                && status.contains("lag         none")
                && status.contains("lease       none")
        );
    }
}
