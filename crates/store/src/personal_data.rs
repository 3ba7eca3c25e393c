//! Rows about a person in any table, as JSON, for the person's copy.
//!
//! Which rows those are is data: see [`PersonalRows`]. Reads are not strongly consistent, and no row is interpreted beyond
//! its attributes.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use base64::{Engine, prelude::BASE64_STANDARD};
use function_kit::failure::Failure;
use serde_json::{Map, Value};

use crate::attribute::{Attributes, get_text, text};

const DOING: &str = "read rows about a person";
/// Rows of a scanned page. DynamoDB ends a page after 1 MB.
const ROWS_PER_PAGE: i32 = 2_000;
/// Prefix of attributes that hold a register: a position, a sign and a value.
const REGISTER: &str = "r:";
/// Registers of blocks and mutes. They hold the person who blocks.
const RELATIONS: [&str; 2] = ["r:blocks#", "r:mutes#"];

/// The key of a row, all of whose attributes are texts.
pub type PageKey = BTreeMap<String, String>;

/// Rows of one table about a person.
#[derive(Debug, Clone, Copy)]
pub struct PersonalRows {
    /// How they are found.
    pub find: Find,
    /// Attributes that are left out: secrets, and what only names other attributes.
    pub without: &'static [&'static str],
}

/// How rows about a person are found.
#[derive(Debug, Clone, Copy)]
pub enum Find {
    /// By a key of the table or of an index.
    Key {
        /// The index; `None`: the table.
        index: Option<&'static str>,
        /// The partition key.
        attribute: &'static str,
        /// What precedes the person's id in it.
        prefix: &'static str,
    },
    /// Among all rows, because no index has the person. A copy is made rarely, and rows are written all the time.
    Scan {
        /// A filter with the person as `:person`, so that fewer rows are sent; empty: none.
        filter: &'static str,
        /// Whether a row is about the person.
        is_about: fn(row: &Row<'_>, person: &str) -> bool,
    },
}

/// A row that may be about a person.
#[derive(Debug)]
pub struct Row<'a>(&'a Attributes);

/// A page of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PersonalPage {
    /// The rows.
    pub rows: Vec<Value>,
    /// The row after which the next page starts, if there is one.
    pub next: Option<PageKey>,
}

impl Row<'_> {
    /// The text in an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        get_text(self.0, name)
    }

    /// Values of the registers whose names begin with `prefix`.
    pub fn registers<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let registers = self
            .0
            .iter()
            .filter(move |(name, _)| name.strip_prefix(REGISTER).is_some_and(|name| name.starts_with(prefix)));
        registers.filter_map(|(_, value)| register_value(value.as_s().ok()?))
    }
}

/// A page of the rows about `person` in `table`, after the row `after`.
pub async fn page(
    client: &Client,
    table: &str,
    rows: &PersonalRows,
    person: &str,
    after: Option<&PageKey>,
) -> Result<PersonalPage, Failure> {
    let start = after.map(|key| key.iter().map(|(name, value)| (name.clone(), text(value))).collect());
    let (found, last) = match rows.find {
        Find::Key { index, attribute, prefix } => {
            let query = client
                .query()
                .table_name(table)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression("#key = :key")
                .expression_attribute_names("#key", attribute)
                .expression_attribute_values(":key", text(format!("{prefix}{person}")))
                .set_exclusive_start_key(start);
            let page = query.send().await.map_err(|error| Failure::aws(DOING, error))?;
            (page.items.unwrap_or_default(), page.last_evaluated_key)
        }
        Find::Scan { filter, is_about } => {
            let scan = client.scan().table_name(table).limit(ROWS_PER_PAGE).set_exclusive_start_key(start);
            let scan = if filter.is_empty() {
                scan
            } else {
                scan.filter_expression(filter).expression_attribute_values(":person", text(person))
            };
            let page = scan.send().await.map_err(|error| Failure::aws(DOING, error))?;
            let mut found = page.items.unwrap_or_default();
            found.retain(|row| is_about(&Row(row), person));
            (found, page.last_evaluated_key)
        }
    };
    let rows = found.iter().map(|row| row_json(row, rows.without, person)).collect();
    Ok(PersonalPage { rows, next: last.map(key_texts).transpose()? })
}

fn key_texts(key: Attributes) -> Result<PageKey, Failure> {
    let texts = key.into_iter().map(|(name, value)| match value {
        AttributeValue::S(text) => Ok((name, text)),
        _ => Err(Failure::bug(DOING, "a key is not a text")),
    });
    texts.collect()
}

/// A row without the attributes `without`, and without what others have decided about the person: that they block or mute.
fn row_json(row: &Attributes, without: &[&str], person: &str) -> Value {
    let is_of_others = |name: &str, value: &AttributeValue| {
        RELATIONS.iter().any(|relation| name.starts_with(relation))
            && value.as_s().ok().and_then(|text| register_value(text)).is_some_and(|by| by != person)
    };
    let shown = row.iter().filter(|(name, value)| !without.contains(&name.as_str()) && !is_of_others(name, value));
    let sorted: BTreeMap<_, _> = shown.collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), json(value))).collect::<Map<_, _>>())
}

/// The value of a register; `None` if it has none.
fn register_value(register: &str) -> Option<&str> {
    register.split_once('+').map(|(_, value)| value)
}

