use aws_sdk_dynamodb::{
    Client,
    operation::{delete_item::DeleteItemOutput, get_item::GetItemOutput, put_item::PutItemOutput, query::QueryOutput},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::push::{Category, Platform, Preferences, QuietHours, Token};
use function_kit::failure::Kind;
use proptest::prelude::*;

use super::{
    row::{DeviceRow, HolderRow, PreferencesRow, READ},
    *,
};
use crate::{
    attribute::{Attributes, text},
    row::read,
    testing::{self, delete_condition_failed, malformed, put_condition_failed, value},
};

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
    serde_dynamo::to_item(PreferencesRow::of("mina", &preferences())).expect("a row")
}

#[test]
fn token_is_not_printed() {
    let printed = format!("{:?}", DeliveryTargets { devices: vec![device("phone")], preferences: preferences() });
    assert!(printed.contains("phone") && !printed.contains("secret"), "{printed}");
}

#[tokio::test]
async fn delivery_targets_are_read_by_one_consistent_query() {
    let rows = vec![row(&device("phone")), row(&device("tablet")), preferences_row()];
    let query = mock!(Client::query)
        .match_requests(|request| {
            request.consistent_read() == Some(true)
                && request.index_name().is_none()
                && request.key_condition_expression() == Some("#user = :user")
                && value(request.expression_attribute_values(), ":user") == Some("mina")
        })
        .then_output(move || QueryOutput::builder().set_items(Some(rows.clone())).build());
    let targets = table(&query).delivery_targets("mina").await.expect("targets");
    let devices = vec![device("phone"), device("tablet")];
    assert_eq!(targets, DeliveryTargets { devices, preferences: preferences() });
    assert_eq!(query.num_calls(), 1);
}

#[tokio::test]
async fn delivery_targets_on_later_pages_are_read() {
    let (first, second) = (row(&device("phone")), row(&device("tablet")));
    let key = testing::row([("item", text("device#phone"))]);
    let query = mock!(Client::query)
        .sequence()
        .output(move || QueryOutput::builder().items(first.clone()).set_last_evaluated_key(Some(key.clone())).build())
        .output(move || QueryOutput::builder().items(second.clone()).build())
        .build();
    let targets = table(&query).delivery_targets("mina").await.expect("targets");
    assert_eq!(targets.devices, [device("phone"), device("tablet")]);
}

#[tokio::test]
async fn unknown_user_has_no_devices_and_default_preferences() {
    let query = mock!(Client::query).then_output(|| QueryOutput::builder().build());
    assert_eq!(table(&query).delivery_targets("mina").await.expect("targets"), DeliveryTargets::default());
    let get = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    assert_eq!(table(&get).preferences("mina").await.expect("preferences"), Preferences::default());
}

#[tokio::test]
async fn row_without_a_required_attribute_is_a_bug() {
    let mut incomplete = row(&device("phone"));
    incomplete.remove("endpoint_arn");
    let get = mock!(Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(Some(incomplete.clone())).build());
    assert_eq!(table(&get).get("mina", "phone").await.expect_err("a failure").kind, Kind::Bug);
}

#[tokio::test]
async fn device_is_stored_unless_its_row_has_changed() {
    let new = mock!(Client::put_item)
        .match_requests(|request| {
            request.condition_expression() == Some("attribute_not_exists(#item)")
                && value(request.item(), "item") == Some("device#phone")
                && value(request.item(), "token_hash") == Some(&token("secret-token").hash())
        })
        .then_output(|| PutItemOutput::builder().build());
    assert_eq!(table(&new).put(&device("phone"), None).await.expect("an outcome"), WriteOutcome::Stored);
    let known = mock!(Client::put_item)
        .match_requests(|request| {
            request.condition_expression() == Some("token_hash = :hash AND endpoint_arn = :endpoint")
                && value(request.expression_attribute_values(), ":hash") == Some(&token("old").hash())
        })
        .then_error(put_condition_failed);
    let old = Device { token: token("old"), ..device("phone") };
    assert_eq!(table(&known).put(&device("phone"), Some(&old)).await.expect("an outcome"), WriteOutcome::Conflict);
}

