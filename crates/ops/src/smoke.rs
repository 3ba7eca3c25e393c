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
//! ```

mod alarms;
mod canary;
mod graph;
mod http;
mod media;
mod settings;

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep};

use self::canary::Canary;
use crate::{
    findings::{CheckReport, Finding},
    session::Session,
};

/// Time between two tries of a check that waits.
const INTERVAL: Duration = Duration::from_secs(1);

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
    findings.push(finding("ID token", canary.checks_scope().await));
    findings.extend(media::check(session, &canary, timeout).await);
    findings.extend(graph::check(session, &canary, options.push_token.as_deref(), timeout).await);
    canary.delete().await?;
    findings.extend(settings::check(session).await);
    // Last, so that it shows what the checks before have caused.
    findings.push(finding("alarms", alarms::check(session).await));
    let region = session.calls.region().to_owned();
    Ok(CheckReport { stack: session.stack.clone(), region, findings })
}

/// The finding of a check: fine with its text, or a failure.
fn finding(subject: &'static str, result: Result<String>) -> Finding {
    match result {
        Ok(text) => Finding::fine(subject, text),
        Err(error) => Finding::broken(subject, &format!("{error:#}")),
    }
}

/// Repeats `attempt` until it returns a value. `None` after `timeout`.
async fn wait<T>(timeout: Duration, attempt: impl AsyncFn() -> Result<Option<T>>) -> Result<Option<T>> {
    let end = Instant::now() + timeout;
    loop {
        if let Some(value) = attempt().await? {
            return Ok(Some(value));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::findings::Level;

    #[tokio::test]
    async fn check_waits_until_there_is_a_value_or_its_time_is_over() {
        let tries = Cell::new(0);
        let third = async || {
            tries.set(tries.get() + 1);
            Ok((tries.get() == 3).then_some("value"))
        };
        assert_eq!(wait(Duration::from_secs(10), third).await.expect("a result"), Some("value"));
        assert_eq!(wait(Duration::ZERO, async || Ok(None::<()>)).await.expect("a result"), None);
        wait(Duration::from_secs(10), async || -> Result<Option<()>> { anyhow::bail!("broken") })
            .await
            .expect_err("broken");
    }

    #[test]
    fn failed_check_is_a_failure_of_the_report() {
        let failed = finding("search", Err(anyhow::anyhow!("status 503")));
        assert_eq!((failed.level, failed.text.as_str()), (Level::Fails, "status 503"));
        assert_eq!(finding("search", Ok("found".to_owned())).level, Level::Fine);
    }
}
