//! The table `mirror`: every vertex and edge, for Neptune's own full-text queries; optional. The index is made from it and
//! can be rebuilt from it. Its only writer is `search-indexer`.
//!
//! ```text
//! id        the document's id
//! version   how often the row was written
//! element   the vertex or edge as JSON, at most 300,000 bytes
//! ```

use domain::neptune_fts::Element;

use crate::{
    attribute::{Attributes, get_text, text},
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
        Attributes::from([(ELEMENT.to_owned(), text(self.to_json()))])
    }

    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str> {
        let element = get_text(attributes, ELEMENT).and_then(|json| Self::from_stored(version, json).ok());
        element.ok_or("the attribute element is not an element")
    }
}

#[cfg(test)]
mod tests {
    use domain::graph::Change;
    use proptest::prelude::*;

    use super::*;
    use crate::{attribute::number, testing::row};

    const EVENT: &str = r#"{"specversion": "1.0", "id": "main/7/1", "type": "app.iyagi.graph.vertex.added", "data": {
            "position": "7/1", "commitTimestampMs": "1795305600000", "kind": "vertex", "entityId": "s1", "what": "added",
            "labels": {"added": ["story"], "removed": [], "kept": []}, "propertiesOmitted": 0,
            "properties": {"title": {"before": [], "after": [{"dataType": "String", "value": "첫눈"}]}}}}"#;

    fn element() -> Element {
        let received = Change::from_cloud_event(EVENT).expect("a change");
        Element::of(&received.change).and_then(|element| element.apply(&received).next).expect("a new version")
    }

    #[test]
    fn element_is_read_as_written() {
        let element = element();
        let attributes = element.attributes();
        assert_eq!(Row::read(1, &attributes), Ok(element));
        assert!(<Element as Row>::read(1, &row([(ELEMENT, text("{}"))])).is_err());
        assert!(<Element as Row>::read(1, &Attributes::new()).is_err());
    }

    proptest! {
        #[test]
        fn malformed_element_is_read_or_a_bug(json in malformed_inputs::bytes(&[&element().to_json()])) {
            let json = String::from_utf8_lossy(&json);
            let row = row([("id", text("v1")), ("version", number(1)), (ELEMENT, text(json))]);
            if let Err(failure) = crate::versioned::row::<Element>(&row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
