//! Findings as text and JSON.

use std::fmt;

use serde::Serialize;

/// How certain a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// The deployment will fail.
    Fails,
    /// The deployment can fail, or the stack will not work well.
    Warns,
    /// It was not possible to check.
    Unknown,
    /// Nothing to do.
    Fine,
}

/// A result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How certain a failure is.
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
    /// A certain failure, and how to mend it.
    pub fn fails(subject: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fails, subject, text: text.into(), mend: Some(mend.into()) }
    }

    /// A possible failure, and how to avoid it.
    pub fn warns(subject: &'static str, text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warns, subject, text: text.into(), mend: Some(mend.into()) }
    }

    /// A check that was not possible.
    pub fn unknown(subject: &'static str, reason: &str) -> Self {
        // The answers of services are long and have several lines.
        let reason: String = reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(160).collect();
        Self { level: Level::Unknown, subject, text: format!("not checked: {reason}"), mend: None }
    }

    /// Nothing to do.
    pub fn fine(subject: &'static str, text: impl Into<String>) -> Self {
        Self { level: Level::Fine, subject, text: text.into(), mend: None }
    }
}

/// The result of `preflight`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreflightReport {
    /// Name of the stack.
    pub stack: String,
    /// Region of the stack.
    pub region: String,
    /// Results of all checks.
    pub findings: Vec<Finding>,
}

impl PreflightReport {
    /// Whether the deployment will fail.
    pub fn fails(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Fails)
    }
}

impl fmt::Display for PreflightReport {
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
            "{} will fail, {} to consider, {} not checked, {} fine",
            count(Level::Fails),
            count(Level::Warns),
            count(Level::Unknown),
            count(Level::Fine)
        )
    }
}
