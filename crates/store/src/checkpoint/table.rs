use aws_sdk_dynamodb::{Client, operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValue};
use function_kit::failure::Failure;
use jiff::Timestamp;

use super::{
    lease::{AcquiredLease, Checkpoint, CheckpointStatus, Lease, LeaseStatus, Progress},
    row::{RESET, Row, committed, sortable},
};
use crate::{
    attribute::{milliseconds, number, text},
    condition::unless_condition_failed,
};

/// The lease and the checkpoint of one stream: [`CheckpointTable`], or memory in tests.
pub trait Checkpoints {
    /// Acquires the lease until `expires_at`; `None` if another owner holds it at `now`.
    ///
    /// The clocks of holder and successor are compared, so leases must outlive their holders by more than clocks differ.
    fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> impl Future<Output = Result<Option<AcquiredLease>, Failure>>;

    /// Requests a handover from the holder until `until`. A repeated request extends it.
    fn request_handover(&self, successor: &str, until: Timestamp) -> impl Future<Output = Result<(), Failure>>;

    /// Moves the checkpoint, but never back. Returns the lease's status at `now`.
    fn advance(
        &self,
        lease: &Lease,
        to: Checkpoint,
        now: Timestamp,
    ) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// The status of `lease` at `now`.
    fn lease_status(&self, lease: &Lease, now: Timestamp) -> impl Future<Output = Result<LeaseStatus, Failure>>;

    /// How far the stream is published; strongly consistent.
    fn progress(&self) -> impl Future<Output = Result<Progress, Failure>>;

    /// Starts the generation after `old`, without a position, since the records of the old one no longer exist.
    ///
    /// Returns the new generation, or `None` if the lease is lost.
    fn start_generation(&self, lease: &Lease, old: u64) -> impl Future<Output = Result<Option<u64>, Failure>>;

    /// Stores that the stream was reset. Later holders read it until [`start_generation`](Self::start_generation) or
    /// [`clear_reset`](Self::clear_reset), also before the first checkpoint. Does nothing if the lease is lost.
    fn mark_reset(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;

    /// Removes what [`mark_reset`](Self::mark_reset) stored. Does nothing if the lease is lost.
    fn clear_reset(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;

    /// Releases the lease. Does nothing if it is lost already.
    fn release(&self, lease: &Lease) -> impl Future<Output = Result<(), Failure>>;
}

/// The row of one stream.
#[derive(Debug, Clone)]
pub struct CheckpointTable {
    client: Client,
    name: String,
    stream: String,
}

impl CheckpointTable {
    /// The row of `stream` in the table `name`, reached by `client`.
    pub fn new(client: Client, name: String, stream: String) -> Self {
        Self { client, name, stream }
    }

    /// The whole row; `None` before the lease is first acquired.
    pub async fn status(&self) -> Result<Option<CheckpointStatus>, Failure> {
        self.row().await?.map(Row::status).transpose()
    }

    /// Reads the row; strongly consistent.
    async fn row(&self) -> Result<Option<Row>, Failure> {
        let get = self.client.get_item().table_name(&self.name).key("stream", text(&self.stream)).consistent_read(true);
        let response = get.send().await.map_err(|error| Failure::aws("read the lease", error))?;
        response.item.map(|row| Row::read(Some(row))).transpose()
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key("stream", text(&self.stream))
    }

    /// A write that succeeds only while `lease` is held and `condition` is true.
    fn update_as_holder(&self, lease: &Lease, condition: &str) -> UpdateItemFluentBuilder {
        self.update()
            .condition_expression(format!("#owner = :owner AND epoch = :epoch AND {condition}"))
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":epoch", number(lease.epoch))
    }
}

impl Checkpoints for CheckpointTable {
    async fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<AcquiredLease>, Failure> {
        let update = self
            .update()
            .update_expression(
                "SET #owner = :owner, taken_at = :now, expires_at = :expires_at, \
                 epoch = if_not_exists(epoch, :zero) + :one REMOVE successor, asks_until",
            )
            // The owner may hold the lease already: if a response is lost, the SDK repeats the request.
            .condition_expression("attribute_not_exists(#owner) OR expires_at <= :now OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":expires_at", milliseconds(expires_at))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew);
        let Some(output) = unless_condition_failed("acquire the lease", update.send().await)? else { return Ok(None) };
        let row = Row::read(output.attributes)?;
        let lease = Lease { owner: owner.to_owned(), epoch: row.epoch };
        let Progress { checkpoint, generation, is_stopped_by_reset } = row.progress()?;
        Ok(Some(AcquiredLease { lease, checkpoint, generation, is_stopped_by_reset }))
    }

    async fn request_handover(&self, successor: &str, until: Timestamp) -> Result<(), Failure> {
        let update = self
            .update()
            .update_expression("SET successor = :successor, asks_until = :until")
            // Without an owner the lease is free, and no request is needed.
            .condition_expression("attribute_exists(#owner)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":successor", text(successor))
            .expression_attribute_values(":until", milliseconds(until));
        unless_condition_failed("request a handover", update.send().await).map(drop)
    }

    async fn advance(&self, lease: &Lease, to: Checkpoint, now: Timestamp) -> Result<LeaseStatus, Failure> {
        let update = self
            .update_as_holder(lease, "(attribute_not_exists(#position) OR #position <= :position)")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":position", text(sortable(to.position)))
            .return_values(ReturnValue::AllNew);
        let update = match to.committed_at_ms {
            Some(committed_at) => update
                .update_expression("SET #position = :position, committed = :committed")
                .expression_attribute_values(":committed", text(committed(to.position, committed_at))),
            None => update.update_expression("SET #position = :position REMOVE committed"),
        };
        match unless_condition_failed("move the checkpoint", update.send().await)? {
            Some(output) => Ok(Row::read(output.attributes)?.lease_status(lease, now)),
            None => Ok(LeaseStatus::Lost),
        }
    }

    async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        Ok(self.row().await?.map_or(LeaseStatus::Lost, |row| row.lease_status(lease, now)))
    }

    async fn progress(&self) -> Result<Progress, Failure> {
        self.row().await?.map_or_else(|| Ok(Progress::default()), |row| row.progress())
    }

    async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        let new = old + 1;
        let update = self
            .update_as_holder(lease, "(attribute_not_exists(generation) OR generation <= :generation)")
            .update_expression("SET generation = :generation REMOVE #position, committed, stopped")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":generation", number(new));
        Ok(unless_condition_failed("start a generation", update.send().await)?.map(|_| new))
    }

    async fn mark_reset(&self, lease: &Lease) -> Result<(), Failure> {
        let update = self
            .update_as_holder(lease, "attribute_exists(#owner)")
            .update_expression("SET stopped = :reset")
            .expression_attribute_values(":reset", text(RESET));
        unless_condition_failed("store a reset", update.send().await).map(drop)
    }

    async fn clear_reset(&self, lease: &Lease) -> Result<(), Failure> {
        let update = self.update_as_holder(lease, "attribute_exists(stopped)").update_expression("REMOVE stopped");
        unless_condition_failed("clear a reset", update.send().await).map(drop)
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        let update = self
            .update_as_holder(lease, "attribute_exists(#owner)")
            .update_expression("REMOVE #owner, taken_at, expires_at");
        unless_condition_failed("release the lease", update.send().await).map(drop)
    }
}
