use std::{
    borrow::Cow,
    fmt::{Arguments, Display},
};

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, Serializer};

use super::{Change, GenerationPosition};
use crate::message::escape_noncharacters;

const SPEC_VERSION: &str = "1.0";

/// Initial buffer size in bytes. Most events are shorter, so the buffer does not grow.
const USUAL_BYTES: usize = 768;

/// Common prefix of all event types.
const EVENT_TYPES: &str = "app.iyagi.graph";

/// Characters to encode in a path segment of a URI (RFC 3986, section 2.3).
const SEGMENT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A change that a consumer received from the event bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedChange {
    /// Event id: `<cluster>/<commitNum>/<opNum>`. The same at every delivery.
    pub id: String,
    /// Cluster whose graph changed.
    pub cluster: String,
    /// The change itself.
    pub change: Change,
}

impl ReceivedChange {
    /// The change's position across fast resets.
    pub fn position(&self) -> GenerationPosition {
        GenerationPosition::of(&self.cluster, self.change.position)
    }
}

/// Why a text is not a graph change. Events that [`Change::to_cloud_event`] wrote cause none of these.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not JSON, or a required field is missing or of another type.
    #[error("not a graph change as a cloud event")]
    Shape(#[from] serde_json::Error),
    /// The version is unknown, or type or id do not match the change.
    #[error("the cloud event's attributes do not match its data")]
    Attributes,
}

impl Change {
    /// `app.iyagi.graph.<vertex|edge>.<added|changed|removed>`.
    pub fn event_type(&self) -> String {
        format!("{EVENT_TYPES}.{}.{}", self.kind.as_str(), self.change_kind.as_str())
    }

