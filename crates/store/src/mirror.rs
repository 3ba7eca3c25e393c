//! The table `mirror`: what `search-indexer`, its only writer, knows of every vertex and edge, if
//! Neptune's own full-text queries are to work. Their index is made from it, and can be made anew.
//!
//! ```text
//! id        of its document
//! version   how often the row was written
//! element   what is known, as JSON of at most 300,000 bytes
//! ```

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::neptune_fts::Element;

use crate::{
    batch_get::Attributes,
    versioned::{Row, VersionedTable},
};

/// The table.
pub type MirrorTable = VersionedTable<Element>;

const ELEMENT: &str = "element";

impl Row for Element {
    fn version(&self) -> u64 {
        self.version()
    }

    fn attributes(&self) -> Attributes {
        HashMap::from([(ELEMENT.to_owned(), AttributeValue::S(self.json()))])
    }

    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str> {
        let json = attributes.get(ELEMENT).and_then(|value| value.as_s().ok());
        json.and_then(|json| Self::stored(version, json).ok()).ok_or("an attribute that is no element")
    }
}

#[cfg(test)]
mod tests {
    use domain::graph::Change;
    use proptest::prelude::*;

    use super::*;

    const EVENT: &str = r#"{"specversion": "1.0", "id": "main/7/1", "type": "app.iyagi.graph.vertex.added", "data": {
            "position": "7/1", "commitTimestampMs": "1795305600000", "kind": "vertex", "entityId": "s1", "what": "added",
            "labels": {"added": ["story"], "removed": [], "kept": []}, "propertiesOmitted": 0,
            "properties": {"title": {"before": [], "after": [{"dataType": "String", "value": "첫눈"}]}}}}"#;

    fn element() -> Element {
        let received = Change::from_cloud_event(EVENT).expect("a change");
        Element::of(&received.change).and_then(|element| element.with(&received).next).expect("news")
    }

    #[test]
    fn an_element_survives_its_row() {
        let element = element();
        let row = element.attributes();
        assert_eq!(Row::read(1, &row), Ok(element));
        let broken = HashMap::from([(ELEMENT.to_owned(), AttributeValue::S("{}".into()))]);
        assert!(<Element as Row>::read(1, &broken).is_err());
        assert!(<Element as Row>::read(1, &HashMap::new()).is_err());
    }

    proptest! {
        #[test]
        fn a_damaged_element_is_read_or_a_bug(json in malformed_inputs::bytes(&[&element().json()])) {
            let row = HashMap::from([
                ("id".to_owned(), AttributeValue::S("v1".to_owned())),
                ("version".to_owned(), AttributeValue::N("1".to_owned())),
                (ELEMENT.to_owned(), AttributeValue::S(String::from_utf8_lossy(&json).into_owned())),
            ]);
            if let Err(failure) = crate::versioned::row::<Element>(&row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
