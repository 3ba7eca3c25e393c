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

/// How the stream stands. Times are seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Up to where all is published.
    pub position: Option<Position>,
    /// Number of resets.
    pub generation: u64,
    /// Who publishes.
    pub lease: Option<Held>,
    /// What is left to publish, if the poller says it.
    pub unread: Option<Unread>,
    /// Why the poller does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silence: Option<String>,
}

/// The lease of who publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    /// An invocation of the poller.
    pub owner: String,
    /// Number of acquisitions of the lease.
    pub epoch: u64,
    /// For how long it has it.
    pub age: Option<u64>,
    /// In how long anybody may take it; 0 if it has been left behind.
    pub expires_in: u64,
}

/// What is not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Unread {
    /// The stream's last record.
    pub head: Option<Position>,
    /// Commits that are not published.
    pub lag_commits: Option<u64>,
    /// The age of the oldest change that is not published; `None` if all are.
    pub lag: Option<u64>,
    /// In how long the oldest change that is not published goes; `None` if all are published.
    pub unpublished_expires_in: Option<u64>,
    /// In how long the stream's oldest record goes; `None` if it has none.
    pub oldest_expires_in: Option<u64>,
    /// Why what comes after the checkpoint cannot be read: `expired` means that it is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// What the poller answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Standing {
    head: Option<Position>,
    oldest: Option<Mark>,
    next: Option<Mark>,
    unreadable: Option<String>,
    retention_seconds: u64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mark {
    committed_at: Timestamp,
}

/// Reads the checkpoint, and has the poller look at the stream.
///
/// # Errors
/// If the checkpoint cannot be read. If the poller does not answer, the status says that.
pub async fn status(session: &Session) -> Result<Status> {
    let (table, stream) = (session.output("CheckpointTableName")?, session.output("StreamName")?);
    let table = CheckpointTable::new(session.dynamodb.clone(), table.to_owned(), stream.to_owned());
    let overview = table.status().await.context("the checkpoint")?;
    let after = overview.as_ref().and_then(|overview| overview.position);
    let question = json!({"status": {"after": after}});
    let standing = session.invoke(session.output("StreamPollerName")?, &question).await;
    Ok(of(overview, standing.map_err(|error| format!("{error:#}")), Timestamp::now()))
}

fn of(overview: Option<CheckpointStatus>, standing: Result<Standing, String>, now: Timestamp) -> Status {
    let overview = overview.unwrap_or(CheckpointStatus { position: None, generation: 0, holder: None });
    let lease = overview.holder.map(|holder| Held {
        owner: holder.lease.owner,
        epoch: holder.lease.epoch,
        age: holder.taken_at.map(|taken_at| between(taken_at, now).as_secs()),
        expires_in: between(now, holder.expires_at).as_secs(),
    });
    let position = overview.position;
    let (standing, silence) = match standing {
        Ok(standing) => (Some(standing), None),
        Err(why) => (None, Some(why)),
    };
    let unread = standing.map(|standing| {
        let expires_in =
            |mark: Mark| standing.retention_seconds.saturating_sub(between(mark.committed_at, now).as_secs());
        let published = position.map_or(0, |position| position.commit_num);
        Unread {
            head: standing.head,
            lag_commits: standing.head.map(|head| head.commit_num.saturating_sub(published)),
            lag: standing.next.map(|next| between(next.committed_at, now).as_secs()),
            unpublished_expires_in: standing.next.map(expires_in),
            oldest_expires_in: standing.oldest.map(expires_in),
            unreadable: standing.unreadable.clone(),
        }
    });
    Status { position, generation: overview.generation, lease, unread, silence }
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
                    (Some(why), ..) => writeln!(f, "lag         {commits} commits, and they cannot be read: {why}")?,
                    (None, Some(lag), Some(left)) => {
                        writeln!(f, "lag         {commits} commits, the oldest change is {} old", seconds(lag))?;
                        writeln!(f, "expiry      of the oldest change that is not published: in {}", seconds(left))?;
                    }
                    _ => writeln!(f, "lag         none")?,
                }
                if let Some(left) = unread.oldest_expires_in {
                    writeln!(f, "expiry      of the stream's oldest record: in {}", seconds(left))?;
                }
            }
            None => {
                let why = self.silence.as_deref().unwrap_or("without a reason");
                writeln!(f, "stream      the poller does not say: {why}")?;
            }
        }
        match &self.lease {
            Some(Held { owner, epoch, age, expires_in: 0 }) => {
                let age = age.map_or(String::new(), |age| format!(", taken {} ago", seconds(age)));
                write!(f, "lease       left behind by {owner} (epoch {epoch}){age}: anybody may take it")
            }
            Some(Held { owner, epoch, age, expires_in }) => {
                let age = age.map_or(String::new(), |age| format!(" for {}", seconds(age)));
                let left = seconds(*expires_in);
                write!(f, "lease       held by {owner} (epoch {epoch}){age}, in {left} anybody may take it")
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

    fn overview() -> CheckpointStatus {
        let lease = Lease { owner: "r/1".to_owned(), epoch: 7 };
        let holder = Holder { lease, taken_at: Some(at(-12)), expires_at: at(83) };
        CheckpointStatus { position: Some(Position::new(12, 3)), generation: 1, holder: Some(holder) }
    }

    fn standing() -> Standing {
        Standing {
            head: Some(Position::new(20, 4)),
            oldest: Some(Mark { committed_at: at(-86_400) }),
            next: Some(Mark { committed_at: at(-182) }),
            unreadable: None,
            retention_seconds: 7 * 86_400,
        }
    }

    #[test]
    fn says_what_is_left_and_for_how_long() {
        let status = of(Some(overview()), Ok(standing()), NOW).to_string();
        let expected = "published   up to 12/3, generation 1\n\
                        stream      ends at 20/4\n\
                        lag         8 commits, the oldest change is 3 min 2 s old\n\
                        expiry      of the oldest change that is not published: in 6 d 23 h\n\
                        expiry      of the stream's oldest record: in 6 d 0 h\n\
                        lease       held by r/1 (epoch 7) for 12 s, in 1 min 23 s anybody may take it";
        assert_eq!(status, expected);
    }

    #[test]
    fn what_is_lost_and_who_is_gone_is_said() {
        let lost = Standing { next: None, unreadable: Some("expired".to_owned()), ..standing() };
        let mut overview = overview();
        overview.holder.as_mut().expect("a holder").expires_at = at(-1);
        let status = of(Some(overview), Ok(lost), NOW).to_string();
        assert!(status.contains("8 commits, and they cannot be read: expired"), "{status}");
        assert!(status.contains("left behind by r/1 (epoch 7), taken 12 s ago"), "{status}");
    }

    #[test]
    fn without_a_poller_the_checkpoint_is_still_told() {
        let status = of(Some(overview()), Err("it failed".to_owned()), NOW);
        assert!(status.to_string().contains("up to 12/3") && status.to_string().contains("it failed"));
        let json = serde_json::to_value(&status).expect("JSON");
        assert_eq!((&json["position"], &json["silence"]), (&json!("12/3"), &json!("it failed")));
    }

    #[test]
    fn stream_without_lease_is_shown_as_unread() {
        let status = of(None, Ok(Standing { head: None, oldest: None, next: None, ..standing() }), NOW).to_string();
        assert!(status.contains("nothing yet") && status.contains("lag         none") && status.contains("free"));
    }
}
