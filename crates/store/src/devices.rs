//! The table `devices`: who is reached where, and how they want to be told. Its only writer is
//! `device-api`, but that `push-fanout` forgets devices whose endpoint is dead.
//!
//! ```text
//! user   item          what else
//! sub    device#<id>   endpoint_arn, token, token_hash, platform, language, last_seen
//! sub    preferences   preferences
//! ```
//! The index `by-token` has the devices by `token_hash`: a token belongs to one app on one phone,
//! so whoever registers it takes it over from whoever had it.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{delete_item::DeleteItemError, query::builders::QueryFluentBuilder},
    types::AttributeValue,
};
use domain::push::{Platform, Preferences, Token};
use function_kit::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::row::read;

/// The index of devices by the hash of their token.
const BY_TOKEN: &str = "by-token";

/// What fails when a row is not what it should be.
const READ: &str = "read a row of the devices";

const DEVICE_PREFIX: &str = "device#";
const PREFERENCES: &str = "preferences";

type Attributes = std::collections::HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug, Clone)]
pub struct DeviceTable {
    client: Client,
    name: String,
}

/// An app on a phone, where a user is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The user's `sub`.
    pub user: String,
    /// Chosen by the app, unique among the user's devices.
    pub id: String,
    /// The SNS endpoint that leads to it.
    pub endpoint_arn: String,
    /// What FCM knows it by. It never prints.
    pub token: Token,
    /// What kind of phone it is.
    pub platform: Platform,
    /// A BCP 47 tag, where the app told one.
    pub language: Option<String>,
    /// When the app last registered.
    pub last_seen: Timestamp,
}

/// How a user is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryTargets {
    /// Where.
    pub devices: Vec<Device>,
    /// What of, and when in silence.
    pub preferences: Preferences,
}

/// Who has a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The user's `sub`.
    pub user: String,
    /// The device's id.
    pub id: String,
    /// The endpoint that was registered for it.
    pub endpoint_arn: String,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// The row is as given.
    Stored,
    /// The row is not as it was known to be: look again.
    Changed,
}

