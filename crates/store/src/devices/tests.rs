use aws_sdk_dynamodb::{
    Client,
    operation::{
        execute_statement::ExecuteStatementOutput,
        get_item::GetItemOutput,
        put_item::PutItemOutput,
        query::QueryOutput,
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
    },
    types::{CancellationReason, TransactWriteItem, error::TransactionCanceledException},
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::push::{Category, Platform, Preferences, QuietHours, Token};
use function_kit::failure::Kind;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{
    row::{DeviceRow, HolderRow, PreferencesRow, READ, TokenRow},
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
        registration: Some(format!("r-{id}")),
    }
}

fn row(device: &Device) -> Attributes {
    serde_dynamo::to_item(DeviceRow::from(device)).expect("a row")
}

fn preferences() -> Preferences {
    let quiet_hours = QuietHours::new("22:00", "07:00", "Asia/Seoul").expect("quiet hours");
    Preferences { muted: [Category::Likes].into(), quiet_hours: Some(quiet_hours), hide_content: true }
}

fn preferences_row() -> Attributes {
    serde_dynamo::to_item(PreferencesRow::of("mina", &preferences())).expect("a row")
}

#[test]
fn token_is_not_printed() {
    let printed = format!(
        "{:?}",
        DeliveryTargets { devices: vec![device("phone")], preferences: preferences(), is_erased: false }
    );
    assert!(printed.contains("phone") && !printed.contains("secret"), "{printed}");
}

async fn targets_of_mina(table: &DeviceTable) -> DeliveryTargets {
    table.delivery_targets(&["mina"]).await.remove(0).expect("targets")
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
    let targets = targets_of_mina(&table(&query)).await;
    let devices = vec![device("phone"), device("tablet")];
    assert_eq!(targets, DeliveryTargets { devices, preferences: preferences(), is_erased: false });
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
    let targets = targets_of_mina(&table(&query)).await;
    assert_eq!(targets.devices, [device("phone"), device("tablet")]);
}

#[tokio::test]
async fn unknown_user_has_no_devices_and_default_preferences() {
    let query = mock!(Client::query).then_output(|| QueryOutput::builder().build());
    assert_eq!(targets_of_mina(&table(&query)).await, DeliveryTargets::default());
    let get = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    assert_eq!(table(&get).preferences("mina").await.expect("preferences"), Preferences::default());
}

/// A device of another user.
fn device_of(user: &str) -> Device {
    Device { user: user.into(), ..device("phone") }
}

#[tokio::test]
async fn delivery_targets_of_several_users_are_read_by_one_consistent_statement() {
    let (first, second) = (vec![row(&device_of("mina")), preferences_row()], vec![row(&device_of("jun"))]);
    let page = |rows: &Vec<Attributes>| ExecuteStatementOutput::builder().set_items(Some(rows.clone()));
    let select = mock!(Client::execute_statement)
        .match_requests(|request| {
            request.consistent_read() == Some(true)
                && request.statement() == Some(r#"SELECT * FROM "devices" WHERE "user" IN [?, ?, ?]"#)
                && request.parameters() == ["mina", "sora", "jun"].map(text)
        })
        .sequence()
        .output(move || page(&first).next_token("next").build())
        .output(move || page(&second).build())
        .build();
    let targets = table(&select).delivery_targets(&["mina", "sora", "jun"]).await;
    let devices: Vec<_> = targets.into_iter().map(|targets| targets.expect("targets").devices).collect();
    assert_eq!(devices, [vec![device_of("mina")], vec![], vec![device_of("jun")]]);
}

#[tokio::test]
async fn unreadable_row_of_one_user_fails_that_user_alone() {
    let mut unreadable = row(&device_of("jun"));
    unreadable.remove("endpoint_arn");
    let all = vec![row(&device_of("mina")), unreadable.clone()];
    let select = mock!(Client::execute_statement)
        .then_output(move || ExecuteStatementOutput::builder().set_items(Some(all.clone())).build());
    let query = |user: &'static str, row: Attributes| {
        mock!(Client::query)
            .match_requests(move |request| value(request.expression_attribute_values(), ":user") == Some(user))
            .then_output(move || QueryOutput::builder().items(row.clone()).build())
    };
    let (mina, jun) = (query("mina", row(&device_of("mina"))), query("jun", unreadable));
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&select, &mina, &jun]);
    let targets = DeviceTable::new(client, "devices".to_owned()).delivery_targets(&["mina", "jun"]).await;
    let kinds: Vec<_> = targets.into_iter().map(|targets| targets.map(|targets| targets.devices)).collect();
    assert_eq!(kinds[0].as_ref().ok(), Some(&vec![device_of("mina")]));
    assert_eq!(kinds[1].as_ref().expect_err("a failure").kind, Kind::Bug);
}

