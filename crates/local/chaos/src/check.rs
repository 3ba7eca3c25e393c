//! The end of a history, held against the model.

mod dead_letters;
mod files;
mod index;
mod notifications;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use domain::media::MediaId;
use serde_json::Value;

use super::driver::Driver;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is not as it must be.
    pub violations: Vec<String>,
    /// How many notifications phones have shown.
    pub shown: u64,
    /// How many of them took the place of an earlier showing of the same.
    pub shown_again: u64,
    /// How many had to be shown.
    pub required: u64,
    /// How many files are shown.
    pub ready: u64,
    /// How many of them are recordings.
    pub heard: u64,
    /// How many documents both indexes hold of this history.
    pub documents: u64,
}

/// What earlier histories left on the stack, as they should.
#[derive(Debug, Default)]
pub struct Legacy {
    /// Items that are shown.
    items: BTreeSet<MediaId>,
    /// Documents by index and id.
    documents: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

/// Looks at all there is. `since` is where the phones stood before; what this history leaves is added
/// to what earlier ones left.
pub async fn check(driver: &Driver<'_>, since: u64, legacy: &mut Legacy) -> Result<Findings> {
    let mut findings = Findings::default();
    let shown = driver.stack.mobile_push().notifications(since).await?;
    notifications::check(driver, &shown, &mut findings);
    files::check(driver, &mut legacy.items, &mut findings).await?;
    index::check(driver, &mut legacy.documents, &mut findings).await?;
    dead_letters::check(driver, &mut findings).await?;
    Ok(findings)
}
