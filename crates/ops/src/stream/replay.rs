use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use domain::graph::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Session;

/// Options of `replay`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The first commit: <commit> or <commit>:<op>. Transactions are published as a whole.
    #[arg(long)]
    pub from: CommitPosition,
    /// The last commit.
    #[arg(long)]
    pub to: CommitPosition,
    /// Publish the changes.
    #[arg(long)]
    pub apply: bool,
}

/// A position in an argument: `12`, `12:3`, or, as in logs, `12/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitPosition(pub Position);

/// The result of `replay`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Whether changes were published, or only counted.
    pub applied: bool,
    /// Number of changes.
    pub changes: u64,
    /// Position of the last change.
    pub position: Option<Position>,
    /// Number of invocations of the poller.
    pub invocations: u32,
}

/// The poller's response.
#[derive(Debug, Clone, Deserialize)]
struct Response {
    ended: String,
    position: Option<Position>,
    changes: u64,
    complete: Option<bool>,
}

/// Invokes the poller until a range is published again or counted.
///
/// # Errors
/// If the poller fails, or makes no progress in an invocation. Changes published before stay published.
pub async fn replay(session: &Session, arguments: &Arguments) -> Result<ReplayReport> {
    let function = session.output("StreamPollerName")?;
    let Arguments { from: CommitPosition(mut from), to: CommitPosition(to), apply } = *arguments;
    let mut report = ReplayReport { applied: apply, changes: 0, position: None, invocations: 0 };
    loop {
        let response: Response = session.invoke(function, &event(from, to, apply)).await?;
        report.changes += response.changes;
        report.position = response.position.or(report.position);
        report.invocations += 1;
        match next(from, &response) {
            Next::Done => return Ok(report),
            Next::From(position) => from = position,
            Next::Stuck => {
                let (ended, changes) = (response.ended, report.changes);
                bail!("the poller makes no progress after commit {} and {changes} changes: {ended}", from.commit_num)
            }
        }
    }
}

fn event(from: Position, to: Position, apply: bool) -> Value {
    // The poller publishes whole transactions, so the range ends with the last change of its commit.
    json!({"replay": {"from": from, "to": Position::new(to.commit_num, u64::MAX), "dryRun": !apply}})
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done,
    /// Continue at the start of a transaction, which may be incomplete.
    From(Position),
    Stuck,
}

fn next(from: Position, response: &Response) -> Next {
    match (response.complete, response.position) {
        (Some(true), _) => Next::Done,
        (_, Some(position)) if position.commit_num > from.commit_num => {
            Next::From(Position::new(position.commit_num, 1))
        }
        _ => Next::Stuck,
    }
}

impl FromStr for CommitPosition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.replace(':', "/");
        let whole = if text.contains('/') { text } else { format!("{text}/1") };
        whole.parse().map(Self).map_err(|_| "expected <commit> or <commit>:<op>".to_owned())
    }
}

impl fmt::Display for ReplayReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, changes, position, .. } = self;
        match (position, applied) {
            (None, _) => write!(f, "The range has no changes."),
            (Some(last), true) => write!(f, "Published {changes} changes again, up to {last}."),
            (Some(last), false) => {
                write!(f, "Would publish {changes} changes again, up to {last}. Add --apply to do it.")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_in_arguments_are_parsed() {
        for text in ["12:3", "12/3"] {
            assert_eq!(text.parse(), Ok(CommitPosition(Position::new(12, 3))));
        }
        assert_eq!("12".parse(), Ok(CommitPosition(Position::new(12, 1))));
        for text in ["", "x", "1:2:3", ":1", "-1"] {
            assert!(text.parse::<CommitPosition>().is_err(), "{text}");
        }
    }

    #[test]
    fn incomplete_replay_continues_at_its_last_transaction() {
        let response = |position: Option<(u64, u64)>, complete| Response {
            ended: "deadline".to_owned(),
            position: position.map(|(commit, op)| Position::new(commit, op)),
            changes: 1,
            complete: Some(complete),
        };
        let from = Position::new(4, 2);
        assert_eq!(next(from, &response(Some((9, 3)), true)), Next::Done);
        assert_eq!(next(from, &response(Some((7, 3)), false)), Next::From(Position::new(7, 1)));
        assert_eq!(next(from, &response(Some((4, 9)), false)), Next::Stuck, "no progress");
        assert_eq!(next(from, &response(None, false)), Next::Stuck);
    }

    #[test]
    fn replay_is_a_dry_run_without_apply() {
        let event = event(Position::new(1, 1), Position::new(2, 1), false);
        assert_eq!(event["replay"]["dryRun"], true);
    }
}
