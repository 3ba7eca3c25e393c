use aws_sdk_dynamodb::{Client, operation::transact_write_items::TransactWriteItemsOutput, types::AttributeValue};
use aws_smithy_mocks::mock;
use store::{
    devices::{Device, DeviceTable, RegisterOutcome},
    media::{MediaTable, Projection},
};

use super::{client, gets, puts, queries, row, text};

#[tokio::test]
async fn media_row_of_previous_version_is_read_and_written_unchanged() {
    for name in ["processing", "ready_picture", "ready_sound", "failed", "deleted"] {
        let stored = row(&format!("media/{name}"));
        let put = puts(&stored);
        let table = MediaTable::new(client(&[&gets(&stored), &put]), "media".to_owned());
        let id = text(&stored, "id").parse().expect("an id");
        let item = table.get(id, Projection::Full).await.expect("a result").expect("an item");
        table.put(item).await.expect("the same row");
        assert_eq!(put.num_calls(), 1, "{name}");
    }
}

#[tokio::test]
async fn device_row_of_previous_version_is_read_and_replaced() {
    for name in ["device", "device_without_language"] {
        let stored = row(&format!("devices/{name}"));
        let table = DeviceTable::new(client(&[&gets(&stored)]), "devices".to_owned());
        let id = text(&stored, "item").strip_prefix("device#").expect("a device");
        let device = table.get(text(&stored, "user"), id).await.expect("a result").expect("a device");
        assert_eq!(device.registration, None);
        let query = queries(&stored);
        let table = DeviceTable::new(client(&[&query]), "devices".to_owned());
        assert_eq!(
            table.delivery_targets(&["mina"]).await.remove(0).expect("a result").devices,
            std::slice::from_ref(&device)
        );
        assert_eq!(table.holders(&"token-1".to_owned().try_into().expect("a token")).await.expect("holders").len(), 1);
        // Its next registration writes the same row, and its id.
        let mut replaced = stored.clone();
        replaced.insert("registration".to_owned(), AttributeValue::S("r1".to_owned()));
        let transaction = mock!(Client::transact_write_items)
            .match_requests(move |request| request.transact_items()[0].put().is_some_and(|put| *put.item() == replaced))
            .then_output(|| TransactWriteItemsOutput::builder().build());
        let table = DeviceTable::new(client(&[&transaction]), "devices".to_owned());
        let again = Device { registration: Some("r1".to_owned()), ..device.clone() };
        let outcome = table.register(&again, Some(&device), None, false).await.expect("an outcome");
        assert_eq!(outcome, RegisterOutcome::Stored);
    }
}

#[tokio::test]
async fn preferences_row_of_previous_version_is_read_and_written_unchanged() {
    let stored = row("devices/preferences");
    let put = puts(&stored);
    let table = DeviceTable::new(client(&[&gets(&stored), &put]), "devices".to_owned());
    let preferences = table.preferences("mina").await.expect("preferences");
    table.put_preferences("mina", &preferences).await.expect("the same row");
    assert_eq!(put.num_calls(), 1);
}
