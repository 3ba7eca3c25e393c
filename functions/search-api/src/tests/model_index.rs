//! Ports over a small graph: an index that evaluates the filters of the real query, and the tables.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::{Client, operation::query::QueryOutput, types::AttributeValue};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use domain::{
    graph::Position,
    media::Visibility,
    push::{self, PersonPair},
    search::{Content, Document, Register, Story, register_text},
};
use function_kit::failure::Failure;
use opensearch::{Hit, Page, Search, SortKey, Viewer};
use rest_kit::page_token::LazyTokenCipher;
use serde_json::{Value, json};
use store::{audience::AudienceTable, follows::FollowsTable, relations::Relations, search::SearchTable};

use crate::{handler::Ports, search_index::SearchIndex, visibility_filter::VisibilityFilter};

type Row = HashMap<String, AttributeValue>;

/// A graph with one person who searches.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    pub stories: Vec<ToldStory>,
    /// Whom the caller follows.
    pub followed: BTreeSet<String>,
    /// With whom the caller has a block, by either of the two.
    pub blocked: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub struct ToldStory {
    pub id: String,
    pub title: String,
    pub author: String,
    pub visibility: Visibility,
    /// In milliseconds since 1970.
    pub told_at: i64,
}

impl Graph {
    /// Whether the caller may see a story.
    pub fn shows(&self, caller: &str, story: &ToldStory) -> bool {
        let is_follower = self.followed.contains(&story.author) && !self.blocked.contains(&story.author);
        match story.visibility {
            Visibility::Public => true,
            Visibility::Followers => story.author == caller || is_follower,
            Visibility::Private => story.author == caller,
        }
    }
}

/// The index, which counts its requests.
pub struct ModelIndex {
    documents: Vec<Value>,
    pub requests: Cell<usize>,
}

impl SearchIndex for ModelIndex {
    async fn search(
        &self,
        search: Search<'_>,
        viewer: Viewer<'_>,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        self.requests.set(self.requests.get() + 1);
        let body = search.body(viewer, after, size);
        let text = search.query.map(|(_, query)| query.as_str()).unwrap_or_default();
        let key = |document: &Value| (-document["publishedAt"].as_i64().expect("a time"), document["id"].to_string());
        let mut found: Vec<_> = self
            .documents
            .iter()
            .filter(|document| matches(&json!({"bool": {"filter": body["query"]["bool"]["filter"]}}), document))
            .filter(|document| document["text"].as_str().is_some_and(|title| title.contains(text)))
            .collect();
        found.sort_by_key(|document| key(document));
        let after = body["search_after"].as_array();
        let is_after = |document: &Value| {
            after.is_none_or(|after| key(document) > (-after[1].as_i64().expect("a time"), after[2].to_string()))
        };
        let hits = found.into_iter().filter(|document| is_after(document)).take(size);
        let hit = |document: &Value| Hit {
            id: document["id"].as_str().expect("an id").to_owned(),
            highlight: None,
            sort_key: serde_json::from_value(json!([1.0, document["publishedAt"], document["id"]]))
                .expect("a sort key"),
        };
        let hits: Vec<_> = hits.map(hit).collect();
        Ok(Page { is_last: hits.len() < size, hits })
    }
}

/// Evaluates the kinds of clauses that filters have.
fn matches(clause: &Value, document: &Value) -> bool {
    let (kind, value) = clause.as_object().and_then(|clause| clause.iter().next()).expect("a clause");
    let field = || value.as_object().and_then(|value| value.iter().next()).expect("a field");
    match kind.as_str() {
        "term" => document[field().0] == *field().1,
        "terms" => field().1.as_array().expect("terms").contains(&document[field().0]),
        "bool" => {
            let all = |name: &str| value[name].as_array().cloned().unwrap_or_default();
            let should = all("should");
            all("filter").iter().all(|clause| matches(clause, document))
                && (should.is_empty() || should.iter().any(|clause| matches(clause, document)))
        }
        other => panic!("unknown clause {other}"),
    }
}

