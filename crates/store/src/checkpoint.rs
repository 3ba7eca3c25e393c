//! The table `checkpoint`: one row per stream, with how far it was published and who publishes.
//! Its only writer is `stream-poller`.
//!
//! The row is position and lease in one, so that one condition guards both. A holder's every write
//! requires its owner and its epoch: after somebody else took the lease, it writes nothing any more.
//!
//! ```text
//! stream     the cluster's name (the key)
//! position   the last record that the bus has accepted, with all before it; as text of fixed width
//! generation how often the stream began anew, absent before the first time
//! owner      who holds the lease, absent if nobody does
//! epoch      how often the lease was taken
//! taken_at   when it was taken, in milliseconds since 1970
//! expires_at when anybody may take the lease, in milliseconds since 1970
//! successor  who asks to be handed the lease
//! asks_until how long that counts, in milliseconds since 1970
//! ```

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::update_item::{UpdateItemError, UpdateItemOutput, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue},
};
use domain::graph::Position;
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::Deserialize;

/// What every write of a holder requires.
const IS_MINE: &str = "#owner = :owner AND epoch = :epoch";

/// The row of one stream.
#[derive(Debug, Clone)]
pub struct CheckpointTable {
    client: Client,
    name: String,
    stream: String,
}

/// The right to publish a stream and to move its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Who has it: unique to an invocation.
    pub owner: String,
    /// The how-manieth holder this is. With it, even an owner's name that comes twice is two.
    pub epoch: u64,
}

/// A lease, and where its holder goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcquiredLease {
    /// What the holder's writes need.
    pub lease: Lease,
    /// Up to where all is published; `None` if nothing ever was.
    pub position: Option<Position>,
    /// How often the stream began anew. Positions of two generations must not be compared.
    pub generation: u64,
}

/// What a holder learns of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStatus {
    /// It goes on.
    Held,
    /// It goes on, but somebody asks for it: finish and [`release`](CheckpointTable::release).
    Wanted,
    /// Somebody else has it, or nobody. What was to be written was not.
    Lost,
}

/// The row, for who looks at it from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointStatus {
    /// Up to where all is published; `None` if nothing ever was.
    pub position: Option<Position>,
    /// How often the stream began anew.
    pub generation: u64,
    /// Who publishes, if anybody has the lease.
    pub holder: Option<Holder>,
}

/// Who has the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who, and the how-manieth.
    pub lease: Lease,
    /// Since when; `None` if that was not written down.
    pub taken_at: Option<Timestamp>,
    /// When anybody may take it. It is not given back before if its holder has crashed.
    pub expires_at: Timestamp,
}

impl CheckpointTable {
    /// The row of `stream` in the table `name`, reached by `client`.
    pub fn new(client: Client, name: String, stream: String) -> Self {
        Self { client, name, stream }
    }

    /// Takes the lease until `expires_at`, if nobody holds it at `now`; `None` if somebody does.
    ///
    /// Clocks of holder and newcomer are compared: let leases outlive their holders by more than
    /// clocks differ.
    ///
    /// # Errors
    /// If DynamoDB fails, or the row is not as it is written here.
    pub async fn acquire(
        &self,
        owner: &str,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<Option<AcquiredLease>, Failure> {
        let result = self
            .update()
            .update_expression(
                "SET #owner = :owner, taken_at = :now, expires_at = :expires_at, \
                 epoch = if_not_exists(epoch, :zero) + :one REMOVE successor, asks_until",
            )
            // The owner's own, if an answer got lost on its way and the SDK asked again.
            .condition_expression("attribute_not_exists(#owner) OR expires_at <= :now OR #owner = :owner")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":expires_at", milliseconds(expires_at))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let Some(row) = unless_refused("take the lease", result)? else { return Ok(None) };
        let row = read(row.attributes)?;
        let position = row.position.as_deref().map(parse).transpose()?;
        let lease = Lease { owner: owner.to_owned(), epoch: row.epoch };
        Ok(Some(AcquiredLease { lease, position, generation: row.generation }))
    }

