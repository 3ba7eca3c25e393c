//! What the fan-out needs from outside: on AWS, [`Aws`](crate::aws::Aws); in tests, a small town
//! that lives in memory.

use std::collections::{BTreeSet, HashMap};

use domain::{
    graph::Position,
    push::{Event, Fact, Registers, Row},
};
use function_kit::failure::Failure;
use jiff::Timestamp;
use store::{
    audience::{Followers, PendingKey, PendingPage},
    devices::{DeliveryTargets, Device},
    ledger::{Claim, Entry},
};

use crate::{message::Further, refusal::Refusal};

/// The projections: the table `audience`.
pub trait Projections {
    async fn learn(&self, fact: &Fact, committed_at: Timestamp) -> Result<(), Failure>;
    async fn look_up(&self, rows: &[Row]) -> Result<HashMap<Row, Registers>, Failure>;
    async fn followers(&self, person: &str, after: Option<&str>) -> Result<Followers, Failure>;
    async fn add_pending(&self, pending_key: &PendingKey, event: &Event) -> Result<(), Failure>;
    async fn pending_page(&self, pending_key: &PendingKey, after: Option<&str>) -> Result<PendingPage, Failure>;
    async fn remove_pending(&self, pending_key: &PendingKey, edge: &str, position: Position) -> Result<(), Failure>;
}

/// Who was told of what: the table `ledger`.
pub trait Ledger {
    async fn claim(&self, entry: &Entry<'_>, now: Timestamp, until: Timestamp) -> Result<Claim, Failure>;
    async fn mark(&self, entry: &Entry<'_>, sent: &BTreeSet<String>, outcome: Option<&str>) -> Result<bool, Failure>;
    async fn settle(&self, entry: &Entry<'_>, outcome: &str) -> Result<(), Failure>;
    async fn is_handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<bool, Failure>;
    async fn handed_on(&self, event: &Event, rule: &str, number: u32) -> Result<(), Failure>;
}

/// People's phones: the table `devices`, and SNS mobile push.
pub trait Phones {
    async fn delivery_targets(&self, user: &str) -> Result<DeliveryTargets, Failure>;
    /// Whether the device was still registered as given.
    async fn forget(&self, device: &Device) -> Result<bool, Failure>;
    async fn publish(&self, endpoint_arn: &str, message: &str) -> Result<(), Refusal>;
    async fn delete_endpoint(&self, endpoint_arn: &str) -> Result<(), Failure>;
}

/// The rest: this function's own queue, and the clock.
pub trait Surroundings {
    async fn hand_on(&self, further: &Further) -> Result<(), Failure>;
    fn now(&self) -> Timestamp;
}

/// All that the fan-out needs from outside.
pub trait Ports: Projections + Ledger + Phones + Surroundings {}

impl<P: Projections + Ledger + Phones + Surroundings> Ports for P {}