fn document(story: &ToldStory) -> Value {
    let ToldStory { id, title, author, visibility, told_at } = story.clone();
    let published_at = jiff::Timestamp::from_millisecond(told_at).expect("a time");
    let content = Content::Story(Story { title, author, published_at, visibility, tags: Vec::new() });
    Document { vertex: id, version: 1, content }.source()
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn stored_story(story: &ToldStory) -> Row {
    let position = Position::new(7, 1).into();
    let register = |value: String| text(register_text(&Register { position, value: Some(value) }));
    Row::from([
        ("id".to_owned(), text(&story.id)),
        ("version".to_owned(), AttributeValue::N("1".to_owned())),
        ("r:title".to_owned(), register(story.title.clone())),
        ("r:told#e".to_owned(), register(format!("{} {}", story.told_at, story.author))),
        ("r:visibility".to_owned(), register(story.visibility.as_ref().to_owned())),
    ])
}

fn relation_row(pk: String, sk: &str, registers: &[(&str, bool)]) -> Row {
    let mut row = Row::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]);
    for (name, _) in registers.iter().filter(|(_, is_set)| *is_set) {
        row.insert((*name).to_owned(), text(push::Register::new(Position::new(1, 1), "x").to_string()));
    }
    row
}

/// The rows of a request for these keys.
fn rows(graph: &Graph, caller: &str, table: &str, key: &Row) -> Option<Row> {
    let of = |name: &str| key.get(name).and_then(|value| value.as_s().ok()).cloned();
    if table == "search" {
        let id = of("id")?;
        return graph.stories.iter().find(|story| story.id == id).map(stored_story);
    }
    let (pk, sk) = (of("pk")?, of("sk")?);
    if let Some(person) = pk.strip_prefix("followers#") {
        let follows = sk == caller && graph.followed.contains(person);
        return follows.then(|| relation_row(pk.clone(), &sk, &[("r:edge#e", true)]));
    }
    let blocked = graph.blocked.iter().find(|person| {
        let pair = PersonPair::of(caller, person);
        let (a, b) = pair.persons();
        pk == format!("pair#{}#{a}#{b}", a.len())
    });
    blocked.map(|_| relation_row(pk.clone(), &sk, &[("r:blocks#b", true)]))
}

/// The ports, and the rule that counts requests to DynamoDB.
pub fn ports(graph: &Graph, caller: &'static str) -> (Ports<ModelIndex>, [Rule; 2]) {
    let shared = Arc::new(graph.clone());
    let for_reads = Arc::clone(&shared);
    let reads = mock!(Client::batch_get_item).then_compute_response(move |request| {
        let (table, keys) = request.request_items().and_then(|items| items.iter().next()).expect("a table");
        let found: Vec<_> = keys.keys().iter().filter_map(|key| rows(&for_reads, caller, table, key)).collect();
        MockResponse::Http(dynamodb_responses::batch_get(table, &found, &[]))
    });
    let follows = mock!(Client::query).then_compute_output(move |_| {
        let people: BTreeSet<_> = shared.followed.union(&shared.blocked).collect();
        let row = |person: &&String| {
            let registers =
                [("r:edge#e", shared.followed.contains(*person)), ("r:blocks#b", shared.blocked.contains(*person))];
            relation_row(format!("following#{caller}"), person, &registers)
        };
        QueryOutput::builder().set_items(Some(people.iter().map(row).collect())).build()
    });
    let secret = mock!(aws_sdk_secretsmanager::Client::get_secret_value)
        .then_output(|| GetSecretValueOutput::builder().secret_string("0123456789abcdef0123456789abcdef").build());
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&reads, &follows]);
    let ports = Ports {
        index: ModelIndex { documents: graph.stories.iter().map(document).collect(), requests: Cell::new(0) },
        visibility: VisibilityFilter {
            entries: SearchTable::new(dynamodb.clone(), "search".into()),
            relations: Relations { audience: AudienceTable::new(dynamodb.clone(), "audience".into()) },
            follows: FollowsTable::new(dynamodb, "follows".into()),
        },
        cipher: LazyTokenCipher::new(mock_client!(aws_sdk_secretsmanager, RuleMode::MatchAny, [&secret]), "arn".into()),
    };
    (ports, [reads, follows])
}
