//! The table `search`: what `search-indexer`, its only writer, knows of what can be found. The
//! index is made from it, and can be made anew from it.
//!
//! ```text
//! id   the vertex's id
//! version   how often the row was written
//! r:<register>   a text that begins with its stamp
//! ```
//! Rows stay, also those in which nothing holds any more: a version that began again would lose
//! against the tombstone in the index.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::{Client, error::SdkError, types::AttributeValue};
use domain::search::Entry;
use function_kit::failure::Failure;

use crate::batch_get::{Attributes, batch_get};

/// Registers are kept beside key and version: the prefix tells them apart.
const REGISTER: &str = "r:";

/// The table.
#[derive(Debug, Clone)]
pub struct SearchTable {
    client: Client,
    name: String,
}

/// What became of an entry that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there.
    Stored,
    /// Somebody else has written this version: read it again.
    Overtaken,
}

/// Some of the table.
#[derive(Debug, Default)]
pub struct Page {
    /// Vertices and what is known of them, in no order that means anything.
    pub entries: Vec<(String, Entry)>,
    /// After which vertex the next page starts, if there is one.
    pub next: Option<String>,
}

impl SearchTable {
    /// The table `name`, reached by `client`.
    pub fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    /// What is known of each of `vertices`, as far as anything is; strongly consistent.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`put`](Self::put) writes it.
    pub async fn get(&self, vertices: impl IntoIterator<Item = &str>) -> Result<HashMap<String, Entry>, Failure> {
        // DynamoDB refuses a key that stands twice.
        let keys: BTreeMap<_, _> = vertices.into_iter().map(|vertex| (vertex, key(vertex))).collect();
        let rows =
            batch_get(&self.client, &self.name, keys.into_values().collect(), "look up what can be found").await?;
        rows.iter().map(entry).collect()
    }

    /// Stores an entry that was made from the version before its own.
    ///
    /// # Errors
    /// If DynamoDB fails.
    pub async fn put(&self, vertex: &str, entry: &Entry) -> Result<Put, Failure> {
        let before = entry.version().saturating_sub(1);
        let registers = entry.all_registers().iter();
        let registers = registers
            .map(|(name, register)| (format!("{REGISTER}{name}"), AttributeValue::S(register.to_string())))
            .collect();
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(registers))
            .item("id", AttributeValue::S(vertex.to_owned()))
            .item("version", AttributeValue::N(entry.version().to_string()));
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(id)")
        } else {
            put.condition_expression("version = :before")
                .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
        };
        match put.send().await {
            Ok(_) => Ok(Put::Stored),
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                Ok(Put::Overtaken)
            }
            Err(error) => Err(Failure::aws("store what can be found", error)),
        }
    }

    /// Up to `limit` entries, from just after the vertex `after`, in an order that stays.
    ///
    /// # Errors
    /// If DynamoDB fails, or a row is not as [`put`](Self::put) writes it.
    pub async fn page(&self, after: Option<&str>, limit: i32) -> Result<Page, Failure> {
        let scan = self.client.scan().table_name(&self.name).consistent_read(true).limit(limit);
        let answer = scan.set_exclusive_start_key(after.map(key)).send().await;
        let answer = answer.map_err(|error| Failure::aws("page through what can be found", error))?;
        let entries = answer.items.unwrap_or_default().iter().map(entry).collect::<Result<_, _>>()?;
        let next = answer.last_evaluated_key.map(|key| id(&key)).transpose()?;
        Ok(Page { entries, next })
    }
}

fn key(vertex: &str) -> Attributes {
    HashMap::from([("id".to_owned(), AttributeValue::S(vertex.to_owned()))])
}

fn id(row: &Attributes) -> Result<String, Failure> {
    let id = row.get("id").and_then(|value| value.as_s().ok()).cloned();
    id.ok_or_else(|| broken("a row without an id"))
}

fn entry(row: &Attributes) -> Result<(String, Entry), Failure> {
    let version = row.get("version").and_then(|value| value.as_n().ok()?.parse().ok());
    let version = version.ok_or_else(|| broken("a row without a version"))?;
    let named = row.iter().filter_map(|(name, value)| Some((name.strip_prefix(REGISTER)?, value)));
    let registers = named.map(|(name, value)| {
        let register = value.as_s().ok().and_then(|text| text.parse().ok());
        Ok((name.to_owned(), register.ok_or_else(|| broken("an attribute that is no register"))?))
    });
    Ok((id(row)?, Entry::stored(version, registers.collect::<Result<_, Failure>>()?)))
}

fn broken(how: &'static str) -> Failure {
    Failure::bug("read a row of what can be found", how)
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::{
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
        search::{Fact, Register, Stamp},
    };
    use proptest::prelude::*;

    use super::*;

    fn table(rules: &[&Rule]) -> SearchTable {
        SearchTable::new(mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules), "search".to_owned())
    }

    fn title(commit_num: u64, title: &str) -> Fact {
        let stamp = Stamp { generation: 0, position: Position::new(commit_num, 1) };
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
        assert_eq!(table.put("s1", &entry).await.expect("an answer"), Put::Stored);
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
        assert_eq!(put.expect("an answer"), Put::Overtaken);
    }

    #[tokio::test]
    async fn a_page_says_where_the_next_one_starts() {
        let scan = mock!(Client::scan)
            .match_requests(|request| request.exclusive_start_key() == Some(&key("s0")) && request.limit() == Some(1))
            .then_output(|| ScanOutput::builder().items(row()).set_last_evaluated_key(Some(key("s1"))).build());
        let page = table(&[&scan]).page(Some("s0"), 1).await.expect("a page");
        assert_eq!((page.entries.len(), page.next.as_deref()), (1, Some("s1")));
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
            if let Err(failure) = entry(&row) {
                prop_assert_eq!(failure.kind, function_kit::failure::Kind::Bug);
            }
        }
    }
}
