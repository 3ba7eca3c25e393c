//! Ports with a fixed list of hits and fixed table rows.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, operation::query::QueryOutput, types::AttributeValue};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use domain::{
    graph::Position,
    push,
    search::{MARK_BEGIN, MARK_END, Register, register_text},
};
use dynamodb_responses::requested_keys;
use function_kit::failure::Failure;
use opensearch::{Hit, Page, Search, SortKey, Viewer};
use rest_kit::page_token::LazyTokenCipher;
use serde_json::json;
use store::{audience::AudienceTable, follows::FollowsTable, relations::Relations, search::SearchTable};

use crate::{handler::Ports, search_index::SearchIndex, visibility_filter::VisibilityFilter};

type Row = HashMap<String, AttributeValue>;

/// Index that finds the same hits for every search.
pub struct FixedIndex(Vec<Hit>);

impl SearchIndex for FixedIndex {
    async fn search(
        &self,
        _: Search<'_>,
        _: Viewer<'_>,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        let rest = self.0.iter().skip_while(|hit| after.is_some_and(|after| hit.sort_key != *after));
        let rest = rest.skip(usize::from(after.is_some()));
        let hits: Vec<_> = rest.take(size).cloned().collect();
        Ok(Page { is_last: hits.len() < size, hits })
    }
}

fn hit(id: &str) -> Hit {
    let sort_key = serde_json::from_value(json!([7.0, 0, id])).expect("a sort key");
    Hit { id: id.to_owned(), highlight: Some(format!("{MARK_BEGIN}첫눈{MARK_END} {id}")), sort_key }
}

fn row(id: &str, registers: &[(&str, Option<&str>)]) -> Row {
    let position = Position::new(7, 1).into();
    let mut row = Row::from([
        ("id".to_owned(), AttributeValue::S(id.to_owned())),
        ("version".to_owned(), AttributeValue::N("3".to_owned())),
    ]);
    for (name, value) in registers {
        let register = Register { position, value: value.map(str::to_owned) };
        row.insert(format!("r:{name}"), AttributeValue::S(register_text(&register)));
    }
    row
}

/// Row of the search table: Mina's stories `public-*`, `followers-*`, `private-*`, `deleted-*`, `tagged-*`; Mina; the
/// tag `snow`.
fn stored_row(id: &str) -> Option<Row> {
    let title = format!("첫눈 {id}");
    let told = ("told#e", Some("1795305600000 mina"));
    match id.split('-').next()? {
        "snow" => Some(row(id, &[("tag", Some("")), ("name", Some("눈"))])),
        "tagged" => {
            Some(row(id, &[("title", Some(&title)), told, ("tagged#x", Some("snow")), ("tagged#y", Some("rain"))]))
        }
        "mina" => Some(row(id, &[("person", Some("")), ("name", Some("미나"))])),
        "deleted" => Some(row(id, &[("title", Some(&title)), ("told#e", None)])),
        visibility @ ("public" | "followers" | "private") => {
            Some(row(id, &[("title", Some(&title)), told, ("visibility", Some(visibility))]))
        }
        _ => None,
    }
}

/// Ports with hits of these ids. Jun follows Mina.
pub fn ports(ids: &[&str]) -> Ports<FixedIndex> {
    let entries = mock!(Client::batch_get_item).then_compute_response(|request| {
        let text = |key: &Row, name: &str| key.get(name).and_then(|value| value.as_s().ok()).cloned();
        let stories = requested_keys(request.request_items(), "search");
        if !stories.is_empty() {
            let rows: Vec<_> = stories.iter().filter_map(|key| stored_row(&text(key, "id")?)).collect();
            return MockResponse::Http(dynamodb_responses::batch_get("search", &rows, &[]));
        }
        let follows = |key: &Row| {
            (text(key, "pk").as_deref(), text(key, "sk").as_deref()) == (Some("followers#mina"), Some("jun"))
        };
        let register = push::Register::new(Position::new(1, 1), "").to_string();
        let relations = requested_keys(request.request_items(), "audience").into_iter().filter(follows);
        let rows: Vec<_> = relations
            .map(|mut row| {
                row.insert("r:edge#e".to_owned(), AttributeValue::S(register.clone()));
                row
            })
            .collect();
        MockResponse::Http(dynamodb_responses::batch_get("audience", &rows, &[]))
    });
    // Jun's follow is the filter's business here: the index ignores it.
    let follows = mock!(Client::query).then_output(|| QueryOutput::builder().build());
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&entries, &follows]);
    Ports {
        index: FixedIndex(ids.iter().map(|id| hit(id)).collect()),
        visibility: VisibilityFilter {
            entries: SearchTable::new(dynamodb.clone(), "search".into()),
            relations: Relations { audience: AudienceTable::new(dynamodb.clone(), "audience".into()) },
            follows: FollowsTable::new(dynamodb, "follows".into()),
        },
        cipher: LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]), "arn".into()),
    }
}
