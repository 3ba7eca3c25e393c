//! Interface to the outside: [`Services`](crate::services::Services) in production, memory in tests.

use domain::account::{DeviceErasure, Erasure, NotificationErasure};
use function_kit::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use store::accounts::ErasureProgress;

/// Tables, bucket, user pool, topic and queues. Every call may be repeated.
pub trait Ports {
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
