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
//! Without `--apply` no command changes anything. None prints text of users, only ids, kinds and reasons.

mod durations;
pub mod media;
pub mod queue;
pub mod session;
mod signed_calls;
pub mod stream;
pub mod tls;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde::Serialize;

pub use session::Session;

/// Operates a deployed stack. Credentials and region come from the environment and profiles, as in other AWS tools.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask ops", bin_name = "cargo xtask ops")]
pub struct Arguments {
    /// Name of the stack.
    #[arg(long, default_value = "iyagi", global = true)]
    pub stack: String,
    /// Endpoint of an AWS emulator, for a local stack.
    #[arg(long, global = true)]
    pub endpoint_url: Option<String>,
    /// Print the report as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The stream of graph changes.
    #[command(subcommand)]
    Stream(stream::Command),
    /// Dead-letter queues.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Pictures and recordings.
    #[command(subcommand)]
    Media(media::Command),
}

/// The result of a command, as text and as JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is named like its command")]
pub enum Report {
    Status(stream::Status),
    Replay(stream::ReplayReport),
    Peek(queue::PeekReport),
    Redrive(queue::RedriveReport),
    Reprocess(media::ReprocessReport),
}

/// Runs a command.
///
/// # Errors
/// If a call of AWS fails, or the stack lacks an expected output.
pub async fn run(session: &Session, command: &Command) -> Result<Report> {
    Ok(match command {
        Command::Stream(stream::Command::Status) => Report::Status(stream::status(session).await?),
        Command::Stream(stream::Command::Replay(arguments)) => {
            Report::Replay(stream::replay(session, arguments).await?)
        }
        Command::Queue(queue::Command::Peek(arguments)) => Report::Peek(queue::peek(session, arguments).await?),
        Command::Queue(queue::Command::Redrive(arguments)) => {
            Report::Redrive(queue::redrive(session, arguments).await?)
        }
        Command::Media(media::Command::Reprocess(arguments)) => {
            Report::Reprocess(media::reprocess(session, arguments).await?)
        }
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Status(report) => report.fmt(f),
            Self::Replay(report) => report.fmt(f),
            Self::Peek(report) => report.fmt(f),
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
    fn arguments_are_parsed_and_checked() {
        Arguments::command().debug_assert();
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        for line in [
            "ops stream status --stack other",
            "ops stream replay --from 1 --to 2:3 --apply",
            "ops queue look graph-changes --limit 3 --json",
            "ops queue redrive push --apply",
            "ops media reprocess --prefix photo/ --anew --apply",
            "ops media reprocess --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --apply",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "ops stream replay --from 1",
            "ops queue look other",
            "ops media reprocess --apply",
            "ops media reprocess --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --prefix photo/",
            "ops media reprocess --id x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
