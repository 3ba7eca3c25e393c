use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::{Map, Value as Json, json};

use super::{Element, element_register::Register};
use crate::graph::{Change, EntityKind, Value};

/// The document of an element in the mirror's index: its whole content at a version.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The `_id`, from [`Document::id_of`].
    pub id: String,
    /// Version of the element. The index accepts a document only with a higher version than its own.
    pub version: u64,
    /// The fields.
    pub source: Json,
}

impl Document {
    /// The document of an element.
    ///
    /// An element is removed when all of its labels are. Its document is then a tombstone that contains only
    /// the id, and is never deleted. The index keeps the version of a deleted document for a minute only,
    /// so a late replay would restore the old content. The alias hides documents without `document_type`.
    pub fn of(element: &Element) -> Self {
        let labels: Vec<_> = element.labels().live().map(|(label, _)| label).collect();
        let mut fields = Map::from_iter([("entity_id".to_owned(), json!(element.id()))]);
        // An element that is older than the stream may have no known label.
        if element.labels().is_empty() || !labels.is_empty() {
            fields.insert("entity_type".to_owned(), json!(labels));
            fields.insert("document_type".to_owned(), json!(element.kind()));
            let predicates = element.properties().iter().map(|(name, values)| (name.clone(), values.live().collect()));
            let predicates = predicates.map(|(name, values)| (name, predicate(values)));
            let predicates: Map<_, _> = predicates.filter(|(_, values)| values != &json!([])).collect();
            if !predicates.is_empty() {
                fields.insert("predicates".to_owned(), Json::Object(predicates));
            }
        }
        let id = id_of(element.kind(), element.id());
        Self { id, version: element.version(), source: Json::Object(fields) }
    }

    /// The `_id` of the document of a change's entity; also the key of its row.
    pub fn id_of(change: &Change) -> String {
        id_of(change.kind, &change.entity_id)
    }
}

