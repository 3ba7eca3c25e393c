//! What is stored of people's budgets.

use std::collections::HashMap;

use domain::{
    media::{MediaId, State},
    upload::Budget,
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::{
    media::{MediaTable, Projection},
    quotas::{NotedUpload, Pending, QuotasTable},
};

/// The services behind the budgets: [`Tables`], or memory in tests.
pub trait Ledger {
    /// The uploads of `owner` that count as unfinished; strongly consistent.
    async fn pending(&self, owner: &str, now: Timestamp) -> Result<Pending, Failure>;

    /// Stores them over what was `read`. Returns whether they were stored; if not, another start has changed them.
    async fn note(&self, owner: &str, read: &Pending, uploads: &[NotedUpload], now: Timestamp)
    -> Result<bool, Failure>;

    /// Counts an upload of `bytes` to the day. Returns whether the budget allowed it; if not, nothing is counted.
    async fn count(&self, owner: &str, bytes: u64, budget: &Budget, now: Timestamp) -> Result<bool, Failure>;

    /// Takes back what was counted at `now`.
    async fn uncount(&self, owner: &str, bytes: u64, now: Timestamp) -> Result<(), Failure>;

    /// Whether the items among `ids` that exist have been processed.
    async fn are_processed(&self, ids: &[MediaId]) -> Result<HashMap<MediaId, bool>, Failure>;
}

/// The tables.
pub struct Tables {
    pub quotas: QuotasTable,
    /// Only read: which uploads are finished.
    pub media: MediaTable,
}

impl Ledger for Tables {
    async fn pending(&self, owner: &str, now: Timestamp) -> Result<Pending, Failure> {
        self.quotas.pending(owner, now).await
    }

    async fn note(
        &self,
        owner: &str,
        read: &Pending,
        uploads: &[NotedUpload],
        now: Timestamp,
    ) -> Result<bool, Failure> {
        self.quotas.note(owner, read, uploads, now).await
    }

    async fn count(&self, owner: &str, bytes: u64, budget: &Budget, now: Timestamp) -> Result<bool, Failure> {
        self.quotas.count(owner, bytes, budget, now).await
    }

    async fn uncount(&self, owner: &str, bytes: u64, now: Timestamp) -> Result<(), Failure> {
        self.quotas.uncount(owner, bytes, now).await
    }

    async fn are_processed(&self, ids: &[MediaId]) -> Result<HashMap<MediaId, bool>, Failure> {
        let items = self.media.get_many(ids, Projection::Brief).await?;
        Ok(items.into_iter().map(|item| (item.id, !matches!(item.state, State::Processing(_)))).collect())
    }
}
