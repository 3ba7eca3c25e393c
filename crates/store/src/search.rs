//! The table `search`: what `search-indexer`, its only writer, knows of what can be found. The
//! index is made from it, and can be made anew from it.
//!
//! ```text
//! id        the vertex's id
//! version   how often the row was written
//! r:<register>   a text that begins with its stamp
//! ```

use aws_sdk_dynamodb::types::AttributeValue;
use domain::search::Entry;

use crate::{
    batch_get::Attributes,
    versioned::{Row, VersionedTable},
};

/// The table.
pub type SearchTable = VersionedTable<Entry>;

/// Registers are kept beside key and version: the prefix tells them apart.
const REGISTER: &str = "r:";

impl Row for Entry {
    fn version(&self) -> u64 {
        self.version()
    }

    fn attributes(&self) -> Attributes {
        let registers = self.all_registers().iter();
        registers
            .map(|(name, register)| (format!("{REGISTER}{name}"), AttributeValue::S(register.to_string())))
            .collect()
    }

    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str> {
        let named = attributes.iter().filter_map(|(name, value)| Some((name.strip_prefix(REGISTER)?, value)));
        let registers = named.map(|(name, value)| {
            let register = value.as_s().ok().and_then(|text| text.parse().ok());
            Ok((name.to_owned(), register.ok_or("an attribute that is no register")?))
        });
        Ok(Self::stored(version, registers.collect::<Result<_, &'static str>>()?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::{
        Client,
        operation::{
            batch_get_item::BatchGetItemOutput,
            put_item::{PutItemError, PutItemOutput},
            scan::ScanOutput,
        },
        types::error::ConditionalCheckFailedException,
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{
        graph::Position,
        search::{Fact, GenerationPosition, Register},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::versioned::{WriteOutcome, key};

    fn table(rules: &[&Rule]) -> SearchTable {
        SearchTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "search".to_owned())
    }

    fn title(commit_num: u64, title: &str) -> Fact {
        let stamp = GenerationPosition { generation: 0, position: Position::new(commit_num, 1) };
        let register = Register { stamp, value: Some(title.to_owned()) };
        Fact { vertex: "s1".into(), name: "title".into(), register }
    }

    fn row() -> Attributes {
        let register = "0000000000.00000000000000000007.00000000000000000001+첫눈";
        let attributes = [
            ("id", AttributeValue::S("s1".into())),
            ("version", AttributeValue::N("1".into())),
            ("r:title", AttributeValue::S(register.into())),
        ];
        attributes.map(|(name, value)| (name.to_owned(), value)).into()
    }

    #[tokio::test]
    async fn an_entry_survives_its_row() {
        let entry = Entry::default().with([title(7, "첫눈")]).expect("news");
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                request.item() == Some(&row()) && request.condition_expression() == Some("attribute_not_exists(id)")
            })
            .then_output(|| PutItemOutput::builder().build());
        let get = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let asked = request.request_items().and_then(|items| items.get("search"));
                asked.is_some_and(|asked| asked.consistent_read() == Some(true) && asked.keys().len() == 1)
            })
            .then_output(|| BatchGetItemOutput::builder().responses("search", vec![row()]).build());
        let table = table(&[&put, &get]);
        assert_eq!(table.put("s1", &entry).await.expect("an answer"), WriteOutcome::Stored);
        let found = table.get(["s1", "s1"]).await.expect("rows");
        assert_eq!(found, HashMap::from([("s1".to_owned(), entry)]));
    }

    #[tokio::test]
    async fn only_the_next_version_is_stored() {
        let refused = mock!(Client::put_item)
            .match_requests(|request| {
                let before = request.expression_attribute_values().and_then(|values| values.get(":before"));
                request.condition_expression() == Some("version = :before")
                    && before == Some(&AttributeValue::N("1".into()))
            })
            .then_error(|| {
                let error = ConditionalCheckFailedException::builder().build();
                PutItemError::ConditionalCheckFailedException(error)
            });
        let entry = Entry::default().with([title(7, "첫눈")]).and_then(|entry| entry.with([title(8, "함박눈")]));
        let put = table(&[&refused]).put("s1", &entry.expect("news")).await;
        assert_eq!(put.expect("an answer"), WriteOutcome::Overtaken);
    }

    #[tokio::test]
    async fn a_page_says_where_the_next_one_starts() {
        let scan = mock!(Client::scan)
            .match_requests(|request| request.exclusive_start_key() == Some(&key("s0")) && request.limit() == Some(1))
            .then_output(|| ScanOutput::builder().items(row()).set_last_evaluated_key(Some(key("s1"))).build());
        let page = table(&[&scan]).page(Some("s0"), 1).await.expect("a page");
        assert_eq!((page.rows.len(), page.next.as_deref()), (1, Some("s1")));
    }

    #[tokio::test]
    async fn a_row_that_nobody_wrote_is_a_bug() {
        let broken = mock!(Client::scan).then_output(|| {
            let mut row = row();
            row.insert("r:title".to_owned(), AttributeValue::S("첫눈".into()));
            ScanOutput::builder().items(row).build()
        });
        let failure = table(&[&broken]).page(None, 1).await.expect_err("a failure");
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }

    proptest! {
        #[test]
        fn a_damaged_row_is_read_or_a_bug(row in crate::testing::damaged(HashMap::from([
            ("id".to_owned(), AttributeValue::S("s1".to_owned())),
            ("version".to_owned(), AttributeValue::N("7".to_owned())),
            (
                format!("{REGISTER}title"),
                AttributeValue::S("0000000000.00000000000000000007.00000000000000000001+서울".to_owned()),
            ),
        ]))) {
            if let Err(failure) = crate::versioned::row::<Entry>(&row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