impl DeviceTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// All devices and the preferences of `user`; strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row contradicts itself.
    pub async fn delivery_targets(&self, user: &str) -> Result<DeliveryTargets, Failure> {
        let query = self.of_user(user).key_condition_expression("#user = :user");
        let mut delivery_targets = DeliveryTargets::default();
        for row in all(query).await? {
            match row.get("item").and_then(|item| item.as_s().ok()).map(String::as_str) {
                Some(PREFERENCES) => delivery_targets.preferences = read::<PreferencesRow>(READ, row)?.preferences,
                Some(item) if item.starts_with(DEVICE_PREFIX) => {
                    delivery_targets.devices.push(read::<DeviceRow>(READ, row)?.try_into()?);
                }
                // A later version's.
                _ => {}
            }
        }
        Ok(delivery_targets)
    }

    /// All devices of `user`; strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row contradicts itself.
    pub async fn list(&self, user: &str) -> Result<Vec<Device>, Failure> {
        let query = self
            .of_user(user)
            .key_condition_expression("#user = :user AND begins_with(#item, :device)")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":device", AttributeValue::S(DEVICE_PREFIX.to_owned()));
        all(query).await?.into_iter().map(|row| read::<DeviceRow>(READ, row)?.try_into()).collect()
    }

    /// The device `id` of `user`, if there is one; strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or the row contradicts itself.
    pub async fn get(&self, user: &str, id: &str) -> Result<Option<Device>, Failure> {
        let row = self.row(user, device_item(id), "read a device").await?;
        row.map(|row| read::<DeviceRow>(READ, row)?.try_into()).transpose()
    }

    /// Stores `device` if its row still is as `known`: absent, or with the same token and endpoint.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put(&self, device: &Device, known: Option<&Device>) -> Result<WriteOutcome, Failure> {
        let row = serde_dynamo::to_item(DeviceRow::from(device))
            .map_err(|error| Failure::bug("write a device's row", error))?;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row));
        let put = match known {
            None => put.condition_expression("attribute_not_exists(#item)").expression_attribute_names("#item", "item"),
            Some(known) => put
                .condition_expression("token_hash = :hash AND endpoint_arn = :endpoint")
                .expression_attribute_values(":hash", AttributeValue::S(known.token.hash()))
                .expression_attribute_values(":endpoint", AttributeValue::S(known.endpoint_arn.clone())),
        };
        match put.send().await {
            Ok(_) => Ok(WriteOutcome::Stored),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(WriteOutcome::Changed)
            }
            Err(error) => Err(Failure::aws("store a device", error)),
        }
    }

    /// Deletes the row of `device` if it still has the same token and endpoint: a device that has
    /// registered anew in the meantime stays. One that is not there is no error.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn forget(&self, device: &Device) -> Result<(), Failure> {
        self.remove(device).await.map(drop)
    }

    /// As [`forget`](Self::forget); says whether the row was there as given.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn remove(&self, device: &Device) -> Result<bool, Failure> {
        let Device { user, id, token, endpoint_arn, .. } = device;
        self.delete_if(user, id, "token_hash = :hash AND endpoint_arn = :endpoint", token, endpoint_arn).await
    }

    /// Deletes the row of `holder` if it still has `token`, or still leads to the same endpoint.
    /// One that is not there is no error.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn take_away(&self, token: &Token, holder: &Holder) -> Result<(), Failure> {
        let Holder { user, id, endpoint_arn } = holder;
        let condition = "token_hash = :hash OR endpoint_arn = :endpoint";
        self.delete_if(user, id, condition, token, endpoint_arn).await.map(drop)
    }

    /// Who has `token`, of all users; eventually consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row contradicts itself.
    pub async fn holders(&self, token: &Token) -> Result<Vec<Holder>, Failure> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(BY_TOKEN)
            .key_condition_expression("token_hash = :hash")
            .expression_attribute_values(":hash", AttributeValue::S(token.hash()));
        all(query).await?.into_iter().map(|row| read::<HolderRow>(READ, row)?.try_into()).collect()
    }

    /// What `user` wants to be told of; the default if nothing was ever chosen.
    ///
    /// # Errors
    /// If DynamoDB fails, or the row contradicts itself.
    pub async fn preferences(&self, user: &str) -> Result<Preferences, Failure> {
        let row = self.row(user, PREFERENCES.to_owned(), "read preferences").await?;
        row.map_or_else(|| Ok(Preferences::default()), |row| Ok(read::<PreferencesRow>(READ, row)?.preferences))
    }

    /// Stores what `user` wants to be told of.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put_preferences(&self, user: &str, preferences: &Preferences) -> Result<(), Failure> {
        let row =
            PreferencesRow { user: user.to_owned(), item: PREFERENCES.to_owned(), preferences: preferences.clone() };
        let row = serde_dynamo::to_item(row).map_err(|error| Failure::bug("write a row of preferences", error))?;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(row)).send().await;
        put.map(drop).map_err(|error| Failure::aws("store preferences", error))
    }

    fn of_user(&self, user: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .expression_attribute_names("#user", "user")
            .expression_attribute_values(":user", AttributeValue::S(user.to_owned()))
    }

    async fn row(&self, user: &str, item: String, doing: &'static str) -> Result<Option<Attributes>, Failure> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("user", AttributeValue::S(user.to_owned()))
            .key("item", AttributeValue::S(item))
            .consistent_read(true);
        get.send().await.map(|answer| answer.item).map_err(|error| Failure::aws(doing, error))
    }

    async fn delete_if(
        &self,
        user: &str,
        id: &str,
        condition: &str,
        token: &Token,
        endpoint_arn: &str,
    ) -> Result<bool, Failure> {
        let deleted = self
            .client
            .delete_item()
            .table_name(&self.name)
            .key("user", AttributeValue::S(user.to_owned()))
            .key("item", AttributeValue::S(device_item(id)))
            .condition_expression(condition)
            .expression_attribute_values(":hash", AttributeValue::S(token.hash()))
            .expression_attribute_values(":endpoint", AttributeValue::S(endpoint_arn.to_owned()))
            .send()
            .await;
        match deleted {
            Ok(_) => Ok(true),
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), DeleteItemError::ConditionalCheckFailedException(_)) =>
            {
                Ok(false)
            }
            Err(error) => Err(Failure::aws("forget a device", error)),
        }
    }
}

