use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use serde::{Deserialize, Serialize};

/// Input of an invocation.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Wire")]
pub enum Event {
    /// From an operator: `{"rebuild": {"number": 2}}`, or `{"rebuild": {"number": 2, "mirror": true}}`.
    Command { rebuild: Rebuild },
    /// From the queue.
    Batch(SqsEvent),
}

/// Either input, by its field. An untagged enum would hide the place of an error.
#[derive(Deserialize)]
struct Wire {
    rebuild: Option<Rebuild>,
    #[serde(rename = "Records")]
    records: Option<Vec<SqsMessage>>,
}

impl TryFrom<Wire> for Event {
    type Error = &'static str;

    fn try_from(Wire { rebuild, records }: Wire) -> Result<Self, &'static str> {
        if let Some(rebuild) = rebuild {
            return Ok(Self::Command { rebuild });
        }
        let mut batch = SqsEvent::default();
        batch.records = records.ok_or("neither a command nor a batch")?;
        Ok(Self::Batch(batch))
    }
}

/// Command to rebuild an index, or to continue a rebuild.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rebuild {
    /// Number of the new index: `search-000002` is number 2.
    pub number: u32,
    /// Whether the index is the mirror's.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mirror: bool,
    /// Whether the alias points to the new index already, so that this is the second pass over the table.
    #[serde(default)]
    pub switched: bool,
    /// Id of the last row of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(is_true: &bool) -> bool {
    !is_true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn commands_and_batches_are_distinguished() {
        let event = |json| serde_json::from_value::<Event>(json);
        let Ok(Event::Command { rebuild }) = event(json!({"rebuild": {"number": 2}})) else { panic!("no command") };
        assert_eq!(rebuild, Rebuild { number: 2, mirror: false, switched: false, after: None });
        let next = Rebuild { number: 2, mirror: true, switched: true, after: Some("s1".into()) };
        let Ok(Event::Command { rebuild }) = event(json!({ "rebuild": next })) else { panic!("no command") };
        assert_eq!(rebuild, next);
        let batch = event(json!({"Records": [{"messageId": "m", "body": "x"}]}));
        assert!(matches!(batch, Ok(Event::Batch(batch)) if batch.records.len() == 1));
    }

    #[test]
    fn error_names_its_place() {
        let error = serde_json::from_str::<Event>(r#"{"rebuild":{"number":"two"}}"#).expect_err("no number");
        assert_eq!((error.line(), error.column()), (1, 26));
        assert!(serde_json::from_str::<Event>("{}").is_err());
    }

    proptest! {
        /// A malformed command must not be parsed as an empty batch, which would succeed.
        #[test]
        fn malformed_command_is_parsed_or_rejected(
            text in malformed_inputs::documents(&[r#"{"rebuild":{"number":2,"switched":true,"after":"s1"}}"#, r#"{"Records":[{"messageId":"m","body":"x"}]}"#]),
        ) {
            if let Ok(Event::Command { rebuild }) = serde_json::from_str(&text) {
                let json = serde_json::to_string(&rebuild).expect("JSON");
                prop_assert_eq!(serde_json::from_str::<Rebuild>(&json).expect("a command"), rebuild);
            }
        }
    }
}