    /// Asks the holder to hand over, until `until`. To ask again renews it.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn request_handover(&self, successor: &str, until: Timestamp) -> Result<(), Failure> {
        let result = self
            .update()
            .update_expression("SET successor = :successor, asks_until = :until")
            .condition_expression("attribute_exists(#owner)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":successor", text(successor))
            .expression_attribute_values(":until", milliseconds(until))
            .send()
            .await;
        // Refused: the lease is free by now, there is nobody to ask.
        unless_refused("ask for the lease", result).map(|_| ())
    }

    /// Moves the checkpoint to `position`, never back, and looks whether somebody asks at `now`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn advance(&self, lease: &Lease, position: Position, now: Timestamp) -> Result<LeaseStatus, Failure> {
        let result = self
            .held(lease, "(attribute_not_exists(#position) OR #position <= :position)")
            .update_expression("SET #position = :position")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":position", text(&sortable(position)))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match unless_refused("move the checkpoint", result)? {
            Some(row) => Ok(read(row.attributes)?.lease_status(lease, now)),
            None => Ok(LeaseStatus::Lost),
        }
    }

    /// Looks whether the lease is still held, and whether somebody asks for it at `now`.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn lease_status(&self, lease: &Lease, now: Timestamp) -> Result<LeaseStatus, Failure> {
        Ok(self.row().await?.map_or(LeaseStatus::Lost, |row| row.lease_status(lease, now)))
    }

    /// How often the stream began anew; 0 before anybody took the lease.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn generation(&self) -> Result<u64, Failure> {
        Ok(self.row().await?.map_or(0, |row| row.generation))
    }

    /// The whole row; `None` before anybody took the lease.
    ///
    /// # Errors
    /// If DynamoDB fails, or the row is not as it is written here.
    pub async fn status(&self) -> Result<Option<CheckpointStatus>, Failure> {
        self.row().await?.map(Row::status).transpose()
    }

    /// Begins a new generation, without a position: the old stream is gone.
    ///
    /// Returns the generation, or `None` if the lease is lost.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn start_generation(&self, lease: &Lease, old: u64) -> Result<Option<u64>, Failure> {
        let new = old + 1;
        let result = self
            .held(lease, "(attribute_not_exists(generation) OR generation <= :generation)")
            .update_expression("SET generation = :generation REMOVE #position")
            .expression_attribute_names("#position", "position")
            .expression_attribute_values(":generation", number(new))
            .send()
            .await;
        Ok(unless_refused("begin a new generation", result)?.map(|_| new))
    }

    /// Gives the lease back. If it is lost already, that is the same.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        let result = self
            .held(lease, "attribute_exists(#owner)")
            .update_expression("REMOVE #owner, taken_at, expires_at")
            .send();
        unless_refused("release the lease", result.await).map(|_| ())
    }

    /// The row as it is now, if there is one.
    async fn row(&self) -> Result<Option<Row>, Failure> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("stream", text(&self.stream))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Failure::aws("look at the lease", error))?;
        answer.item.map(|row| read(Some(row))).transpose()
    }

    fn update(&self) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.name).key("stream", text(&self.stream))
    }

    /// A holder's write.
    fn held(&self, lease: &Lease, and: &str) -> UpdateItemFluentBuilder {
        self.update()
            .condition_expression(format!("{IS_MINE} AND {and}"))
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&lease.owner))
            .expression_attribute_values(":epoch", number(lease.epoch))
    }
}

/// The row, as far as its readers need it.
#[derive(Debug, Deserialize)]
struct Row {
    position: Option<String>,
    #[serde(default)]
    generation: u64,
    owner: Option<String>,
    epoch: u64,
    taken_at: Option<i64>,
    expires_at: Option<i64>,
    successor: Option<String>,
    asks_until: Option<i64>,
}

impl Row {
    fn status(self) -> Result<CheckpointStatus, Failure> {
        let holder = self.owner.zip(self.expires_at).map(|(owner, expires_at)| {
            let lease = Lease { owner, epoch: self.epoch };
            Ok(Holder { lease, taken_at: self.taken_at.map(time).transpose()?, expires_at: time(expires_at)? })
        });
        let position = self.position.as_deref().map(parse).transpose()?;
        Ok(CheckpointStatus { position, generation: self.generation, holder: holder.transpose()? })
    }