#[tokio::test]
async fn row_without_a_required_attribute_is_a_bug() {
    let mut incomplete = row(&device("phone"));
    incomplete.remove("endpoint_arn");
    let get = mock!(Client::get_item)
        .then_output(move || GetItemOutput::builder().set_item(Some(incomplete.clone())).build());
    assert_eq!(table(&get).get("mina", "phone").await.expect_err("a failure").kind, Kind::Bug);
}

/// A device of the version before.
fn unclaimed(id: &str) -> Device {
    Device { registration: None, ..device(id) }
}

fn claim(user: &str, id: &str, registration: &str) -> TokenClaim {
    let holder = Some((user.to_owned(), id.to_owned()));
    TokenClaim { registration: registration.into(), endpoint_arn: "arn".into(), holder }
}

/// The writes of a transaction, as text: kind, key, condition, and the value that the condition compares.
fn writes(request: &TransactWriteItemsInput) -> Vec<String> {
    let describe = |item: &TransactWriteItem| {
        let (kind, key, condition, values) = match (item.put(), item.delete()) {
            (Some(put), _) => ("put", put.item(), put.condition_expression(), put.expression_attribute_values()),
            (_, Some(delete)) => {
                ("delete", delete.key(), delete.condition_expression(), delete.expression_attribute_values())
            }
            _ => panic!("an unexpected write: {item:?}"),
        };
        let text = |name| value(Some(key), name).unwrap_or_default();
        let registration = value(values, ":registration").unwrap_or_default();
        format!("{kind} {} {}: {} {registration}", text("user"), text("item"), condition.unwrap_or_default())
    };
    request.transact_items().iter().map(describe).collect()
}

/// Accepts a transaction of exactly these writes.
fn transaction(expected: &[String]) -> Rule {
    let expected = expected.to_vec();
    mock!(Client::transact_write_items)
        .match_requests(move |request| writes(request) == expected)
        .then_output(|| TransactWriteItemsOutput::builder().build())
}

/// Rejects a transaction for these reasons.
fn canceled(codes: &'static [&'static str]) -> Rule {
    mock!(Client::transact_write_items).then_error(move || {
        let reasons = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
        let canceled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons)).build();
        TransactWriteItemsError::TransactionCanceledException(canceled)
    })
}

const IS_ABSENT: &str = "attribute_not_exists(#item) ";
const IS_OF: &str = "registration = :registration";
const IS_ABSENT_OR_OF: &str = "attribute_not_exists(#item) OR registration = :registration";

fn token_row(token_text: &str) -> String {
    format!("token#{} token", token(token_text).hash())
}

#[tokio::test]
async fn device_and_token_are_stored_in_one_transaction() {
    let put_device = "put mina device#phone";
    let put_token = format!("put {}", token_row("secret-token"));
    let stored = async |known: Option<&Device>, claim: Option<&TokenClaim>, expected: &[String]| {
        let table = table(&transaction(expected));
        let outcome = table.register(&device("phone"), known, claim, false).await.expect("an outcome");
        assert_eq!(outcome, RegisterOutcome::Stored);
    };
    stored(None, None, &[format!("{put_device}: {IS_ABSENT}"), format!("{put_token}: {IS_ABSENT}")]).await;
    // The same device again.
    let own = claim("mina", "phone", "r-phone");
    let expected = [format!("{put_device}: {IS_OF} r-phone"), format!("{put_token}: {IS_OF} r-phone")];
    stored(Some(&device("phone")), Some(&own), &expected).await;
    // Another device has the token.
    let other = claim("jun", "his", "r-his");
    let expected = [
        format!("{put_device}: {IS_ABSENT}"),
        format!("{put_token}: {IS_OF} r-his"),
        format!("delete jun device#his: {IS_OF} r-his"),
    ];
    stored(None, Some(&other), &expected).await;
    // The device had another token.
    let old = Device { token: token("old"), ..device("phone") };
    let expected = [
        format!("{put_device}: {IS_OF} r-phone"),
        format!("{put_token}: {IS_ABSENT}"),
        format!("delete {}: {IS_ABSENT_OR_OF} r-phone", token_row("old")),
    ];
    stored(Some(&old), None, &expected).await;
    // The version before wrote the device.
    let unchanged = "attribute_not_exists(registration) AND token_hash = :hash AND endpoint_arn = :endpoint \
                     AND last_seen = :seen ";
    let expected = [format!("{put_device}: {unchanged}"), format!("{put_token}: {IS_ABSENT}")];
    stored(Some(&Device { token: token("old"), ..unclaimed("phone") }), None, &expected).await;
    // The endpoint is being deleted: no device has the token.
    let collected = TokenClaim { holder: None, ..claim("jun", "his", "n1") };
    let expected = [format!("{put_device}: {IS_ABSENT}"), format!("{put_token}: {IS_OF} n1")];
    stored(None, Some(&collected), &expected).await;
}

