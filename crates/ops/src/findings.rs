//! Findings of checks, as text and JSON.

use std::fmt;

use anyhow::Result;
use serde::Serialize;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The deployment fails, or will fail.
    Fails,
    /// The deployment can fail, or the stack does not work well.
    Warns,
    /// It was not possible to check.
    Unknown,
    /// Nothing to do.
    Fine,
}

/// A result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was checked.
    pub subject: &'static str,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    /// A failure, and how to mend it.
    pub fn fails(subject: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fails, subject, text: text.into(), mend: Some(mend.into()) }
    }

    /// The result of a check: its text, or the reason of a failure.
    pub fn of(subject: &'static str, result: Result<String>) -> Self {
        match result {
            Ok(text) => Self::fine(subject, text),
            Err(error) => Self { level: Level::Fails, subject, text: one_line(&format!("{error:#}")), mend: None },
        }
    }

    /// A possible failure, and how to avoid it.
    pub fn warns(subject: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warns, subject, text: text.into(), mend: Some(mend.into()) }
    }

    /// A check that was not possible.
    pub fn unknown(subject: &'static str, reason: &str) -> Self {
        Self { level: Level::Unknown, subject, text: format!("not checked: {}", one_line(reason)), mend: None }
    }

    /// Nothing to do.
    pub fn fine(subject: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Fine, subject, text: text.into(), mend: None }
    }
}

/// The beginning of a text in one line. The answers of services are long and have several lines.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect()
}

/// The result of `preflight` and `smoke`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Name of the stack.
    pub stack: String,
    /// Region of the stack.
    pub region: String,
    /// Results of all checks.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Whether a check has failed.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Fails)
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in {}", self.stack, self.region)?;
        let mut findings: Vec<_> = self.findings.iter().collect();
        findings.sort_by_key(|finding| finding.level);
        for Finding { level, subject, text, mend } in findings {
            let sign = match level {
                Level::Fails => "✗",
                Level::Warns => "!",
                Level::Unknown => "?",
                Level::Fine => "✓",
            };
            writeln!(f, "{sign} {subject}: {text}")?;
            if let Some(mend) = mend {
                writeln!(f, "    → {mend}")?;
            }
        }
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        write!(
            f,
            "{} fail, {} to consider, {} not checked, {} fine",
            count(Level::Fails),
            count(Level::Warns),
            count(Level::Unknown),
            count(Level::Fine)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_check_is_a_failure_of_the_report() {
        let failed = Finding::of("search", Err(anyhow::anyhow!("status\n503").context("no answer")));
        assert_eq!((failed.level, failed.text.as_str()), (Level::Fails, "no answer: status 503"));
        let fine = Finding::of("search", Ok("found".to_owned()));
        let report =
            |findings| CheckReport { stack: "iyagi".to_owned(), region: "ap-northeast-2".to_owned(), findings };
        assert!(!report(vec![fine.clone()]).fails());
        assert!(report(vec![fine, failed]).fails());
    }
}