    fn lease_status(&self, lease: &Lease, now: Timestamp) -> LeaseStatus {
        let is_mine = self.owner.as_ref() == Some(&lease.owner) && self.epoch == lease.epoch;
        let is_wanted = self.successor.is_some() && self.asks_until.is_some_and(|until| until > now.as_millisecond());
        match (is_mine, is_wanted) {
            (false, _) => LeaseStatus::Lost,
            (true, true) => LeaseStatus::Wanted,
            (true, false) => LeaseStatus::Held,
        }
    }
}

/// `None` if the condition did not hold.
fn unless_refused(
    doing: &'static str,
    result: Result<UpdateItemOutput, SdkError<UpdateItemError>>,
) -> Result<Option<UpdateItemOutput>, Failure> {
    match result {
        Ok(output) => Ok(Some(output)),
        Err(error) if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Ok(None)
        }
        Err(error) => Err(Failure::aws(doing, error)),
    }
}

fn read(attributes: Option<HashMap<String, AttributeValue>>) -> Result<Row, Failure> {
    let attributes = attributes.ok_or_else(|| Failure::bug("read the checkpoint", "an answer without a row"))?;
    crate::row::read("read the checkpoint", attributes)
}

/// Of fixed width, so that texts are ordered as positions are.
fn sortable(position: Position) -> String {
    format!("{:020}/{:020}", position.commit_num, position.op_num)
}

fn parse(text: &str) -> Result<Position, Failure> {
    let position = text.split_once('/').and_then(|(commit, op)| Some((commit.parse().ok()?, op.parse().ok()?)));
    let (commit_num, op_num) =
        position.ok_or_else(|| Failure::bug("read the checkpoint", "its position is no position"))?;
    Ok(Position { commit_num, op_num })
}

