//! Compares the state of the stack at the end of a history with the model.

mod accounts;
mod dead_letters;
mod files;
mod findings;
mod inbox;
mod index;
mod notifications;

use anyhow::Result;

pub use findings::{EarlierHistories, Findings};

use super::driver::Driver;

/// Runs all checks. `since` is the sequence number of the phones before the history. Adds the state of this history to
/// `earlier`.
pub async fn check(driver: &Driver<'_>, since: u64, earlier: &mut EarlierHistories) -> Result<Findings> {
    let mut findings = Findings::default();
    let shown = driver.stack.mobile_push().notifications(since).await?;
    notifications::check(driver, &shown, &mut findings);
    inbox::check(driver, &mut findings).await?;
    files::check(driver, &mut earlier.items, &mut findings).await?;
    index::check(driver, &mut earlier.documents, &mut findings).await?;
    dead_letters::check(driver, &mut findings).await?;
    accounts::check(driver, &mut findings).await?;
    Ok(findings)
}
