//! The table `search`: one row per searchable vertex. The index is made from it and can be rebuilt from it. Its only
//! writer is `search-indexer`.
//!
//! ```text
//! id             the vertex's id
//! version        how often the row was written
//! r:<register>   a register: text that begins with its position
//! ```

use domain::search::{Entry, register_text};

use crate::{
    attribute::{Attributes, text},
    register_attributes,
    versioned::{Row, VersionedTable},
};

/// The table.
pub type SearchTable = VersionedTable<Entry>;

impl Row for Entry {
    fn version(&self) -> u64 {
        self.version()
    }

    fn attributes(&self) -> Attributes {
        let registers = self.all_registers().iter();
        registers
            .map(|(name, register)| (register_attributes::attribute_name(name), text(register_text(register))))
            .collect()
    }

    fn read(version: u64, attributes: &Attributes) -> Result<Self, &'static str> {
        Ok(Self::from_stored(version, register_attributes::read(attributes)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use aws_sdk_dynamodb::{
        Client,
        operation::{batch_get_item::BatchGetItemOutput, put_item::PutItemOutput, scan::ScanOutput},
    };
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{
        graph::{GenerationPosition, Position},
        search::{Fact, Register},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::{
        attribute::number,
        testing::{self, malformed, put_condition_failed, value},
        versioned::{WriteOutcome, key},
    };

    fn table(rules: &[&Rule]) -> SearchTable {
        SearchTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "search".to_owned())
    }

    fn title(commit_num: u64, title: &str) -> Fact {
        let position = GenerationPosition { generation: 0, position: Position::new(commit_num, 1) };
        let register = Register { position, value: Some(title.to_owned()) };
        Fact { vertex: "s1".into(), name: "title".into(), register }
    }

    fn row() -> Attributes {
        let title = "0000000000.00000000000000000007.00000000000000000001+첫눈";
        testing::row([("id", text("s1")), ("version", number(1)), ("r:title", text(title))])
    }

    #[tokio::test]
    async fn entry_is_read_as_written() {
        let entry = Entry::default().apply_all([title(7, "첫눈")]).expect("a new version");
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                request.item() == Some(&row()) && request.condition_expression() == Some("attribute_not_exists(id)")
            })
            .then_output(|| PutItemOutput::builder().build());
        let get = mock!(Client::batch_get_item)
            .match_requests(|request| {
                let requested = request.request_items().and_then(|items| items.get("search"));
                requested.is_some_and(|keys| keys.consistent_read() == Some(true) && keys.keys().len() == 1)
            })
            .then_output(|| BatchGetItemOutput::builder().responses("search", vec![row()]).build());
        let table = table(&[&put, &get]);
        assert_eq!(table.put("s1", &entry).await.expect("an outcome"), WriteOutcome::Stored);
        let found = table.get(["s1", "s1"]).await.expect("rows");
        assert_eq!(found, HashMap::from([("s1".to_owned(), entry)]));
    }

    #[tokio::test]
    async fn row_of_another_version_is_a_conflict() {
        let put = mock!(Client::put_item)
            .match_requests(|request| {
                request.condition_expression() == Some("version = :before")
                    && value(request.expression_attribute_values(), ":before") == Some("1")
            })
            .then_error(put_condition_failed);
        let entry =
            Entry::default().apply_all([title(7, "첫눈")]).and_then(|entry| entry.apply_all([title(8, "함박눈")]));
        let outcome = table(&[&put]).put("s1", &entry.expect("a new version")).await;
        assert_eq!(outcome.expect("an outcome"), WriteOutcome::Conflict);
    }

    #[tokio::test]
    async fn page_names_the_start_of_the_next() {
        let scan = mock!(Client::scan)
            .match_requests(|request| request.exclusive_start_key() == Some(&key("s0")) && request.limit() == Some(1))
            .then_output(|| ScanOutput::builder().items(row()).set_last_evaluated_key(Some(key("s1"))).build());
        let page = table(&[&scan]).page(Some("s0"), 1).await.expect("a page");
        assert_eq!((page.rows.len(), page.next.as_deref()), (1, Some("s1")));
    }

    #[tokio::test]
    async fn row_with_an_invalid_register_is_a_bug() {
        let scan = mock!(Client::scan).then_output(|| {
            let mut row = row();
            row.insert("r:title".to_owned(), text("첫눈"));
            ScanOutput::builder().items(row).build()
        });
        let failure = table(&[&scan]).page(None, 1).await.expect_err("a failure");
        assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
    }

    proptest! {
        #[test]
        fn malformed_row_is_read_or_a_bug(row in malformed(testing::row([
            ("id", text("s1")),
            ("version", number(7)),
            ("r:title", text("0000000000.00000000000000000007.00000000000000000001+서울")),
        ]))) {
            if let Err(failure) = crate::versioned::row::<Entry>(&row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
