//! Indexes of the engine.

use anyhow::Result;

/// Deletes an index.
pub async fn delete(endpoint: &str, index: &str) -> Result<()> {
    reqwest::Client::new().delete(format!("{endpoint}/{index}")).send().await?.error_for_status()?;
    Ok(())
}
