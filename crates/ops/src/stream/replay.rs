use std::{fmt, str::FromStr};

use anyhow::{Result, bail};
use domain::graph::Position;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Session;

/// Which commits.
#[derive(Debug, Clone, clap::Args)]
pub struct Order {
    /// The first commit, also as <commit>:<op>. A transaction is published whole.
    #[arg(long)]
    pub from: Place,
    /// The last commit.
    #[arg(long)]
    pub to: Place,
    /// Do it.
    #[arg(long)]
    pub apply: bool,
}

/// A position as operators write it: `12`, `12:3`, or as it stands in logs, `12/3`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub Position);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// Whether they were published; else they were only counted.
    pub applied: bool,
    /// Changes.
    pub changes: u64,
    /// The last position that was reached.
    pub position: Option<Position>,
    /// How many invocations it took.
    pub invocations: u32,
}

/// What the poller answers.
#[derive(Debug, Clone, Deserialize)]
struct Answer {
    ended: String,
    position: Option<Position>,
    changes: u64,
    complete: Option<bool>,
}

/// Has the poller publish a range once more, or count it, in as many invocations as that takes.
///
/// # Errors
/// If the poller stops, or comes no further in an invocation: what it has published until then stays so.
pub async fn replay(session: &Session, order: &Order) -> Result<Replayed> {
    let function = session.output("StreamPollerName")?;
    let Order { from: Place(mut from), to: Place(to), apply } = *order;
    let mut replayed = Replayed { applied: apply, changes: 0, position: None, invocations: 0 };
    loop {
        let answer: Answer = session.invoke(function, &event(from, to, apply)).await?;
        replayed.changes += answer.changes;
        replayed.position = answer.position.or(replayed.position);
        replayed.invocations += 1;
        match next(from, &answer) {
            Next::Done => return Ok(replayed),
            Next::From(position) => from = position,
            Next::Stuck => {
                let (ended, changes) = (answer.ended, replayed.changes);
                bail!("the poller comes no further than commit {} ({ended}), after {changes} changes", from.commit_num)
            }
        }
    }
}

fn event(from: Position, to: Position, apply: bool) -> Value {
    // The poller publishes whole transactions; so the last one is named by its commit.
    json!({"replay": {"from": from, "to": Position::new(to.commit_num, u64::MAX), "dryRun": !apply}})
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done,
    /// Its transaction may not have come to its end: from its beginning.
    From(Position),
    Stuck,
}

fn next(from: Position, answer: &Answer) -> Next {
    match (answer.complete, answer.position) {
        (Some(true), _) => Next::Done,
        (_, Some(position)) if position.commit_num > from.commit_num => {
            Next::From(Position::new(position.commit_num, 1))
        }
        _ => Next::Stuck,
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.replace(':', "/");
        let whole = if text.contains('/') { text } else { format!("{text}/1") };
        whole.parse().map(Self).map_err(|_| "<commit> or <commit>:<op> is expected".to_owned())
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { applied, changes, position, .. } = self;
        match (position, applied) {
            (None, _) => write!(f, "There is nothing to publish in that range."),
            (Some(last), true) => write!(f, "Published {changes} changes once more, up to {last}."),
            (Some(last), false) => {
                write!(f, "{changes} changes, up to {last}, would be published once more. To do it: --apply")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["12:3", "12/3"] {
            assert_eq!(text.parse(), Ok(Place(Position::new(12, 3))));
        }
        assert_eq!("12".parse(), Ok(Place(Position::new(12, 1))));
        for text in ["", "x", "1:2:3", ":1", "-1"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_range_that_takes_longer_goes_on_where_it_ended() {
        let answer = |position: Option<(u64, u64)>, complete| Answer {
            ended: "deadline".to_owned(),
            position: position.map(|(commit, op)| Position::new(commit, op)),
            changes: 1,
            complete: Some(complete),
        };
        let from = Position::new(4, 2);
        assert_eq!(next(from, &answer(Some((9, 3)), true)), Next::Done);
        assert_eq!(next(from, &answer(Some((7, 3)), false)), Next::From(Position::new(7, 1)));
        assert_eq!(next(from, &answer(Some((4, 9)), false)), Next::Stuck, "or it would never end");
        assert_eq!(next(from, &answer(None, false)), Next::Stuck);
    }

    #[test]
    fn only_who_says_so_publishes() {
        let event = event(Position::new(1, 1), Position::new(2, 1), false);
        assert_eq!(event["replay"]["dryRun"], true);
    }
}