/// The MD5 of `v://<id>` or `e://<id>` in 32 hexadecimal digits, as in AWS's own indexer.
fn id_of(kind: EntityKind, id: &str) -> String {
    let scheme = match kind {
        EntityKind::Vertex => "v",
        EntityKind::Edge => "e",
    };
    Md5::digest(format!("{scheme}://{id}")).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Values of a property, sorted by position.
fn predicate(mut values: Vec<(&String, &Register)>) -> Json {
    values.sort_by_key(|(key, register)| (register.position, *key));
    values.into_iter().filter_map(|(_, register)| register.property_value().and_then(object)).collect()
}

/// `{"value": …}`, with the type unless it is a string; `None` if the value was omitted.
fn object(value: &Value) -> Option<Json> {
    let json_value = match value {
        Value::String(text) => return Some(json!({ "value": text })),
        Value::Omitted(_) => return None,
        Value::Date(at) => Timestamp::from_millisecond(*at).map_or(json!(at), |at| json!(format!("{at:.3}"))),
        Value::Bool(is_true) => json!(is_true),
        Value::Byte(number) => json!(number),
        Value::Short(number) => json!(number),
        Value::Int(number) => json!(number),
        Value::Long(number) => json!(number),
        Value::Float(number) => decimal(number.to_string()),
        Value::Double(number) => decimal(number.to_string()),
        Value::Unrecognized { json, .. } => json!(json),
    };
    Some(json!({ "value": json_value, "datatype": value.data_type() }))
}

/// A JSON number with these digits; a string if JSON has no such number.
fn decimal(text: String) -> Json {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{ChangeKind, Labels, PropertyChange},
        push::testing::{edge, received, vertex},
    };

    fn document(changes: &[Change]) -> Json {
        let element = Element::of(&changes[0]).expect("an element");
        let element = changes
            .iter()
            .fold(element, |element, change| element.apply(&received(change.clone())).next.expect("an effect"));
        Document::of(&element).source
    }

    fn added(change: Change, label: &str, properties: &[(&str, &[Value])]) -> Change {
        let labels = Labels { added: vec![label.to_owned()], ..Labels::default() };
        let property = |(name, after): &(&str, &[Value])| {
            ((*name).to_owned(), PropertyChange { before: vec![], after: after.to_vec() })
        };
        Change {
            change_kind: ChangeKind::Added,
            labels,
            properties: properties.iter().map(property).collect(),
            ..change
        }
    }

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    /// Neptune User Guide, "Neptune data model for OpenSearch data", "Sample Gremlin OpenSearch document".
    ///
    /// The indexer of that page omits values that are not strings ("age", "since") and, without giving a
    /// reason, the string "2019-07-03". AWS's default, "non-string indexing", includes them.
    #[test]
    fn documents_are_those_of_the_aws_example() {
        let simone = added(
            vertex(1, "simone", "", None),
            "Person",
            &[("likes", &[text("spaghetti")]), ("age", &[Value::Int(40)])],
        );
        let mut more = vertex(2, "simone", "likes", Some("rice"));
        more.labels = Labels::default();
        let mut found = document(&[simone, more]);
        let age = found["predicates"].as_object_mut().and_then(|predicates| predicates.remove("age"));
        assert_eq!(age, Some(json!([{"value": 40, "datatype": "Int"}])));
        let expected = json!({
            "entity_id": "simone", "entity_type": ["Person"], "document_type": "vertex",
            "predicates": {"likes": [{"value": "spaghetti"}, {"value": "rice"}]}
        });
        assert_eq!(found, expected);

        let michael = document(&[added(vertex(1, "michael", "", None), "Person", &[])]);
        let expected = json!({"entity_id": "michael", "entity_type": ["Person"], "document_type": "vertex"});
        assert_eq!(michael, expected);

        let knows = edge(ChangeKind::Added, 1, "e1", "knows", "simone", "michael");
        let found = document(&[added(
            knows,
            "knows",
            &[("updated", &[text("2019-07-03")]), ("through", &[text("company")]), ("since", &[Value::Int(10)])],
        )]);
        let expected = json!({
            "entity_id": "e1", "entity_type": ["knows"], "document_type": "edge",
            "predicates": {
                "updated": [{"value": "2019-07-03"}], "through": [{"value": "company"}],
                "since": [{"value": 10, "datatype": "Int"}]
            }
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn ids_are_hashed_as_in_aws_indexer() {
        // `printf v://simone | md5sum`
        assert_eq!(Document::id_of(&vertex(1, "simone", "", None)), "ec08b16c4c0f60880c3e5bd91232eb04");
        assert_eq!(
            Document::id_of(&edge(ChangeKind::Added, 1, "simone", "", "", "")),
            "9934bc68b772b69e1f02755b73ccd9bb",
            "printf e://simone | md5sum"
        );
    }

    #[test]
    fn every_type_but_string_is_named() {
        let long = i64::MAX;
        let values = [
            (Value::Date(1_560_011_610_678), json!({"value": "2019-06-08T16:33:30.678Z", "datatype": "Date"})),
            (Value::Date(i64::MAX), json!({"value": i64::MAX, "datatype": "Date"})),
            (Value::Bool(true), json!({"value": true, "datatype": "Bool"})),
            (Value::Byte(1), json!({"value": 1, "datatype": "Byte"})),
            (Value::Short(2), json!({"value": 2, "datatype": "Short"})),
            (Value::Long(long), json!({"value": long, "datatype": "Long"})),
            (Value::Float(0.1), json!({"value": 0.1, "datatype": "Float"})),
            (Value::Double(f64::NAN), json!({"value": "NaN", "datatype": "Double"})),
            (
                Value::Unrecognized { data_type: "Point".into(), json: "[1, 2]".into() },
                json!({"value": "[1, 2]", "datatype": "Point"}),
            ),
        ];
        for (value, expected) in values {
            assert_eq!(object(&value), Some(expected));
        }
    }

    #[test]
    fn removed_element_is_a_tombstone_document() {
        let present = added(vertex(1, "s1", "", None), "story", &[("title", &[text("첫눈")])]);
        let mut removed = vertex(2, "s1", "title", None);
        removed.properties.values_mut().for_each(|title| title.before = vec![text("첫눈")]);
        removed.labels.removed = vec!["story".to_owned()];
        removed.change_kind = ChangeKind::Removed;
        assert_eq!(document(&[present.clone(), removed.clone()]), json!({"entity_id": "s1"}));
        // Also if the removed properties did not fit in the message.
        removed.properties.clear();
        assert_eq!(document(&[present, removed]), json!({"entity_id": "s1"}));
        // An element from before the stream has no known label.
        let older = document(&[vertex(2, "s2", "title", Some("첫눈"))]);
        let expected = json!({
            "entity_id": "s2", "entity_type": [], "document_type": "vertex", "predicates": {"title": [{"value": "첫눈"}]}
        });
        assert_eq!(older, expected);
    }
}
