//! The operator's tool for a deployed stack: `cargo xtask ops`.
//!
//! ```text
//! session       the stack: its outputs and the clients of its services
//! signed_calls  the calls of CloudFormation and Lambda
//! tls           the HTTP client
//! stream        the state of the graph's stream; replays of a part of it
//! queue         dead-letter queues: shows messages without consuming them; redrives them
//! media         renders variants and renditions again
//! ```
//! Without `--apply` no command changes anything. None shows text of users: only ids, kinds and reasons.

pub mod media;
pub mod queue;
pub mod session;
mod signed_calls;
pub mod stream;
mod table;
pub mod tls;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde::Serialize;

pub use session::Session;

/// Looks after a deployed stack. Who it acts as, and in which region, it learns as all of AWS's tools do: from
/// the environment and from profiles.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask ops", bin_name = "cargo xtask ops")]
pub struct Arguments {
    /// The name of the stack.
    #[arg(long, default_value = "iyagi", global = true)]
    pub stack: String,
    /// Where AWS is, if not at its own endpoints: for a stack on one machine.
    #[arg(long, global = true)]
    pub endpoint_url: Option<String>,
    /// Answer as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The graph's stream of changes.
    #[command(subcommand)]
    Stream(stream::Command),
    /// Dead-letter queues.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Pictures and recordings.
    #[command(subcommand)]
    Media(media::Command),
}

/// What a command found or did: for people, and for programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is named as its type")]
pub enum Report {
    Status(stream::Status),
    Replay(stream::Replayed),
    Look(queue::Looked),
    Redrive(queue::Redriven),
    Reprocess(media::Reprocessed),
}

/// Does it.
///
/// # Errors
/// If AWS refuses a call, or the stack is not as this program knows it.
pub async fn run(session: &Session, command: &Command) -> Result<Report> {
    Ok(match command {
        Command::Stream(stream::Command::Status) => Report::Status(stream::status(session).await?),
        Command::Stream(stream::Command::Replay(order)) => Report::Replay(stream::replay(session, order).await?),
        Command::Queue(queue::Command::Look(order)) => Report::Look(queue::look(session, order).await?),
        Command::Queue(queue::Command::Redrive(order)) => Report::Redrive(queue::redrive(session, order).await?),
        Command::Media(media::Command::Reprocess(order)) => Report::Reprocess(media::reprocess(session, order).await?),
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(report) => report.fmt(f),
            Self::Replay(report) => report.fmt(f),
            Self::Look(report) => report.fmt(f),
            Self::Redrive(report) => report.fmt(f),
            Self::Reprocess(report) => report.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn what_is_asked_for_is_one_thing() {
        Arguments::command().debug_assert();
        let read = |line: &str| Arguments::try_parse_from(line.split(' '));
        for line in [
            "ops stream status --stack other",
            "ops stream replay --from 1 --to 2:3 --apply",
            "ops queue look graph-changes --limit 3 --json",
            "ops queue redrive push --apply",
            "ops media reprocess --prefix photo/ --anew --apply",
            "ops media reprocess --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --apply",
        ] {
            assert!(read(line).is_ok(), "{line}");
        }
        for line in [
            "ops stream replay --from 1",
            "ops queue look other",
            "ops media reprocess --apply",
            "ops media reprocess --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --prefix photo/",
            "ops media reprocess --id x",
        ] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
