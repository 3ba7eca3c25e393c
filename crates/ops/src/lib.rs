//! The operator's tool for a deployed stack: `cargo xtask ops`.
//!
//! ```text
//! session       the stack: its outputs and the clients of its services
//! signed_calls  calls of services whose SDKs are not linked
//! samconfig     the configuration of the SAM CLI
//! tls           the HTTP client
//! findings      results of checks
//! preflight     compares a deployment with an account, before it is deployed
//! setup         prepares an account: topic, key, network, graph, search, layer, secrets
//! smoke         uses a deployed stack as an app does, and checks what only AWS shows
//! stream        shows the status of the Neptune stream; replays a range of it
//! queue         dead-letter queues: shows messages without consuming them; redrives them
//! media         renders variants and encodes renditions again; takes items down and restores them
//! reports       lists people's reports of items; closes them
//! ```
//! Without `--apply` no command changes anything, but `smoke` creates an account, files and changes, and deletes them again.
//! None shows text of users, but `reports --texts`: only ids, kinds and reasons.

pub mod findings;
pub mod media;
pub mod preflight;
pub mod queue;
pub mod reports;
mod samconfig;
pub mod session;
pub mod setup;
mod signed_calls;
pub mod smoke;
pub mod stream;
mod table;
pub mod tls;

use anyhow::Result;
use aws_config::SdkConfig;
use clap::{Parser, Subcommand};
use serde::Serialize;

pub use session::Session;

/// Operates a deployed stack. Credentials and region come from the environment and profiles.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask ops", bin_name = "cargo xtask ops")]
pub struct Arguments {
    /// The name of the stack.
    #[arg(long, default_value = "iyagi", global = true)]
    pub stack: String,
    /// The endpoint of the emulator, for a stack on this machine.
    #[arg(long, global = true)]
    pub endpoint_url: Option<String>,
    /// Print the report as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a deployment will fail on in this account, and how to mend it. Deploys nothing.
    Preflight(preflight::PreflightOptions),
    /// Prepare what the backend's parameters need: alarm topic, key, network, graph, search, layer, secrets.
    ///
    /// Without --apply, prints the AWS CLI commands. Steps that are done are skipped, so that an interrupted setup
    /// continues. The parameters are written into samconfig.toml.
    Setup(setup::SetupOptions),
    /// A command for a deployed stack.
    #[command(flatten)]
    Deployed(DeployedCommand),
}

/// A command for a deployed stack.
#[derive(Debug, Subcommand)]
pub enum DeployedCommand {
    /// The Neptune stream.
    #[command(subcommand)]
    Stream(stream::Command),
    /// Dead-letter queues.
    #[command(subcommand)]
    Queue(queue::Command),
    /// Pictures and recordings.
    #[command(subcommand)]
    Media(media::Command),
    /// What people have reported. Without a command: the open reports, by item.
    Reports(reports::Options),
    /// Check a deployed stack: a picture and a recording in, files out, search, push, alarms, settings.
    ///
    /// Creates an account for it, and deletes it again.
    Smoke(smoke::SmokeOptions),
}

/// The result of a command, printed as text or JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each variant is documented by its type")]
pub enum Report {
    Check(findings::CheckReport),
    Setup(setup::SetupReport),
    Status(stream::Status),
    Replay(stream::ReplayReport),
    Peek(queue::PeekReport),
    Redrive(queue::RedriveReport),
    Reprocess(media::ReprocessReport),
    Decision(media::DecisionReport),
    Reported(reports::ReportedItems),
    Closed(reports::ClosedReports),
}

impl Report {
    /// Whether the report is that of a failure.
    pub fn fails(&self) -> bool {
        matches!(self, Self::Check(report) if report.fails())
    }
}

/// Runs a command for the stack `stack`, with credentials, region and endpoint of `config`.
///
/// # Errors
/// If a call fails, or the stack lacks an output.
pub async fn run(config: SdkConfig, stack: &str, command: &Command) -> Result<Report> {
    match command {
        Command::Preflight(options) => Ok(Report::Check(preflight::preflight(&config, stack, options).await?)),
        Command::Setup(options) => Ok(Report::Setup(setup::setup(stack, &config, options).await?)),
        Command::Deployed(command) => run_on(&Session::of(config, stack).await?, command).await,
    }
}

async fn run_on(session: &Session, command: &DeployedCommand) -> Result<Report> {
    use DeployedCommand::{Media, Queue, Reports, Smoke, Stream};
    Ok(match command {
        Stream(stream::Command::Status) => Report::Status(stream::status(session).await?),
        Stream(stream::Command::Replay(options)) => Report::Replay(stream::replay(session, options).await?),
        Queue(queue::Command::Peek(options)) => Report::Peek(queue::peek(session, options).await?),
        Queue(queue::Command::Redrive(options)) => Report::Redrive(queue::redrive(session, options).await?),
        Media(media::Command::Reprocess(options)) => Report::Reprocess(media::reprocess(session, options).await?),
        Reports(options) => match &options.command {
            None => Report::Reported(reports::list(session, &options.list).await?),
            Some(reports::Command::Close(options)) => Report::Closed(reports::close(session, options).await?),
        },
        Media(media::Command::TakeDown(options)) => Report::Decision(media::take_down(session, options).await?),
        Media(media::Command::Restore(options)) => Report::Decision(media::restore(session, options).await?),
        Smoke(options) => Report::Check(smoke::smoke(session, options).await?),
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Check(report) => report.fmt(f),
            Self::Setup(report) => report.fmt(f),
            Self::Status(report) => report.fmt(f),
            Self::Replay(report) => report.fmt(f),
            Self::Peek(report) => report.fmt(f),
            Self::Redrive(report) => report.fmt(f),
            Self::Reprocess(report) => report.fmt(f),
            Self::Decision(report) => report.fmt(f),
            Self::Reported(report) => report.fmt(f),
            Self::Closed(report) => report.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_parsed_or_rejected() {
        Arguments::command().debug_assert();
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        for line in [
            "ops preflight --config-env production --parameter Scale=small",
            "ops smoke --stack other --push-token t --timeout 60",
            "ops setup --alarms on-call@iyagi.example --key --graph --search --search-in-vpc --delivery",
            "ops stream status --stack other",
            "ops stream replay --from 1 --to 2:3 --apply",
            "ops queue look graph-changes --limit 3 --json",
            "ops queue redrive push --apply",
            "ops media reprocess --prefix photo/ --anew --apply",
            "ops media take-down --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --reason hate --apply",
            "ops media restore --id 1BXGRWP28YE5BMJM4Y6AMW46T0",
            "ops reports",
            "ops reports --texts --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --json",
            "ops reports close --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --apply",
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
            "ops media take-down --id 1BXGRWP28YE5BMJM4Y6AMW46T0",
            "ops media take-down --id 1BXGRWP28YE5BMJM4Y6AMW46T0 --reason boring",
            "ops reports close --apply",
            "ops reports --texts close --id 1BXGRWP28YE5BMJM4Y6AMW46T0",
            "ops setup --search --search-in-vpc",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