/// All rows of a query, page by page; without the SDK's paginator, which is a task, a channel, and 25 KB in each function.
async fn all(query: QueryFluentBuilder) -> Result<Vec<Attributes>, Failure> {
    let mut rows = Vec::new();
    let mut next = None;
    loop {
        let page = query.clone().set_exclusive_start_key(next).send().await;
        let page = page.map_err(|error| Failure::aws("look up devices", error))?;
        rows.extend(page.items.unwrap_or_default());
        next = page.last_evaluated_key.filter(|key| !key.is_empty());
        if next.is_none() {
            return Ok(rows);
        }
    }
}

fn device_item(id: &str) -> String {
    format!("{DEVICE_PREFIX}{id}")
}

fn device_id(item: &str) -> Result<String, Failure> {
    let id = item.strip_prefix(DEVICE_PREFIX).map(str::to_owned);
    id.ok_or_else(|| Failure::bug(READ, "a device's row whose key is none of a device"))
}

/// A device as DynamoDB holds it.
#[derive(Serialize, Deserialize)]
struct DeviceRow {
    user: String,
    item: String,
    endpoint_arn: String,
    token: Token,
    token_hash: String,
    platform: Platform,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    last_seen: Timestamp,
}

/// What the index by token holds.
#[derive(Deserialize)]
struct HolderRow {
    user: String,
    item: String,
    endpoint_arn: String,
}

/// Preferences as DynamoDB holds them.
#[derive(Serialize, Deserialize)]
struct PreferencesRow {
    user: String,
    item: String,
    preferences: Preferences,
}

impl From<&Device> for DeviceRow {
    fn from(device: &Device) -> Self {
        Self {
            user: device.user.clone(),
            item: device_item(&device.id),
            endpoint_arn: device.endpoint_arn.clone(),
            token: device.token.clone(),
            token_hash: device.token.hash(),
            platform: device.platform,
            language: device.language.clone(),
            last_seen: device.last_seen,
        }
    }
}

impl TryFrom<DeviceRow> for Device {
    type Error = Failure;

    fn try_from(row: DeviceRow) -> Result<Self, Failure> {
        let DeviceRow { user, item, endpoint_arn, token, token_hash: _, platform, language, last_seen } = row;
        Ok(Self { user, id: device_id(&item)?, endpoint_arn, token, platform, language, last_seen })
    }
}

impl TryFrom<HolderRow> for Holder {
    type Error = Failure;

