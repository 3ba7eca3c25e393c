//! Compares the state of the stack at the end of a history with the model.

mod dead_letters;
mod files;
mod index;
mod notifications;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use domain::media::MediaId;
use serde_json::Value;

use super::driver::Driver;

/// The results of the checks.
#[derive(Debug, Default)]
pub struct Findings {
    /// Differences from the model.
    pub violations: Vec<String>,
    /// Number of displayed notifications.
    pub shown: u64,
    /// Number of notifications that replaced an earlier display of the same one.
    pub replaced: u64,
    /// Number of notifications that the model requires.
    pub required: u64,
    /// Number of files in state ready.
    pub ready: u64,
    /// Number of recordings among them.
    pub sounds: u64,
    /// Number of documents of this history in both indexes.
    pub documents: u64,
}

/// The expected state from earlier histories on the same stack.
#[derive(Debug, Default)]
pub struct EarlierHistories {
    /// Items in state ready.
    items: BTreeSet<MediaId>,
    /// Documents by index and id.
    documents: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

/// Runs all checks. `since` is the sequence number of the phones before the history. Adds the state of this history to
/// `earlier`.
pub async fn check(driver: &Driver<'_>, since: u64, earlier: &mut EarlierHistories) -> Result<Findings> {
    let mut findings = Findings::default();
    let shown = driver.stack.mobile_push().notifications(since).await?;
    notifications::check(driver, &shown, &mut findings);
    files::check(driver, &mut earlier.items, &mut findings).await?;
    index::check(driver, &mut earlier.documents, &mut findings).await?;
    dead_letters::check(driver, &mut findings).await?;
    Ok(findings)
}
