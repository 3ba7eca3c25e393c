//! Interface to the outside: [`Services`](crate::services::Services) in production, memory in tests.

use domain::{
    account::{DeviceErasure, Erasure, NotificationErasure},
    export::ExportJob,
};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use store::{accounts::ErasureProgress, exports::StoredExport};

/// A signed link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub url: String,
    pub expires_at: Timestamp,
}

/// Copies of everything about a person.
pub trait Exports {
    async fn export(&self, user: &str) -> Result<Option<StoredExport>, Failure>;
    /// Stores a copy in place of one that is not pending. Returns whether it was stored.
    async fn create_export(&self, export: &StoredExport) -> Result<bool, Failure>;
    /// Counts a copy to the day. Returns whether the budget allowed it.
    async fn count_export(&self, user: &str, now: Timestamp) -> Result<bool, Failure>;
    async fn enqueue_export(&self, job: &ExportJob) -> Result<(), Failure>;
    /// A link to the file, which works until `until` at most.
    async fn sign(&self, export: &StoredExport, now: Timestamp, until: Timestamp) -> Result<Link, Failure>;
    /// Deletes the row, files and unfinished files. Returns whether more are left.
    async fn erase_exports(&self, user: &str) -> Result<bool, Failure>;
    /// A random text.
    fn nonce(&self) -> Result<String, Failure>;
}

/// Tables, buckets, user pool, topic and queues. Every call may be repeated.
pub trait Ports: Exports {
    fn now(&self) -> Timestamp;
    /// Time from the request until access tokens and signed uploads have expired.
    fn wait(&self) -> SignedDuration;
    async fn begin(&self, user: &str, now: Timestamp) -> Result<ErasureProgress, Failure>;
    async fn progress(&self, user: &str) -> Result<Option<ErasureProgress>, Failure>;
    async fn record(&self, erasure: &Erasure) -> Result<(), Failure>;
    async fn finish(&self, erasure: &Erasure) -> Result<(), Failure>;
    /// Prevents new sign-ins and revokes refresh tokens.
    async fn lock_user(&self, username: &str) -> Result<(), Failure>;
    async fn delete_user(&self, username: &str) -> Result<(), Failure>;
    /// Publishes the `erase` event.
    async fn announce(&self, user: &str) -> Result<(), Failure>;
    /// Deletes originals and unfinished uploads. Returns whether more are left.
    async fn erase_originals(&self, user: &str) -> Result<bool, Failure>;
    async fn delete_read_mark(&self, user: &str) -> Result<(), Failure>;
    async fn delete_quotas(&self, user: &str) -> Result<(), Failure>;
    /// Deletes reports by the user and about their items. Returns whether more are left.
    async fn erase_reports(&self, user: &str) -> Result<bool, Failure>;
    /// Sends the erasure to this function, after a delay of at most 15 minutes.
    async fn enqueue(&self, erasure: &Erasure, delay: SignedDuration) -> Result<(), Failure>;
    /// Whether there are devices at all.
    fn has_devices(&self) -> bool;
    async fn send_to_devices(&self, message: &DeviceErasure) -> Result<(), Failure>;
    async fn send_to_push(&self, message: &NotificationErasure) -> Result<(), Failure>;
}