    fn try_from(HolderRow { user, item, endpoint_arn }: HolderRow) -> Result<Self, Failure> {
        Ok(Self { user, id: device_id(&item)?, endpoint_arn })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::{
        operation::{
            delete_item::DeleteItemOutput,
            get_item::GetItemOutput,
            put_item::{PutItemError, PutItemOutput},
            query::QueryOutput,
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::push::{Category, QuietHours};
    use function_kit::failure::Kind;
    use proptest::prelude::*;

    use super::*;

    fn table(rule: &Rule) -> DeviceTable {
        DeviceTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [rule]), "devices".to_owned())
    }

    fn token(text: &str) -> Token {
        text.to_owned().try_into().expect("a token")
    }

    fn device(id: &str) -> Device {
        Device {
            user: "mina".into(),
            id: id.into(),
            endpoint_arn: format!("arn:aws:sns:ap-northeast-2:123456789012:endpoint/GCM/app/{id}"),
            token: token("secret-token"),
            platform: Platform::Android,
            language: Some("ko".into()),
            last_seen: "2026-11-22T01:02:03.004Z".parse().expect("a time"),
        }
    }

    fn row(device: &Device) -> Attributes {
        serde_dynamo::to_item(DeviceRow::from(device)).expect("a row")
    }

    fn preferences() -> Preferences {
        let quiet_hours = QuietHours::new("22:00", "07:00", "Asia/Seoul").expect("quiet hours");
        Preferences { muted: [Category::Likes].into(), quiet_hours: Some(quiet_hours) }
    }

    fn preferences_row() -> Attributes {
        let row = PreferencesRow { user: "mina".into(), item: PREFERENCES.into(), preferences: preferences() };
        serde_dynamo::to_item(row).expect("a row")
    }

    fn text<'a>(attributes: Option<&'a Attributes>, name: &str) -> Option<&'a str> {
        attributes?.get(name)?.as_s().ok().map(String::as_str)
    }

    #[test]
    fn a_token_is_never_printed() {
        let printed = format!("{:?}", DeliveryTargets { devices: vec![device("phone")], preferences: preferences() });
        assert!(printed.contains("phone") && !printed.contains("secret"), "{printed}");
    }

    #[tokio::test]
    async fn a_user_is_reached_by_one_consistent_query() {
        let rows = vec![row(&device("phone")), row(&device("tablet")), preferences_row()];
        let query = mock!(Client::query)
            .match_requests(|request| {
                request.consistent_read() == Some(true)
                    && request.index_name().is_none()
                    && request.key_condition_expression() == Some("#user = :user")
                    && text(request.expression_attribute_values(), ":user") == Some("mina")
            })
            .then_output(move || QueryOutput::builder().set_items(Some(rows.clone())).build());
        let delivery_targets = table(&query).delivery_targets("mina").await.expect("reach");
        assert_eq!(
            delivery_targets,
            DeliveryTargets { devices: vec![device("phone"), device("tablet")], preferences: preferences() }
        );
        assert_eq!(query.num_calls(), 1);
    }

    #[tokio::test]
    async fn also_what_stands_on_later_pages_is_reached() {
        let (first, second) = (row(&device("phone")), row(&device("tablet")));
        let key = Attributes::from([("item".to_owned(), AttributeValue::S("device#phone".into()))]);
        let query = mock!(Client::query)
            .sequence()
            .output(move || {
                QueryOutput::builder().items(first.clone()).set_last_evaluated_key(Some(key.clone())).build()
            })
            .output(move || QueryOutput::builder().items(second.clone()).build())
            .build();
        assert_eq!(
            table(&query).delivery_targets("mina").await.expect("reach").devices,
            [device("phone"), device("tablet")]
        );
    }

    #[tokio::test]
    async fn nobody_is_reached_nowhere_and_by_default() {
        let query = mock!(Client::query).then_output(|| QueryOutput::builder().build());
        assert_eq!(table(&query).delivery_targets("mina").await.expect("reach"), DeliveryTargets::default());
        let get = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        assert_eq!(table(&get).preferences("mina").await.expect("preferences"), Preferences::default());
    }

    #[tokio::test]
    async fn a_row_that_cannot_be_read_is_a_bug() {
        let mut broken = row(&device("phone"));
        broken.remove("endpoint_arn");
        let get = mock!(Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(broken.clone())).build());
        assert_eq!(table(&get).get("mina", "phone").await.expect_err("a failure").kind, Kind::Bug);
    }

    #[tokio::test]
    async fn a_device_is_stored_only_over_what_was_known() {
        let new = mock!(Client::put_item)
            .match_requests(|request| {
                request.condition_expression() == Some("attribute_not_exists(#item)")
                    && text(request.item(), "item") == Some("device#phone")
                    && text(request.item(), "token_hash") == Some(&token("secret-token").hash())
            })
            .then_output(|| PutItemOutput::builder().build());
        assert_eq!(table(&new).put(&device("phone"), None).await.expect("an outcome"), WriteOutcome::Stored);
        let known = mock!(Client::put_item)
            .match_requests(|request| {
                request.condition_expression() == Some("token_hash = :hash AND endpoint_arn = :endpoint")
                    && text(request.expression_attribute_values(), ":hash") == Some(&token("old").hash())
            })
            .then_error(|| {
                PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            });
        let old = Device { token: token("old"), ..device("phone") };
        assert_eq!(table(&known).put(&device("phone"), Some(&old)).await.expect("an outcome"), WriteOutcome::Changed);
    }

    #[tokio::test]
    async fn a_device_is_forgotten_only_if_it_has_not_registered_anew() {
        let seen = device("phone").endpoint_arn;
        let delete = mock!(Client::delete_item)
            .match_requests(move |request| {
                let values = request.expression_attribute_values();
                request.condition_expression() == Some("token_hash = :hash AND endpoint_arn = :endpoint")
                    && text(request.key(), "user") == Some("mina")
                    && text(request.key(), "item") == Some("device#phone")
                    && text(values, ":hash") == Some(&token("secret-token").hash())
                    && text(values, ":endpoint") == Some(&seen)
            })
            .sequence()
            .output(|| DeleteItemOutput::builder().build())
            .error(|| {
                DeleteItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            })
            .build();
        let table = table(&delete);
        assert!(table.remove(&device("phone")).await.expect("an outcome"));
        assert!(!table.remove(&device("phone")).await.expect("an outcome"));
    }

    #[tokio::test]
    async fn whoever_has_a_token_is_found_and_loses_it() {
        let has = [("user", "mina"), ("item", "device#phone"), ("endpoint_arn", "arn"), ("token_hash", "never mind")]
            .map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned())));
        let query = mock!(Client::query)
            .match_requests(|request| {
                request.index_name() == Some("by-token")
                    && text(request.expression_attribute_values(), ":hash") == Some(&token("secret-token").hash())
            })
            .then_output(move || QueryOutput::builder().items(Attributes::from(has.clone())).build());
        let holders = table(&query).holders(&token("secret-token")).await.expect("holders");
        assert_eq!(holders, [Holder { user: "mina".into(), id: "phone".into(), endpoint_arn: "arn".into() }]);

        let delete = mock!(Client::delete_item)
            .match_requests(|request| {
                request.condition_expression() == Some("token_hash = :hash OR endpoint_arn = :endpoint")
                    && text(request.expression_attribute_values(), ":endpoint") == Some("arn")
            })
            .then_error(|| {
                DeleteItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
            });
        table(&delete).take_away(&token("secret-token"), &holders[0]).await.expect("no error");
        assert_eq!(delete.num_calls(), 1);
    }

    #[tokio::test]
    async fn preferences_survive_their_row() {
        let put = mock!(Client::put_item)
            .match_requests(|request| request.item() == Some(&preferences_row()))
            .then_output(|| PutItemOutput::builder().build());
        table(&put).put_preferences("mina", &preferences()).await.expect("stored");
        let get = mock!(Client::get_item)
            .match_requests(|request| text(request.key(), "item") == Some("preferences"))
            .then_output(|| GetItemOutput::builder().set_item(Some(preferences_row())).build());
        assert_eq!(table(&get).preferences("mina").await.expect("preferences"), preferences());
    }

    proptest! {
        /// A row that cannot be read says nothing of its token, either.
        #[test]
        fn a_damaged_row_is_read_or_a_bug(row in crate::testing::damaged(HashMap::from([
            ("user".to_owned(), AttributeValue::S("mina".to_owned())),
            ("item".to_owned(), AttributeValue::S("device#phone".to_owned())),
            ("endpoint_arn".to_owned(), AttributeValue::S("arn:endpoint".to_owned())),
            ("token".to_owned(), AttributeValue::S("secret-token".to_owned())),
            ("token_hash".to_owned(), AttributeValue::S("hash".to_owned())),
            ("platform".to_owned(), AttributeValue::S("android".to_owned())),
            ("last_seen".to_owned(), AttributeValue::S("2026-11-22T01:02:03Z".to_owned())),
        ]))) {
            let device = read::<DeviceRow>(READ, row.clone()).and_then(Device::try_from);
            let holder = read::<HolderRow>(READ, row.clone()).and_then(Holder::try_from);
            for failure in [device.err(), holder.err(), read::<PreferencesRow>(READ, row).err()].into_iter().flatten() {
                prop_assert!(failure.kind == Kind::Bug && !failure.to_string().contains("secret-token"), "{}", failure);
            }
        }
    }
}
