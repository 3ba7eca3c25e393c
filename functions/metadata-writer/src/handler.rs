use domain::media::{MediaItem, Message, ObjectChange, ObjectEvent, Original, UnknownKey};
use function_kit::failure::Failure;
use store::media::{MediaTable, Put};
use tracing::{info, warn};

/// Folds one message into the table; a message that comes again, or late, changes nothing.
pub async fn handle(table: &MediaTable, body: &str) -> Result<(), Failure> {
    for item in news(body)? {
        let (id, position) = (item.id, item.position.to_string());
        let outcome = match table.put(item).await? {
            Put::Stored => "stored",
            Put::Superseded => "superseded",
        };
        info!(media_id = %id, position, outcome, "media item");
    }
    Ok(())
}

/// The states of items that a message tells of.
fn news(body: &str) -> Result<Vec<MediaItem>, Failure> {
    let message = Message::parse(body).map_err(|error| Failure::bug("read the message", error))?;
    let events = match message {
        Message::Report(report) => return Ok(vec![MediaItem::reported(*report)]),
        Message::Notification(notification) => notification.events,
    };
    let owned = events.iter().filter_map(|event| {
        // Somebody with access to the bucket put it there by hand: not media, and nobody's.
        item(event).inspect_err(|error| warn!(sequencer = %event.sequencer, %error, "left out")).ok()
    });
    Ok(owned.collect())
}

fn item(event: &ObjectEvent) -> Result<MediaItem, UnknownKey> {
    match event.change {
        ObjectChange::Created { size, .. } => Original::of(event, size).map(MediaItem::landed),
        ObjectChange::Removed => MediaItem::deleted(event),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
        Client,
        operation::put_item::{PutItemError, PutItemOutput},
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;

    fn table(rule: &Rule) -> MediaTable {
        MediaTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]), "media".to_owned())
    }

    fn notification(keys: &[&str]) -> String {
        let records: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "eventName": "ObjectCreated:Put", "eventTime": "2026-11-22T00:00:00.000Z",
                    "s3": {"object": {"key": key, "size": 1, "eTag": "e", "sequencer": "0A"}}
                })
            })
            .collect();
        json!({ "Records": records }).to_string()
    }

    #[tokio::test]
    async fn writes_only_what_is_further_on() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                let values = request.expression_attribute_values();
                request.condition_expression() == Some("attribute_not_exists(id) OR #position < :position")
                    && values.and_then(|values| values.get(":position")).and_then(|value| value.as_s().ok())
                        == Some(&"0A000000000000000000000000000000.0".to_owned())
            })
            .then_output(|| PutItemOutput::builder().build());
        handle(&table(&put), &notification(&["photo/mina/a.jpg"])).await.expect("stored");
        assert_eq!(put.num_calls(), 1);
    }

    #[tokio::test]
    async fn old_news_is_no_failure() {
        let put = mock!(Client::put_item).then_error(|| {
            PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
        handle(&table(&put), &notification(&["photo/mina/a.jpg"])).await.expect("superseded");
    }

    #[tokio::test]
    async fn what_nobody_owns_is_left_out_and_the_rest_is_stored() {
        let put = mock!(Client::put_item).then_output(|| PutItemOutput::builder().build());
        handle(&table(&put), &notification(&["photo/x.jpg", "photo/mina/a.jpg"])).await.expect("stored");
        assert_eq!(put.num_calls(), 1);
    }

    #[test]
    fn a_message_of_no_known_kind_is_a_bug() {
        let failure = news("not JSON").expect_err("a failure");
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }
}