fn json(value: &AttributeValue) -> Value {
    let texts = |texts: &[String]| texts.iter().cloned().map(Value::String).collect();
    match value {
        AttributeValue::S(text) => Value::String(text.clone()),
        AttributeValue::N(number) => json_number(number),
        AttributeValue::Bool(value) => Value::Bool(*value),
        AttributeValue::L(values) => values.iter().map(json).collect(),
        AttributeValue::M(values) => {
            let sorted: BTreeMap<_, _> = values.iter().collect();
            Value::Object(sorted.into_iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        AttributeValue::Ss(values) => texts(values),
        AttributeValue::Ns(values) => values.iter().map(|number| json_number(number)).collect(),
        AttributeValue::B(bytes) => Value::String(BASE64_STANDARD.encode(bytes.as_ref())),
        AttributeValue::Bs(values) => {
            values.iter().map(|bytes| Value::String(BASE64_STANDARD.encode(bytes.as_ref()))).collect()
        }
        _ => Value::Null,
    }
}

/// A number, or its text if JSON readers could not hold it.
fn json_number(number: &str) -> Value {
    let parsed = number.parse::<i64>().map(Value::from).ok();
    let parsed = parsed.or_else(|| serde_json::Number::from_f64(number.parse().ok()?).map(Value::Number));
    parsed.unwrap_or_else(|| Value::String(number.to_owned()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::operation::{query::QueryOutput, scan::ScanOutput};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{
        attribute::number,
        testing::{malformed, row, value},
    };

    const POSITION: &str = "00000000000000000007.00000000000000000001";

    fn by_key(without: &'static [&'static str]) -> PersonalRows {
        PersonalRows { find: Find::Key { index: Some("by-owner"), attribute: "pk", prefix: "user#" }, without }
    }

    #[tokio::test]
    async fn rows_are_queried_page_by_page_without_secrets() {
        let query = mock!(Client::query)
            .match_requests(|request| {
                value(request.expression_attribute_values(), ":key") == Some("user#mina")
                    && request.index_name() == Some("by-owner")
            })
            .sequence()
            .output(|| {
                let stored = row([("pk", text("user#mina")), ("token", text("s3cr3t")), ("n", number(7))]);
                let last = row([("pk", text("user#mina")), ("sk", text("a"))]);
                QueryOutput::builder().items(stored).set_last_evaluated_key(Some(last)).build()
            })
            .output(|| QueryOutput::builder().build())
            .build();
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]);
        let rows = by_key(&["token"]);
        let first = page(&client, "t", &rows, "mina", None).await.expect("a page");
        assert_eq!(first.rows, [json!({"pk": "user#mina", "n": 7})]);
        let second = page(&client, "t", &rows, "mina", first.next.as_ref()).await.expect("a page");
        assert_eq!(second, PersonalPage::default());
    }

    #[tokio::test]
    async fn scan_returns_only_rows_about_the_person() {
        let scan = mock!(Client::scan)
            .match_requests(|request| {
                request.filter_expression() == Some("contains(id, :person)")
                    && value(request.exclusive_start_key(), "id") == Some("a")
            })
            .then_output(|| {
                let ids = ["x#mina", "x#mina2"].map(|id| row([("id", text(id))]));
                ScanOutput::builder().set_items(Some(ids.into())).build()
            });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&scan]);
        let is_about = |row: &Row<'_>, person: &str| row.text("id").is_some_and(|id| id == format!("x#{person}"));
        let rows = PersonalRows { find: Find::Scan { filter: "contains(id, :person)", is_about }, without: &[] };
        let after = PageKey::from([("id".to_owned(), "a".to_owned())]);
        let page = page(&client, "t", &rows, "mina", Some(&after)).await.expect("a page");
        assert_eq!(page.rows, [json!({"id": "x#mina"})]);
    }

    #[test]
    fn blocks_by_others_are_left_out() {
        let register = |by: &str| text(format!("{POSITION}+{by}"));
        let stored = row([
            ("r:blocks#1", register("mina")),
            ("r:blocks#2", register("jun")),
            ("r:mutes#3", register("jun")),
            ("r:edge#4", register("jun")),
        ]);
        let shown = row_json(&stored, &[], "mina");
        let names: Vec<_> = shown.as_object().expect("an object").keys().cloned().collect();
        assert_eq!(names, ["r:blocks#1", "r:edge#4"]);
        assert_eq!(Row(&stored).registers("edge#").collect::<Vec<_>>(), ["jun"]);
    }

    #[test]
    fn number_beyond_json_keeps_its_digits_or_value() {
        assert_eq!(json_number("7"), json!(7));
        assert_eq!(json_number("0.5"), json!(0.5));
        assert_eq!(json_number("x"), json!("x"));
    }

    proptest! {
        #[test]
        fn any_row_is_json_without_the_secret(
            row in malformed(row([("token", text("s3cr3t")), ("a", number(1))])),
        ) {
            let shown = row_json(&row, &["token"], "mina");
            prop_assert!(shown.get("token").is_none());
            let expected = row.len() - usize::from(row.contains_key("token"));
            prop_assert_eq!(shown.as_object().map(Map::len), Some(expected));
        }
    }
}