#[tokio::test]
async fn device_is_deleted_unless_it_has_registered_again() {
    let endpoint_arn = device("phone").endpoint_arn;
    let delete = mock!(Client::delete_item)
        .match_requests(move |request| {
            let values = request.expression_attribute_values();
            request.condition_expression() == Some("token_hash = :hash AND endpoint_arn = :endpoint")
                && value(request.key(), "user") == Some("mina")
                && value(request.key(), "item") == Some("device#phone")
                && value(values, ":hash") == Some(&token("secret-token").hash())
                && value(values, ":endpoint") == Some(&endpoint_arn)
        })
        .sequence()
        .output(|| DeleteItemOutput::builder().build())
        .error(delete_condition_failed)
        .build();
    let table = table(&delete);
    assert!(table.delete_if_unchanged(&device("phone")).await.expect("an outcome"));
    assert!(!table.delete_if_unchanged(&device("phone")).await.expect("an outcome"));
}

#[tokio::test]
async fn holder_of_a_token_is_found_and_deleted() {
    let holder = testing::row([
        ("user", text("mina")),
        ("item", text("device#phone")),
        ("endpoint_arn", text("arn")),
        ("token_hash", text("ignored")),
    ]);
    let query = mock!(Client::query)
        .match_requests(|request| {
            request.index_name() == Some("by-token")
                && value(request.expression_attribute_values(), ":hash") == Some(&token("secret-token").hash())
        })
        .then_output(move || QueryOutput::builder().items(holder.clone()).build());
    let holders = table(&query).holders(&token("secret-token")).await.expect("holders");
    assert_eq!(holders, [Holder { user: "mina".into(), id: "phone".into(), endpoint_arn: "arn".into() }]);

    let delete = mock!(Client::delete_item)
        .match_requests(|request| {
            request.condition_expression() == Some("token_hash = :hash OR endpoint_arn = :endpoint")
                && value(request.expression_attribute_values(), ":endpoint") == Some("arn")
        })
        .then_error(delete_condition_failed);
    table(&delete).delete_holder(&token("secret-token"), &holders[0]).await.expect("no error");
    assert_eq!(delete.num_calls(), 1);
}

#[tokio::test]
async fn preferences_are_read_as_written() {
    let put = mock!(Client::put_item)
        .match_requests(|request| request.item() == Some(&preferences_row()))
        .then_output(|| PutItemOutput::builder().build());
    table(&put).put_preferences("mina", &preferences()).await.expect("stored");
    let get = mock!(Client::get_item)
        .match_requests(|request| value(request.key(), "item") == Some("preferences"))
        .then_output(|| GetItemOutput::builder().set_item(Some(preferences_row())).build());
    assert_eq!(table(&get).preferences("mina").await.expect("preferences"), preferences());
}

proptest! {
    /// The failure of an unreadable row does not quote its token.
    #[test]
    fn malformed_row_is_read_or_a_bug(row in malformed(testing::row([
        ("user", text("mina")),
        ("item", text("device#phone")),
        ("endpoint_arn", text("arn:endpoint")),
        ("token", text("secret-token")),
        ("token_hash", text("hash")),
        ("platform", text("android")),
        ("last_seen", text("2026-11-22T01:02:03Z")),
    ]))) {
        let device = read::<DeviceRow>(READ, row.clone()).and_then(Device::try_from);
        let holder = read::<HolderRow>(READ, row.clone()).and_then(Holder::try_from);
        for failure in [device.err(), holder.err(), read::<PreferencesRow>(READ, row).err()].into_iter().flatten() {
            prop_assert!(failure.kind == Kind::Bug && !failure.to_string().contains("secret-token"), "{}", failure);
        }
    }
}