#[tokio::test]
async fn rejected_transaction_says_whether_the_claim_is_stale() {
    let (device, claim) = (device("phone"), claim("jun", "his", "r-his"));
    for (codes, expected) in [
        (&["None", "ConditionalCheckFailed", "None"][..], RegisterOutcome::Conflict),
        (&["ConditionalCheckFailed", "None", "ConditionalCheckFailed"][..], RegisterOutcome::Conflict),
        (&["None", "TransactionConflict", "None"][..], RegisterOutcome::Conflict),
        (&["None", "None", "ConditionalCheckFailed"][..], RegisterOutcome::StaleClaim),
    ] {
        let outcome = table(&canceled(codes)).register(&device, None, Some(&claim), false).await;
        assert_eq!(outcome.expect("an outcome"), expected, "{codes:?}");
    }
    // A stale claim is replaced without the device that it names.
    let old = Device { token: token("old"), ..device.clone() };
    let rejected = canceled(&["None", "None", "ConditionalCheckFailed"]);
    let outcome = table(&rejected).register(&device, Some(&old), Some(&claim), true).await;
    assert_eq!(outcome.expect("an outcome"), RegisterOutcome::Conflict);
    for (codes, kind) in [
        (&["None", "ThrottlingError"][..], Kind::Transient),
        (&["ProvisionedThroughputExceeded", "None"][..], Kind::Transient),
        (&["ValidationError", "None"][..], Kind::Bug),
    ] {
        let failure = table(&canceled(codes)).register(&device, None, None, false).await.expect_err("a failure");
        assert_eq!(failure.kind, kind, "{codes:?}");
    }
    let without = table(&canceled(&[])).register(&unclaimed("phone"), None, None, false).await;
    assert_eq!(without.expect_err("a failure").kind, Kind::Bug);
}

#[tokio::test]
async fn device_of_another_user_is_deleted_with_a_note_about_its_endpoint() {
    let (token, claim) = (token("secret-token"), claim("jun", "his", "r-his"));
    let now = Timestamp::UNIX_EPOCH;
    let evict = async |rule: &Rule| table(rule).evict(&token, &claim, "n1", now).await.expect("an outcome");
    let expected =
        [format!("put {}: {IS_OF} r-his", token_row("secret-token")), format!("delete jun device#his: {IS_OF} r-his")];
    assert_eq!(evict(&transaction(&expected)).await, RegisterOutcome::Stored);
    for (codes, expected) in [
        (&["ConditionalCheckFailed", "None"][..], RegisterOutcome::Conflict),
        (&["TransactionConflict", "None"][..], RegisterOutcome::Conflict),
        (&["None", "ConditionalCheckFailed"][..], RegisterOutcome::StaleClaim),
    ] {
        assert_eq!(evict(&canceled(codes)).await, expected, "{codes:?}");
    }
}

#[tokio::test]
async fn device_is_deleted_with_its_claim_unless_it_has_registered_again() {
    let expected = [
        format!("delete mina device#phone: {IS_OF} r-phone"),
        format!("delete {}: {IS_ABSENT_OR_OF} r-phone", token_row("secret-token")),
    ];
    assert!(table(&transaction(&expected)).unregister(&device("phone")).await.expect("an outcome"));
    let rejected = canceled(&["ConditionalCheckFailed", "None"]);
    assert!(!table(&rejected).unregister(&device("phone")).await.expect("an outcome"));
}

