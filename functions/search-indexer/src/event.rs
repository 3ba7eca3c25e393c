use aws_lambda_events::sqs::SqsEvent;
use serde::{Deserialize, Serialize};

/// What this function is invoked with.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// From an operator: `{"rebuild": {"number": 2}}`, or `{"rebuild": {"number": 2, "mirror": true}}`.
    Order { rebuild: Rebuild },
    /// From the queue.
    Batch(SqsEvent),
}

/// An order to make the index anew, or the rest of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rebuild {
    /// Of the new index: `search-000002` is number 2.
    pub number: u32,
    /// Whether it is the index of the mirror.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mirror: bool,
    /// Whether the alias leads to it already, and what was written in the meantime is caught up with.
    #[serde(default)]
    pub switched: bool,
    /// The vertex after which it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(is_true: &bool) -> bool {
    !is_true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn orders_and_batches_are_told_apart() {
        let event = |json| serde_json::from_value::<Event>(json);
        let Ok(Event::Order { rebuild }) = event(json!({"rebuild": {"number": 2}})) else { panic!("no order") };
        assert_eq!(rebuild, Rebuild { number: 2, mirror: false, switched: false, after: None });
        let next = Rebuild { number: 2, mirror: true, switched: true, after: Some("s1".into()) };
        let Ok(Event::Order { rebuild }) = event(json!({ "rebuild": next })) else { panic!("no order") };
        assert_eq!(rebuild, next);
        let batch = event(json!({"Records": [{"messageId": "m", "body": "x"}]}));
        assert!(matches!(batch, Ok(Event::Batch(batch)) if batch.records.len() == 1));
    }

    proptest! {
        /// An order that is misspelt must not pass for a batch, which would be acknowledged.
        #[test]
        fn a_damaged_order_is_read_or_refused(
            text in malformed_inputs::documents(&[r#"{"rebuild":{"number":2,"switched":true,"after":"s1"}}"#, r#"{"Records":[{"messageId":"m","body":"x"}]}"#]),
        ) {
            if let Ok(Event::Order { rebuild }) = serde_json::from_str(&text) {
                let again = serde_json::to_string(&rebuild).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<Rebuild>(&again).expect("an order"), rebuild);
            }
        }
    }
}