    /// The change as a `CloudEvents` 1.0 event in structured JSON (`application/cloudevents+json`),
    /// with the partitioning extension.
    ///
    /// `data` is the change. Its 64-bit numbers are strings; counts and lengths stay below 2^53 and are
    /// numbers. A time outside of the years -9999 to 9999 cannot be written in RFC 3339 and is in
    /// `data` only.
    pub fn to_cloud_event(&self, cluster: &str) -> String {
        let (kind, change_kind, position) = (self.kind.as_str(), self.change_kind.as_str(), self.position);
        // Formatted in place: separate strings would take a third of the time in a backlog.
        let event = Event {
            specversion: SPEC_VERSION,
            id: format_args!("{cluster}/{position}"),
            source: format_args!("/neptune/{}", utf8_percent_encode(cluster, &SEGMENT)),
            event_type: format_args!("{EVENT_TYPES}.{kind}.{change_kind}"),
            subject: format_args!("{kind}/{}", self.entity_id),
            time: Timestamp::from_millisecond(self.commit_timestamp_ms).ok(),
            datacontenttype: "application/json",
            partitionkey: self.group_id(),
            data: Data { change: self, truncated: self.is_truncated() },
        };
        let mut json = Vec::with_capacity(USUAL_BYTES);
        // Neither fails: all map keys are strings, no type's `Serialize` fails, and JSON is UTF-8.
        match serde_json::to_writer(&mut json, &event) {
            Ok(()) => String::from_utf8(json).map(escape_noncharacters).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Parses an event that [`to_cloud_event`](Self::to_cloud_event) wrote.
    pub fn from_cloud_event(json: &str) -> Result<ReceivedChange, ParseError> {
        let event: Incoming<'_> = serde_json::from_str(json)?;
        let change = event.data;
        let cluster = event.id.strip_suffix(&format!("/{}", change.position)).map(str::to_owned);
        match cluster {
            Some(cluster) if event.specversion == SPEC_VERSION && event.event_type == change.event_type() => {
                Ok(ReceivedChange { id: event.id, cluster, change })
            }
            _ => Err(ParseError::Attributes),
        }
    }
}

/// <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>
#[derive(Serialize)]
struct Event<'a> {
    specversion: &'a str,
    #[serde(serialize_with = "text")]
    id: Arguments<'a>,
    #[serde(serialize_with = "text")]
    source: Arguments<'a>,
    #[serde(rename = "type", serialize_with = "text")]
    event_type: Arguments<'a>,
    #[serde(serialize_with = "text")]
    subject: Arguments<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Timestamp>,
    datacontenttype: &'a str,
    partitionkey: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    change: &'a Change,
    truncated: bool,
}

fn text<S: Serializer>(text: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

#[derive(Deserialize)]
struct Incoming<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    id: String,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    data: Change,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::graph::{
        ChangeKind, EdgeEndpoints, EntityKind, Labels, Position, PropertyChange, Value,
        model::{change, change_of},
    };

    #[test]
    fn event_has_the_change_and_its_attributes() {
        let mut change = change_of(EntityKind::Edge, "e1");
        change.position = Position::new(u64::MAX, 3);
        change.change_kind = ChangeKind::Added;
        change.labels = Labels { added: vec!["LIKES".into()], ..Labels::default() };
        change.ends = Some(EdgeEndpoints { from: "미나".into(), to: "v2".into() });
        let at = PropertyChange { before: vec![], after: vec![Value::Long(i64::MAX)] };
        change.properties.insert("at".into(), at);
        let event: serde_json::Value = serde_json::from_str(&change.to_cloud_event("main")).expect("JSON");
        let expected = json!({
            "specversion": "1.0",
            "id": "main/18446744073709551615/3",
            "source": "/neptune/main",
            "type": "app.iyagi.graph.edge.added",
            "subject": "edge/e1",
            "time": "2019-06-08T16:33:30.678Z",
            "datacontenttype": "application/json",
            "partitionkey": "edge/e1",
            "data": {
                "position": "18446744073709551615/3",
                "commitTimestampMs": "1560011610678",
                "kind": "edge",
                "entityId": "e1",
                "what": "added",
                "labels": {"added": ["LIKES"], "removed": [], "kept": []},
                "ends": {"from": "미나", "to": "v2"},
                "properties": {
                    "at": {"before": [], "after": [{"dataType": "Long", "value": "9223372036854775807"}]}
                },
                "propertiesOmitted": 0,
                "truncated": false
            }
        });
        assert_eq!(event, expected);
    }

    #[test]
    fn cluster_name_is_encoded_in_the_source_only() {
        let json = change_of(EntityKind::Vertex, "v1").to_cloud_event("내 graph/1");
        assert!(json.contains(r#""source":"/neptune/%EB%82%B4%20graph%2F1""#), "{json}");
        assert_eq!(Change::from_cloud_event(&json).expect("a change").cluster, "내 graph/1");
    }

    #[test]
    fn event_with_other_attributes_or_shape_is_rejected() {
        let json = change_of(EntityKind::Vertex, "v1").to_cloud_event("main");
        assert!(Change::from_cloud_event(&json).is_ok());
        for (from, to) in [
            (r#""specversion":"1.0""#, r#""specversion":"2.0""#),
            (r#""id":"main/12/1""#, r#""id":"main/12/2""#),
            ("vertex.changed", "vertex.added"),
        ] {
            let other = json.replace(from, to);
            assert_ne!(other, json);
            assert!(matches!(Change::from_cloud_event(&other), Err(ParseError::Attributes)), "{other}");
        }
        for text in ["", "{}", "[]", "한국어", r#"{"specversion":"1.0","id":"a/1/1","type":"t","data":{}}"#] {
            assert!(matches!(Change::from_cloud_event(text), Err(ParseError::Shape(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn event_round_trips(change in change(), cluster: String) {
            let received = Change::from_cloud_event(&change.to_cloud_event(&cluster)).expect("a change");
            prop_assert_eq!(received, ReceivedChange { id: change.id(&cluster), cluster, change });
        }
    }
}
