use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::role::function_of_role;

/// An action that a role was allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The function's name in the template.
    pub function: String,
    /// Such as `s3:GetObject`.
    pub action: String,
    /// An ARN, or `*`.
    pub resource: String,
}

/// A line of the record.
#[derive(Deserialize)]
struct Line {
    principal: String,
    action: String,
    resource: String,
}

/// What the emulator has recorded.
pub fn read(record: &Path) -> Result<Vec<Use>> {
    let text = fs::read_to_string(record).with_context(|| format!("cannot read {}", record.display()))?;
    let uses: Vec<_> = text.lines().map(line).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    ensure!(!uses.is_empty(), "nothing is recorded in {}", record.display());
    Ok(uses)
}

/// The use on a line, if it is a function's.
fn line(text: &str) -> Result<Option<Use>> {
    let Line { principal, action, resource } = serde_json::from_str(text)?;
    // arn:aws:sts::1:assumed-role/<role>/<session>, arn:aws:iam::1:role/<role>
    let mut path = principal.split(':').next_back().unwrap_or_default().split('/');
    let role = path.next().filter(|kind| kind.ends_with("role")).and_then(|_| path.next());
    Ok(role.and_then(function_of_role).map(|function| Use { function, action, resource }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_did_it_is_a_function() {
        let line = |principal: &str| {
            let json = serde_json::json!({"principal": principal, "action": "s3:GetObject", "resource": "r"});
            line(&json.to_string()).expect("a line").map(|used| used.function)
        };
        for principal in
            ["arn:aws:sts::0:assumed-role/iyagi-MediaApiRole-26D0E5/x", "arn:aws:iam::0:role/iyagi-MediaApiRole-26D0E5"]
        {
            assert_eq!(line(principal).as_deref(), Some("MediaApi"));
        }
        assert_eq!(line("arn:aws:iam::0:user/somebody"), None);
    }
}
