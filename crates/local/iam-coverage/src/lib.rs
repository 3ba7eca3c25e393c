//! Least privilege, proven: what roles are allowed, held against what the end-to-end tests have seen them do.
//!
//! ```text
//! usage      what a role did: recorded by the emulator, where its IAM lets a call through
//! grant      what a role may do: its policies, as they are deployed
//! exception  what is granted and never seen, and why
//! ```
//! A grant is one action on one resource: where a statement has several of each, each pair must have been used.

mod exception;
mod grant;
mod role;
mod usage;

use std::path::Path;

use anyhow::{Result, bail};
use stack::Stack;

use self::{
    exception::{EXCEPTIONS, Exception},
    grant::Grant,
    usage::Use,
};

/// Holds the roles of `stack` against the calls that `record` has.
///
/// # Errors
/// If a role may do what it never did, and no exception says why; or if an exception says so in vain.
pub fn check(stack: &Stack, record: &Path) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (grants, uses) = (runtime.block_on(grant::of(&stack.aws()))?, usage::read(record)?);
    let complaints = complaints(&grants, &uses, EXCEPTIONS);
    if complaints.is_empty() {
        println!("✓ Least privilege: {} grants, each used or excepted ({})", grants.len(), EXCEPTIONS.len());
        return Ok(());
    }
    for complaint in &complaints {
        eprintln!("✗ {complaint}");
    }
    bail!("{} complaints about privileges", complaints.len())
}

fn complaints(grants: &[Grant], uses: &[Use], exceptions: &[Exception]) -> Vec<String> {
    let unused: Vec<_> = grants.iter().filter(|grant| !uses.iter().any(|used| grant.covers(used))).collect();
    let of_grants = unused.iter().filter(|grant| !exceptions.iter().any(|exception| exception.is_about(grant)));
    let of_exceptions = exceptions.iter().filter(|exception| !unused.iter().any(|grant| exception.is_about(grant)));
    of_grants
        .map(|grant| format!("{} never used {} on {}", grant.function, grant.action, grant.resource))
        .chain(of_exceptions.map(|exception| format!("the exception is about nothing unused: {exception:?}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(function: &str, action: &str, resource: &str) -> Grant {
        Grant { function: function.into(), action: action.into(), resource: resource.into() }
    }

    fn used(function: &str, action: &str, resource: &str) -> Use {
        Use { function: function.into(), action: action.into(), resource: resource.into() }
    }

    const NEVER_DELETES: Exception = Exception { function: "A", action: "s3:DeleteObject", resource: "", why: "" };

    #[test]
    fn every_action_must_have_been_used_on_every_resource() {
        let (one, two) = ("arn:aws:s3:::one/*", "arn:aws:s3:::two/*");
        let grants =
            [grant("A", "s3:GetObject", one), grant("A", "s3:GetObject", two), grant("B", "s3:GetObject", one)];
        let uses = [used("A", "s3:GetObject", "arn:aws:s3:::one/a/b"), used("B", "s3:PutObject", "arn:aws:s3:::one/a")];
        let complaints = complaints(&grants, &uses, &[]);
        assert_eq!(
            complaints,
            ["A never used s3:GetObject on arn:aws:s3:::two/*", "B never used s3:GetObject on arn:aws:s3:::one/*"]
        );
    }

    #[test]
    fn an_exception_excuses_and_must_have_something_to_excuse() {
        let grants = [grant("A", "s3:DeleteObject", "arn:aws:s3:::one/*")];
        assert!(complaints(&grants, &[], &[NEVER_DELETES]).is_empty());
        let uses = [used("A", "s3:DeleteObject", "arn:aws:s3:::one/a")];
        let complaints = complaints(&grants, &uses, &[NEVER_DELETES]);
        assert_eq!(complaints.len(), 1);
        assert!(complaints[0].starts_with("the exception is about nothing unused"), "{complaints:?}");
    }
}
