use domain::search::{Kind, MARK_BEGIN, MARK_END, Query};
use function_kit::failure::Failure;
use http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Index;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search<'a> {
    /// By which words, and how they are compared; without any, whatever there is, the newest first.
    pub query: Option<(Compare, &'a Query)>,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only stories with the tag of this id.
    pub tag: Option<&'a str>,
}

/// How a text is compared with the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compare {
    /// Word by word, in Korean and in English; all words must be there.
    Words,
    /// All words of the query are beginnings of words.
    Beginnings,
}

/// A place in the order of what was found. The order depends on the document and the query alone: a
/// score that also knew how rare a word is would change with every other document, and with the
/// replica that is asked, and pages would overlap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortKey(Vec<Value>);

/// Something found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The vertex's id.
    pub id: String,
    /// Its text as it was indexed, with marks around what was found.
    pub marked: Option<String>,
    /// After it, the search may go on.
    pub place: SortKey,
}

/// Some of what was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// The best first.
    pub hits: Vec<Hit>,
    /// Whether there is no more.
    pub is_last: bool,
}

impl Index {
    /// Up to `size` hits after `after` that `caller` may perhaps see: what is for followers is among
    /// them, since the index knows nobody's. Before there is an index, nothing is found.
    ///
    /// # Errors
    /// If OpenSearch refuses, or cannot be reached.
    pub async fn find(
        &self,
        search: Search<'_>,
        caller: &str,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        const DOING: &str = "search";
        let body = body(search, caller, after, size);
        let answer = self.client.json(DOING, Method::POST, &format!("/{}/_search", self.alias), &body).await?;
        if answer.status == 404 && answer.error_type() == "index_not_found_exception" {
            return Ok(Page { hits: Vec::new(), is_last: true });
        }
        let answer: Answered = answer.read(DOING)?;
        if answer.timed_out {
            return Err(Failure::transient(DOING, "the index took too long"));
        }
        let hits: Vec<_> = answer.hits.hits.into_iter().map(Hit::from).collect();
        Ok(Page { is_last: hits.len() < size, hits })
    }
}

/// The ways in which a text matches. Whole numbers: what matches in more ways comes first, and among
/// equals what is newer.
fn tiers(compare: Compare, query: &str) -> Vec<Value> {
    let all_words = |field: &str| json!({"match": {field: {"query": query, "operator": "and"}}});
    let tiers = match compare {
        Compare::Words => vec![
            (8, json!({"match_phrase": {"text": query}})),
            (4, all_words("text")),
            (2, all_words("text.en")),
            (1, all_words("text.prefix")),
        ],
        Compare::Beginnings => {
            vec![(2, json!({"match_phrase": {"text.prefix": query}})), (1, all_words("text.prefix"))]
        }
    };
    let tier = |(boost, filter)| json!({"constant_score": {"filter": filter, "boost": boost}});
    tiers.into_iter().map(tier).collect()
}

fn body(search: Search<'_>, caller: &str, after: Option<&SortKey>, size: usize) -> Value {
    let mut filters = vec![
        json!({"term": {"deleted": false}}),
        json!({"bool": {"minimum_should_match": 1, "should": [
            {"terms": {"visibility": ["public", "followers"]}},
            {"term": {"author": caller}},
        ]}}),
    ];
    filters.extend(search.kind.map(|kind| json!({"term": {"kind": kind}})));
    filters.extend(search.tag.map(|tag| json!({"term": {"tags": tag}})));
    let tiers = search.query.map(|(compare, query)| tiers(compare, query.as_str()));
    let least = usize::from(tiers.is_some());
    let mut body = json!({
        "size": size,
        "timeout": "5s",
        "track_total_hits": false,
        "_source": ["id"],
        "query": {"bool": {"filter": filters, "should": tiers.unwrap_or_default(), "minimum_should_match": least}},
        "highlight": {
            "pre_tags": [MARK_BEGIN], "post_tags": [MARK_END], "number_of_fragments": 0,
            "fields": {"text": {}, "text.en": {}, "text.prefix": {}},
        },
        "sort": [{"_score": "desc"}, {"publishedAt": "desc"}, {"id": "asc"}],
    });
    if let Some(SortKey(values)) = after {
        body["search_after"] = json!(values);
    }
    body
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    timed_out: bool,
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    #[serde(rename = "_source")]
    source: Source,
    #[serde(default)]
    highlight: Highlight,
    sort: Vec<Value>,
}

#[derive(Deserialize)]
struct Source {
    id: String,
}

#[derive(Default, Deserialize)]
struct Highlight {
    text: Option<[String; 1]>,
    #[serde(rename = "text.en")]
    english: Option<[String; 1]>,
    #[serde(rename = "text.prefix")]
    prefix: Option<[String; 1]>,
}

impl From<Found> for Hit {
    fn from(Found { source, highlight, sort }: Found) -> Self {
        let marked = highlight.text.or(highlight.english).or(highlight.prefix);
        Self { id: source.id, marked: marked.map(|[text]| text), place: SortKey(sort) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_user_writes_is_never_more_than_the_text_of_a_match() {
        let hostile = r#"title:* OR _exists_:x "}} , /.*/ ~99 \"#;
        let query = Query::parse(hostile).expect("a query");
        let search = Search { query: Some((Compare::Words, &query)), kind: Some(Kind::Story), tag: Some(hostile) };
        let body = body(search, "jun", None, 20);
        let mut texts = 0;
        let mut walk = vec![&body];
        while let Some(value) = walk.pop() {
            match value {
                Value::Object(map) => {
                    assert!(!map.contains_key("query_string") && !map.contains_key("simple_query_string"));
                    walk.extend(map.values());
                }
                Value::Array(values) => walk.extend(values),
                Value::String(text) => texts += usize::from(text == hostile),
                _ => {}
            }
        }
        assert_eq!(texts, 5, "once for each tier, whole, and as a term");
    }

    #[test]
    fn a_page_goes_on_after_a_place() {
        let place = SortKey(vec![json!(14.0), json!(1_795_305_600_000_i64), json!("s1")]);
        let sealed = serde_json::to_string(&place).expect("JSON");
        let place: SortKey = serde_json::from_str(&sealed).expect("a place");
        let query = Query::parse("서울").expect("a query");
        let search = Search { query: Some((Compare::Words, &query)), kind: None, tag: None };
        let body = body(search, "jun", Some(&place), 20);
        assert_eq!(body["search_after"], json!([14.0, 1_795_305_600_000_i64, "s1"]));
    }

    const ANSWER: &str = r#"{"timed_out":false,"hits":{"hits":[{"_source":{"id":"s1"},"highlight":{"text":["a"]},"sort":[14.0,1795305600000,"s1"]}]}}"#;

    proptest! {
        #[test]
        fn a_damaged_answer_is_read_or_refused(bytes in malformed_inputs::bytes(&[ANSWER])) {
            if let Ok(answer) = serde_json::from_slice::<Answered>(&bytes) {
                let hits: Vec<Hit> = answer.hits.hits.into_iter().map(Hit::from).collect();
                prop_assert!(hits.len() <= bytes.len());
            }
        }
    }
}
