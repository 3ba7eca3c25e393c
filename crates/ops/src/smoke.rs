//! Checks a deployed stack: uses it as an app does, and reads what an emulator does not show. docs/aws-assumptions.md names
//! the check of each assumption.
//!
//! ```text
//! http      requests without a signature
//! canary    an account of its own, and its requests to the API
//! media     files in, files out
//! graph     changes of the graph on the event bus: search and push
//! settings  settings of functions and topics
//! alarms    alarms that are on
//! waiting   tries until there is a result
//! ```

mod alarms;
mod canary;
mod graph;
mod http;
mod media;
mod settings;
mod waiting;

use std::time::Duration;

use anyhow::Result;

use self::canary::Canary;
use crate::{
    findings::{CheckReport, Finding},
    session::Session,
};

/// Options of `smoke`.
#[derive(Debug, Clone, clap::Args)]
pub struct SmokeOptions {
    /// The FCM token of a phone that may get a notification. Without it, push is not checked.
    #[arg(long, value_name = "TOKEN")]
    pub push_token: Option<String>,
    /// How long a check waits, in seconds.
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    pub timeout: u64,
}

/// Runs all checks. What they have created is deleted also if they fail.
///
/// # Errors
/// If there is no account for the checks, or it cannot be deleted.
pub async fn smoke(session: &Session, options: &SmokeOptions) -> Result<CheckReport> {
    let timeout = Duration::from_secs(options.timeout);
    let canary = Canary::create(session).await?;
    let mut findings = vec![Finding::fine("sign-in", "an account signs in and out of the user pool")];
    findings.push(Finding::of("ID token", canary.checks_scope().await));
    findings.extend(media::check(session, &canary, timeout).await);
    findings.extend(graph::check(session, &canary, options.push_token.as_deref(), timeout).await);
    canary.delete().await?;
    findings.extend(settings::check(session).await);
    // Last, so that it shows what the checks before have caused.
    findings.push(Finding::of("alarms", alarms::check(session).await));
    let region = session.calls.region().to_owned();
    Ok(CheckReport { stack: session.stack.clone(), region, findings })
}