#[tokio::test]
async fn unclaimed_device_is_deleted_unless_it_was_seen_again() {
    let delete = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let [item] = request.transact_items() else { return false };
            let delete = item.delete().expect("a deletion");
            let values = delete.expression_attribute_values();
            delete.condition_expression()
                == Some(
                    "attribute_not_exists(registration) AND token_hash = :hash AND endpoint_arn = :endpoint \
                     AND last_seen = :seen",
                )
                && value(values, ":hash") == Some(&token("secret-token").hash())
                && value(values, ":endpoint") == Some(&unclaimed("phone").endpoint_arn)
                && value(values, ":seen") == Some("2026-11-22T01:02:03.004Z")
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    assert!(table(&delete).unregister(&unclaimed("phone")).await.expect("an outcome"));
}

#[tokio::test]
async fn claim_of_a_token_is_read_with_its_holder() {
    for (holder, expected) in [(true, Some(("mina".to_owned(), "phone".to_owned()))), (false, None)] {
        let get = mock!(Client::get_item)
            .match_requests(|request| {
                request.consistent_read() == Some(true)
                    && value(request.key(), "user") == Some(&format!("token#{}", token("secret-token").hash()))
                    && value(request.key(), "item") == Some("token")
            })
            .then_output(move || {
                let row = GetItemOutput::builder()
                    .item("user", text("token#h"))
                    .item("item", text("token"))
                    .item("registration", text("r"))
                    .item("endpoint_arn", text("arn"));
                if holder { row.item("holder", text("mina")).item("device", text("phone")) } else { row }.build()
            });
        let claim = table(&get).token_claim(&token("secret-token")).await.expect("a result").expect("a claim");
        assert_eq!(claim, TokenClaim { registration: "r".into(), endpoint_arn: "arn".into(), holder: expected });
    }
    let get = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    assert_eq!(table(&get).token_claim(&token("secret-token")).await.expect("a result"), None);
}

#[tokio::test]
async fn collection_is_noted_unless_the_claim_has_changed() {
    for (claim, condition) in
        [(None, "attribute_not_exists(#item)"), (Some(claim("mina", "phone", "r1")), "registration = :registration")]
    {
        let put = mock!(Client::put_item)
            .match_requests(move |request| {
                request.condition_expression() == Some(condition)
                    && value(request.item(), "registration") == Some("n1")
                    && value(request.item(), "holder").is_none()
                    // A day later.
                    && value(request.item(), "expires_at") == Some("1795392000")
            })
            .sequence()
            .output(|| PutItemOutput::builder().build())
            .error(put_condition_failed)
            .build();
        let table = table(&put);
        for expected in [WriteOutcome::Stored, WriteOutcome::Conflict] {
            let outcome = table.begin_collection(&token("t"), claim.as_ref(), "arn", "n1", testing::now()).await;
            assert_eq!(outcome.expect("an outcome"), expected);
        }
    }
}

#[tokio::test]
async fn cursor_of_the_collection_is_read_as_written() {
    for cursor in [Some("page-2"), None] {
        let put = mock!(Client::put_item)
            .match_requests(move |request| {
                value(request.item(), "user") == Some("collection") && value(request.item(), "next") == cursor
            })
            .then_output(|| PutItemOutput::builder().build());
        table(&put).put_collection_cursor(cursor).await.expect("stored");
        let get = mock!(Client::get_item).then_output(move || {
            let row = cursor.map(|cursor| testing::row([("next", text(cursor))]));
            GetItemOutput::builder().set_item(Some(row.unwrap_or_default())).build()
        });
        assert_eq!(table(&get).collection_cursor().await.expect("a result").as_deref(), cursor);
    }
}

#[tokio::test]
async fn unclaimed_holder_of_a_token_is_found_and_deleted() {
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
            request.condition_expression()
                == Some("attribute_not_exists(registration) AND (token_hash = :hash OR endpoint_arn = :endpoint)")
                && value(request.expression_attribute_values(), ":endpoint") == Some("arn")
        })
        .then_error(delete_condition_failed);
    table(&delete).delete_unclaimed(&token("secret-token"), &holders[0]).await.expect("no error");
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
        ("registration", text("r1")),
    ]))) {
        let device = read::<DeviceRow>(READ, row.clone()).and_then(Device::try_from);
        let holder = read::<HolderRow>(READ, row.clone()).and_then(Holder::try_from);
        let token_row = read::<TokenRow>(READ, row.clone()).err();
        let others = [token_row, read::<PreferencesRow>(READ, row).err()];
        for failure in [device.err(), holder.err()].into_iter().chain(others).flatten() {
            prop_assert!(failure.kind == Kind::Bug && !failure.to_string().contains("secret-token"), "{}", failure);
        }
    }
}
