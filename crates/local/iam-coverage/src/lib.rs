//! Finds permissions of the functions that the end-to-end tests do not use.
//!
//! ```text
//! call       calls that the emulator's IAM allowed, from its usage file
//! grant      permissions in the policies of the deployed roles
//! exception  permissions that the tests cannot use, with reasons
//! ```
//! A statement with several actions and resources grants every action on every resource, and each pair must be used.

mod call;
mod exception;
mod grant;
mod role;

use std::path::Path;

use anyhow::{Result, bail};
use stack::Stack;

use self::{
    call::Call,
    exception::{EXCEPTIONS, Exception, SOMETIMES_USED},
    grant::Grant,
};

/// Compares the permissions of the roles of `stack` with the calls in `usage_file` and prints the differences.
///
/// # Errors
/// If a permission is unused and has no exception, or an exception is not needed.
pub fn check(stack: &Stack, usage_file: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (grants, calls) = (runtime.block_on(grant::deployed(&stack.aws()))?, call::read(usage_file)?);
    let used: Vec<_> =
        grants.into_iter().filter(|grant| !SOMETIMES_USED.iter().any(|known| known.covers(grant))).collect();
    let findings = findings(&used, &calls, EXCEPTIONS);
    if findings.is_empty() {
        println!("✓ IAM: all {} permissions are used, except {}", used.len(), EXCEPTIONS.len());
        return Ok(());
    }
    for finding in &findings {
        eprintln!("✗ {finding}");
    }
    bail!("{} permissions or exceptions are unused", findings.len())
}

fn findings(grants: &[Grant], calls: &[Call], exceptions: &[Exception]) -> Vec<String> {
    let unused: Vec<_> = grants.iter().filter(|grant| !calls.iter().any(|call| grant.covers(call))).collect();
    let unexpected = unused.iter().filter(|grant| !exceptions.iter().any(|exception| exception.covers(grant)));
    let unneeded = exceptions.iter().filter(|exception| !unused.iter().any(|grant| exception.covers(grant)));
    unexpected
        .map(|grant| format!("{} does not use {} on {}", grant.function, grant.action, grant.resource))
        .chain(unneeded.map(|exception| format!("the exception is not needed: {exception:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(function: &str, action: &str, resource: &str) -> Grant {
        Grant { function: function.into(), action: action.into(), resource: resource.into() }
    }

    fn call(function: &str, action: &str, resource: &str) -> Call {
        Call { function: function.into(), action: action.into(), resource: resource.into() }
    }

    const DELETES_OBJECTS: Exception = Exception { function: "A", action: "s3:DeleteObject", resource: "", reason: "" };

    #[test]
    fn unused_pair_of_action_and_resource_is_found() {
        let (one, two) = ("arn:aws:s3:::one/*", "arn:aws:s3:::two/*");
        let grants =
            [grant("A", "s3:GetObject", one), grant("A", "s3:GetObject", two), grant("B", "s3:GetObject", one)];
        let calls =
            [call("A", "s3:GetObject", "arn:aws:s3:::one/a/b"), call("B", "s3:PutObject", "arn:aws:s3:::one/a")];
        let findings = findings(&grants, &calls, &[]);
        assert_eq!(
            findings,
            ["A does not use s3:GetObject on arn:aws:s3:::two/*", "B does not use s3:GetObject on arn:aws:s3:::one/*"]
        );
    }

    #[test]
    fn exception_covers_an_unused_grant_and_must_be_needed() {
        let grants = [grant("A", "s3:DeleteObject", "arn:aws:s3:::one/*")];
        assert!(findings(&grants, &[], &[DELETES_OBJECTS]).is_empty());
        let calls = [call("A", "s3:DeleteObject", "arn:aws:s3:::one/a")];
        let findings = findings(&grants, &calls, &[DELETES_OBJECTS]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("the exception is not needed"), "{findings:?}");
    }
}
