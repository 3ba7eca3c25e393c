use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use domain::graph::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Session;

/// Selects the commits to replay.
#[derive(Debug, Clone, clap::Args)]
pub struct ReplayOptions {
    /// The first commit, also as <commit>:<op>. Transactions are published whole.
    #[arg(long)]
    pub from: PositionArgument,
    /// The last commit.
    #[arg(long)]
    pub to: PositionArgument,
    /// Publish the changes.
    #[arg(long)]
    pub apply: bool,
}

/// A position on the command line: `12`, `12:3`, or as in logs, `12/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionArgument(pub Position);

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayReport {
    /// Whether changes were published. `false`: they were only counted.
    pub applied: bool,
    /// The number of changes.
    pub changes: u64,
    /// The last position that was published or counted.
    pub position: Option<Position>,
    /// The number of invocations of the poller.
    pub invocations: u32,
}

/// The response of the poller.
#[derive(Debug, Clone, Deserialize)]
struct Response {
    ended: String,
    position: Option<Position>,
    changes: u64,
    complete: Option<bool>,
}

/// Invokes the poller until it has published or counted the whole range again.
///
/// # Errors
/// If an invocation fails or makes no progress. Changes that were published before stay published.
pub async fn replay(session: &Session, options: &ReplayOptions) -> Result<ReplayReport> {
    let function = session.output("StreamPollerName")?;
    let ReplayOptions { from: PositionArgument(mut from), to: PositionArgument(to), apply } = *options;
    let mut replayed = ReplayReport { applied: apply, changes: 0, position: None, invocations: 0 };
    loop {
        let response: Response = session.invoke(function, &event(from, to, apply)).await?;
        replayed.changes += response.changes;
        replayed.position = response.position.or(replayed.position);
        replayed.invocations += 1;
        match next(from, &response) {
            Next::Done => return Ok(replayed),
            Next::From(position) => from = position,
            Next::Stuck => {
                let (ended, changes) = (response.ended, replayed.changes);
                bail!("the poller makes no progress at commit {} ({ended}), after {changes} changes", from.commit_num)
            }
        }
    }
}

fn event(from: Position, to: Position, apply: bool) -> Value {
    // The poller publishes whole transactions, so the range ends with the last operation of the commit.
    json!({"replay": {"from": from, "to": Position::new(to.commit_num, u64::MAX), "dryRun": !apply}})
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done,
    /// The transaction may be incomplete: it continues from the start of the transaction.
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

impl FromStr for PositionArgument {
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
                write!(f, "{changes} changes, up to {last}, would be published again. To publish them: --apply")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_argument_is_parsed_with_or_without_operation() {
        for text in ["12:3", "12/3"] {
            assert_eq!(text.parse(), Ok(PositionArgument(Position::new(12, 3))));
        }
        assert_eq!("12".parse(), Ok(PositionArgument(Position::new(12, 1))));
        for text in ["", "x", "1:2:3", ":1", "-1"] {
            assert!(text.parse::<PositionArgument>().is_err(), "{text}");
        }
    }

    #[test]
    fn incomplete_range_continues_at_the_last_commit() {
        let response = |position: Option<(u64, u64)>, complete| Response {
            ended: "deadline".to_owned(),
            position: position.map(|(commit, op)| Position::new(commit, op)),
            changes: 1,
            complete: Some(complete),
        };
        let from = Position::new(4, 2);
        assert_eq!(next(from, &response(Some((9, 3)), true)), Next::Done);
        assert_eq!(next(from, &response(Some((7, 3)), false)), Next::From(Position::new(7, 1)));
        assert_eq!(
            next(from, &response(Some((4, 9)), false)),
            Next::Stuck,
            "an invocation without progress ends the replay"
        );
        assert_eq!(next(from, &response(None, false)), Next::Stuck);
    }

    #[test]
    fn event_without_apply_is_a_dry_run() {
        let event = event(Position::new(1, 1), Position::new(2, 1), false);
        assert_eq!(event["replay"]["dryRun"], true);
    }
}
