//! Interfaces to the outside: [`Aws`](crate::aws::Aws) in production, an in-memory backend in tests.

use std::collections::HashMap;

use domain::{
    account::{ErasedTable, Erasure},
    graph::GenerationPosition,
    media::Post,
    push::{Cooldown, Event, Fact, Registers, Row, Rule},
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::{
    audience::{Followers, PendingEvent, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device, RemovalOutcome},
    inbox::Holder,
    ledger::{Claim, ClaimRequest, ClaimResult, CooldownClaim, Entry, PageBound},
};

use crate::{message::Continuation, publish_error::PublishError};

/// The table `audience`: projections and pending events.
pub trait Projections {
    async fn apply(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure>;
    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure>;
    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure>;
    async fn add_pending(&self, key: &PendingKey, event: &Event, nonce: &str) -> Result<(), Failure>;
    async fn pending_page(&self, key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure>;
    /// Removes the pending event of a removed edge.
    async fn remove_pending(&self, key: &PendingKey, edge: &str, position: GenerationPosition) -> Result<(), Failure>;
    /// Removes a processed event, unless it was stored again since.
    async fn drop_pending(&self, key: &PendingKey, pending: &PendingEvent) -> Result<(), Failure>;
}

/// The delivery ledger: the table `ledger`.
pub trait Ledger {
    /// Claims different entries, each on its own. Returns the result of each.
    async fn claim_all(
        &self,
        claims: &[ClaimRequest<'_>],
        now: Timestamp,
        until: Timestamp,
    ) -> Vec<Result<Claim, Failure>>;
    /// Finishes claims of different entries, each on its own. Returns whether each was still held.
    async fn finish_claims(&self, results: &[ClaimResult<'_>]) -> Vec<Result<bool, Failure>>;
    /// Records outcomes of different entries, each on its own, unless they are final or claimed at `now`.
    async fn record_outcomes(&self, outcomes: &[(Entry<'_>, &'static str)], now: Timestamp)
    -> Vec<Result<(), Failure>>;
    /// Decides once where a page ends: at the follower `last`, unless decided before.
    async fn decide_page_bound(&self, event: &Event, pass: &str, page: u32, last: &str) -> Result<PageBound, Failure>;
    async fn mark_page_enqueued(&self, event: &Event, pass: &str, page: u32) -> Result<(), Failure>;
    /// Claims a cooldown, unless another event holds it. Returns the stored one if the claim fails.
    async fn claim_cooldown(&self, claim: &CooldownClaim<'_>) -> Result<Option<Cooldown>, Failure>;
}

/// The inbox: the table `inbox`, and how far users have read.
pub trait Inbox {
    /// Adds an entry for each of these recipients, unless its edge was withdrawn. An entry that is there already stays as it
    /// is. Returns the result of each recipient.
    async fn add_to_inboxes(
        &self,
        recipients: &[&str],
        rule: &Rule,
        event: &Event,
        actor: &str,
    ) -> Vec<Result<(), Failure>>;
    /// Removes the entry of an edge that was removed at `position`. Except for followers, the entry cannot be added again.
    async fn remove_from_inbox(&self, holder: &Holder, edge: &str, position: GenerationPosition)
    -> Result<(), Failure>;
    /// Whether the edge of an event still exists.
    async fn edge_exists(&self, event: &Event) -> Result<bool, Failure>;
    /// Recipients who may have an entry of an edge. Followers are not among them.
    async fn inbox_holders(&self, edge: &str) -> Result<Vec<Holder>, Failure>;
    /// Numbers of unread notifications of different users, at most 100. Returns the result of each user.
    async fn unread(&self, users: &[&str]) -> Vec<Result<u32, Failure>>;
}

/// Users' devices: the table `devices` and the endpoints of SNS mobile push.
pub trait MobilePush {
    /// Returns the result of each user.
    async fn delivery_targets(&self, users: &[&str]) -> Vec<Result<DeliveryTargets, Failure>>;
    /// Deletes the device's row, unless it has registered again since it was read, or too many were removed in this hour.
    async fn remove_device(&self, device: &Device) -> Result<RemovalOutcome, Failure>;
    async fn publish(&self, endpoint_arn: &str, message: &str) -> Result<(), PublishError>;
}

/// Erasure of accounts.
pub trait Erasures {
    /// Deletes what a page of a table holds about a person. Returns the key after which the next page starts.
    async fn erase_page(
        &self,
        table: ErasedTable,
        person: &str,
        after: Option<&[String]>,
    ) -> Result<Option<Vec<String>>, Failure>;
    /// Hands an erasure back to `account-api`.
    async fn hand_back(&self, erasure: &Erasure) -> Result<(), Failure>;
}

/// The queue of the function that changes who may see the files of stories.
pub trait Stories {
    /// Has it look at the files of a story.
    async fn check_files(&self, story: Post) -> Result<(), Failure>;
}

/// This function's own queue, the clock and random texts.
pub trait Runtime {
    async fn enqueue(&self, continuation: &Continuation) -> Result<(), Failure>;
    fn now(&self) -> Timestamp;
    /// A text that no other call returns.
    fn nonce(&self) -> Result<String, Failure>;
}

/// All interfaces together.
pub trait Ports: Projections + Ledger + Inbox + MobilePush + Erasures + Stories + Runtime {}

impl<P: Projections + Ledger + Inbox + MobilePush + Erasures + Stories + Runtime> Ports for P {}