fn time(milliseconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_millisecond(milliseconds).map_err(|error| Failure::bug("read the checkpoint", error))
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn milliseconds(time: Timestamp) -> AttributeValue {
    AttributeValue::N(time.as_millisecond().to_string())
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{operation::get_item::GetItemOutput, types::error::ConditionalCheckFailedException};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn table(rule: &Rule) -> CheckpointTable {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
        CheckpointTable::new(client, "checkpoint".to_owned(), "main".to_owned())
    }

    fn lease() -> Lease {
        Lease { owner: "me".to_owned(), epoch: 7 }
    }

    fn row(attributes: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        let key = [("stream", text("main")), ("owner", text("me")), ("epoch", number(7))];
        let all = key.iter().chain(attributes);
        all.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn refused() -> Rule {
        mock!(Client::update_item).then_error(|| {
            UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        })
    }

    #[tokio::test]
    async fn whoever_takes_the_lease_goes_on_from_the_checkpoint() {
        let free = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values().expect("values");
                request.condition_expression()
                    == Some("attribute_not_exists(#owner) OR expires_at <= :now OR #owner = :owner")
                    && values[":now"] == AttributeValue::N("0".into())
                    && values[":expires_at"] == AttributeValue::N("5000".into())
            })
            .then_output(|| {
                let position = ("position", text("00000000000000000012/00000000000000000003"));
                UpdateItemOutput::builder().set_attributes(Some(row(&[position, ("generation", number(2))]))).build()
            });
        let taken = table(&free).acquire("me", NOW, Timestamp::constant(5, 0)).await.expect("an answer");
        let position = Some(Position::new(12, 3));
        assert_eq!(taken, Some(AcquiredLease { lease: lease(), position, generation: 2 }));
    }

    #[tokio::test]
    async fn a_lease_that_is_held_is_not_taken() {
        assert_eq!(table(&refused()).acquire("me", NOW, NOW).await.expect("an answer"), None);
        table(&refused()).request_handover("me", NOW).await.expect("nobody to ask");
    }

    #[tokio::test]
    async fn the_checkpoint_moves_only_for_its_owner_in_its_epoch_and_never_back() {
        let moved = mock!(Client::update_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values().expect("values");
                request.condition_expression()
                    == Some(
                        "#owner = :owner AND epoch = :epoch \
                         AND (attribute_not_exists(#position) OR #position <= :position)",
                    )
                    && values[":owner"] == text("me")
                    && values[":epoch"] == number(7)
                    && values[":position"] == text("18446744073709551615/00000000000000000001")
            })
            .then_output(|| UpdateItemOutput::builder().set_attributes(Some(row(&[]))).build());
        let position = Position::new(u64::MAX, 1);
        assert_eq!(table(&moved).advance(&lease(), position, NOW).await.expect("an answer"), LeaseStatus::Held);
        assert_eq!(table(&refused()).advance(&lease(), position, NOW).await.expect("an answer"), LeaseStatus::Lost);
    }

    #[tokio::test]
    async fn what_was_lost_is_neither_released_nor_begun_anew() {
        table(&refused()).release(&lease()).await.expect("nothing to release");
        assert_eq!(table(&refused()).start_generation(&lease(), 1).await.expect("an answer"), None);
    }

    #[tokio::test]
    async fn a_holder_sees_who_asks_and_who_took_over() {
        let asked = [("successor", text("you")), ("asks_until", number(1000))];
        let taken = [("owner", text("you")), ("epoch", number(8))];
        let same_name = [("epoch", number(8))];
        for (attributes, now, lease_status) in [
            (&[][..], NOW, LeaseStatus::Held),
            (&asked[..], NOW, LeaseStatus::Wanted),
            (&asked[..], Timestamp::constant(1, 0), LeaseStatus::Held),
            (&taken[..], NOW, LeaseStatus::Lost),
            (&same_name[..], NOW, LeaseStatus::Lost),
        ] {
            let item = row(attributes);
            let seen = mock!(Client::get_item)
                .match_requests(|request| request.consistent_read() == Some(true))
                .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
            assert_eq!(table(&seen).lease_status(&lease(), now).await.expect("a look"), lease_status, "{attributes:?}");
        }
    }

    #[tokio::test]
    async fn who_looks_from_outside_sees_position_and_holder() {
        let seen = |item: HashMap<String, AttributeValue>| {
            mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build())
        };
        let position = ("position", text("00000000000000000012/00000000000000000003"));
        let mut item = row(&[position, ("taken_at", number(1000)), ("expires_at", number(5000))]);
        let held = table(&seen(item.clone())).status().await.expect("a look").expect("a row");
        let second = |second| Timestamp::constant(second, 0);
        let holder = Holder { lease: lease(), taken_at: Some(second(1)), expires_at: second(5) };
        let expected = CheckpointStatus { position: Some(Position::new(12, 3)), generation: 0, holder: Some(holder) };
        assert_eq!(held, expected);
        for name in ["owner", "taken_at", "expires_at"] {
            item.remove(name);
        }
        let free = table(&seen(item)).status().await.expect("a look").expect("a row");
        assert_eq!(free, CheckpointStatus { holder: None, ..expected });
    }

    #[tokio::test]
    async fn a_row_that_is_gone_is_a_lease_that_is_lost() {
        let gone = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        assert_eq!(table(&gone).lease_status(&lease(), NOW).await.expect("a look"), LeaseStatus::Lost);
        assert_eq!(table(&gone).generation().await.expect("a look"), 0);
        assert_eq!(table(&gone).status().await.expect("a look"), None);
    }

    #[test]
    fn texts_are_ordered_as_positions_are() {
        let positions = [(1, 9), (2, 1), (2, 10), (10, 1), (u64::MAX, u64::MAX)].map(|(c, o)| Position::new(c, o));
        let texts = positions.map(sortable);
        assert!(texts.is_sorted(), "{texts:?}");
        for (position, text) in positions.into_iter().zip(&texts) {
            assert_eq!(parse(text).expect("a position"), position);
        }
        assert!(parse("12").is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_row_is_read_or_a_bug(row in crate::testing::damaged(row(&[
            ("position", text("00000000000000000012/00000000000000000003")),
            ("generation", number(1)),
            ("taken_at", number(1)),
            ("expires_at", number(9)),
            ("successor", text("you")),
            ("asks_until", number(2)),
        ]))) {
            if let Err(failure) = read(Some(row)).and_then(|row| {
                let _ = row.lease_status(&lease(), NOW);
                row.status()
            }) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
