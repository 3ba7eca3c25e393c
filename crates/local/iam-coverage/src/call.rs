use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::role::function_of_role;

/// A call of a function that IAM allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Logical id of the function in the template.
    pub function: String,
    /// Action, for example `s3:GetObject`.
    pub action: String,
    /// ARN of the resource, or `*`.
    pub resource: String,
}

/// A line of the emulator's usage file.
#[derive(Deserialize)]
struct Line {
    principal: String,
    action: String,
    resource: String,
}

/// Reads the calls that the emulator recorded.
pub fn read(file: &Path) -> Result<Vec<Call>> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let calls: Vec<_> = text.lines().map(parse).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    ensure!(!calls.is_empty(), "{} has no calls of functions", file.display());
    Ok(calls)
}

/// Parses a line. `None` for calls of other principals than functions.
fn parse(line: &str) -> Result<Option<Call>> {
    let Line { principal, action, resource } = serde_json::from_str(line)?;
    // arn:aws:sts::1:assumed-role/<role>/<session>, arn:aws:iam::1:role/<role>
    let mut path = principal.split(':').next_back().unwrap_or_default().split('/');
    let role = path.next().filter(|kind| kind.ends_with("role")).and_then(|_| path.next());
    Ok(role.and_then(function_of_role).map(|function| Call { function, action, resource }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_functions_are_read() {
        let function = |principal: &str| {
            let json = serde_json::json!({"principal": principal, "action": "s3:GetObject", "resource": "r"});
            parse(&json.to_string()).expect("a line").map(|call| call.function)
        };
        for principal in
            ["arn:aws:sts::0:assumed-role/iyagi-MediaApiRole-26D0E5/x", "arn:aws:iam::0:role/iyagi-MediaApiRole-26D0E5"]
        {
            assert_eq!(function(principal).as_deref(), Some("MediaApi"));
        }
        assert_eq!(function("arn:aws:iam::0:user/mina"), None);
    }
}
