use domain::{
    media::Visibility,
    search::{Kind, MARK_BEGIN, MARK_END, Query, completions},
};
use function_kit::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Index, settings::MAX_PREFIX};

/// Search in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Search<'a> {
    /// Text and how it is matched. `None`: all documents, newest first.
    pub query: Option<(MatchMode, &'a Query)>,
    /// Restricts the hits to this kind.
    pub kind: Option<Kind>,
    /// Restricts the hits to stories with the tag of this id.
    pub tag: Option<&'a str>,
}

/// Whose stories a search may find beside public ones. The query decides it, so that hidden documents influence neither
/// the hits nor their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer<'a> {
    /// The person who searches.
    pub caller: &'a str,
    /// The persons whom they follow.
    pub followed: &'a [String],
}

impl Viewer<'_> {
    fn filter(self) -> Value {
        let mut visible =
            vec![json!({"term": {"visibility": Visibility::Public}}), json!({"term": {"author": self.caller}})];
        if !self.followed.is_empty() {
            visible.push(json!({"bool": {"filter": [
                {"term": {"visibility": Visibility::Followers}},
                {"terms": {"author": self.followed}},
            ]}}));
        }
        json!({"bool": {"minimum_should_match": 1, "should": visible}})
    }
}

/// Method of matching a query with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatchMode {
    /// All words of the query occur in the text, in Korean or in English.
    Words,
    /// All words of the query are prefixes of words in the text.
    Prefixes,
}

/// Position in the order of hits: score, publication time in Unix milliseconds, id. It depends on the document and the query
/// only. A score by word frequency would change with other documents and with the replica, so that pages would overlap.
/// An index rejects values of another number or type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortKey(f64, i64, String);

/// Document found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The vertex's id.
    pub id: String,
    /// The indexed text with marks around the matches. Prefixes are not marked.
    pub highlight: Option<String>,
    /// Position of the hit, after which the next page can start.
    pub sort_key: SortKey,
}

/// Page of hits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    /// Best match first.
    pub hits: Vec<Hit>,
    /// Whether no page follows.
    pub is_last: bool,
}

impl Index {
    /// Up to `size` hits after `after` that `viewer` may see, as far as the index knows: it lags behind the table. Without an
    /// index, the page is empty.
    ///
    /// # Errors
    /// If OpenSearch rejects the request or is not reachable.
    pub async fn search(
        &self,
        search: Search<'_>,
        viewer: Viewer<'_>,
        after: Option<&SortKey>,
        size: usize,
    ) -> Result<Page, Failure> {
        const DOING: &str = "search";
        let body = search.body(viewer, after, size);
        let response = self.client.search(DOING, &format!("/{}/_search", self.alias), &body).await?;
        if response.status == 404 && response.error_type() == "index_not_found_exception" {
            return Ok(Page { hits: Vec::new(), is_last: true });
        }
        let response: SearchResponse = response.read(DOING)?;
        if response.timed_out {
            return Err(Failure::transient(DOING, "the search timed out"));
        }
        let hits: Vec<_> = response.hits.hits.into_iter().map(Hit::from).collect();
        Ok(Page { is_last: hits.len() < size, hits })
    }
}

/// Ways in which a text can match, with scores. The scores are powers of two: equal matches have equal scores and are
/// ordered by time.
fn tiers(mode: MatchMode, query: &str) -> Vec<Value> {
    let all_words = |field: &str| json!({"match": {field: {"query": query, "operator": "and"}}});
    let phrase = |field: &str| json!({"match_phrase": {field: query}});
    let tiers = match mode {
        MatchMode::Words => {
            let mut tiers = vec![
                (32, phrase("text")),
                (16, all_words("text")),
                (2, all_words("text.en")),
                (1, all_words("text.prefix")),
            ];
            // A word of one character has no pair, so it would not be required.
            tiers.extend(words(query).all(|word| word.chars().nth(1).is_some()).then(|| (8, all_words("text.bigram"))));
            // A single pair also occurs where one word ends and another begins.
            let has_pairs = words(query).flat_map(str::chars).nth(2).is_some();
            tiers.extend(has_pairs.then(|| (4, phrase("text.joined"))));
            tiers
        }
        MatchMode::Prefixes => {
            let mut tiers = vec![(4, phrase("text.prefix")), (2, all_words("text.prefix"))];
            tiers.extend(partially_typed(query).map(|query| (1, query)));
            tiers
        }
    };
    let tier = |(boost, filter)| json!({"constant_score": {"filter": filter, "boost": boost}});
    tiers.into_iter().map(tier).collect()
}

fn words(query: &str) -> impl Iterator<Item = &str> {
    query.split(' ')
}

/// Matches words that the last word of the query can become, if it is partially typed. `None`: it is complete.
fn partially_typed(query: &str) -> Option<Value> {
    let (before, last) = query.rsplit_once(' ').unwrap_or(("", query));
    let ranges = completions(&last.to_lowercase()).filter(|ranges| ranges.len() <= MAX_PREFIX)?;
    // Letters and digits only, none of which is syntax.
    let pattern: String = ranges
        .iter()
        .map(|range| match (range.start(), range.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("[{first}-{last}]"),
        })
        .collect();
    let mut all = vec![json!({"regexp": {"text.prefix": {"value": pattern, "flags": "NONE"}}})];
    if !before.is_empty() {
        all.push(json!({"match": {"text.prefix": {"query": before, "operator": "and"}}}));
    }
    Some(json!({"bool": {"filter": all}}))
}

/// Marks for matches of words. Highlighting all five fields takes as long as finding.
fn highlight(query: &str) -> Value {
    // Only words of scripts before Hangul have English stems.
    let has_stems = query.chars().any(|c| c.is_alphabetic() && c < '\u{1100}');
    let fields =
        ["text", "text.bigram", "text.joined", "text.prefix"].into_iter().chain(has_stems.then_some("text.en"));
    let fields: Map<_, _> = fields.map(|field| (field.to_owned(), json!({}))).collect();
    json!({"pre_tags": [MARK_BEGIN], "post_tags": [MARK_END], "number_of_fragments": 0, "fields": fields})
}

impl Search<'_> {
    /// The request for up to `size` hits after `after`.
    pub fn body(self, viewer: Viewer<'_>, after: Option<&SortKey>, size: usize) -> Value {
        let mut filters = vec![json!({"term": {"deleted": false}}), viewer.filter()];
        filters.extend(self.kind.map(|kind| json!({"term": {"kind": kind}})));
        filters.extend(self.tag.map(|tag| json!({"term": {"tags": tag}})));
        let tiers = self.query.map(|(mode, query)| tiers(mode, query.as_str()));
        let min_should_match = usize::from(tiers.is_some());
        let mut body = json!({
            "size": size,
            "timeout": "5s",
            "track_total_hits": false,
            "_source": ["id"],
            "query": {"bool": {"filter": filters, "should": tiers.unwrap_or_default(), "minimum_should_match": min_should_match}},
            "sort": [{"_score": "desc"}, {"publishedAt": "desc"}, {"id": "asc"}],
        });
        if let Some((MatchMode::Words, query)) = self.query {
            body["highlight"] = highlight(query.as_str());
        }
        if let Some(after) = after {
            body["search_after"] = json!(after);
        }
        body
    }
}

#[derive(Deserialize)]
struct SearchResponse {
    #[serde(default)]
    timed_out: bool,
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<RawHit>,
}

#[derive(Deserialize)]
struct RawHit {
    #[serde(rename = "_source")]
    source: Source,
    #[serde(default)]
    highlight: Highlight,
    sort: SortKey,
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
    #[serde(rename = "text.bigram")]
    bigram: Option<[String; 1]>,
    #[serde(rename = "text.joined")]
    joined: Option<[String; 1]>,
    #[serde(rename = "text.prefix")]
    prefix: Option<[String; 1]>,
}

impl From<RawHit> for Hit {
    fn from(RawHit { source, highlight, sort }: RawHit) -> Self {
        let Highlight { text, english, bigram, joined, prefix } = highlight;
        let text = text.or(english).or(bigram).or(joined).or(prefix);
        Self { id: source.id, highlight: text.map(|[text]| text), sort_key: sort }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn user_text_is_never_query_syntax() {
        let hostile = r#"title:* OR _exists_:x "}} , /.*/ ~99 \"#;
        let query = Query::parse(hostile).expect("a query");
        let search = Search { query: Some((MatchMode::Words, &query)), kind: Some(Kind::Story), tag: Some(hostile) };
        let body = search.body(Viewer { caller: "jun", followed: &[] }, None, 20);
        let mut texts = 0;
        let mut stack = vec![&body];
        while let Some(value) = stack.pop() {
            match value {
                Value::Object(map) => {
                    assert!(!map.contains_key("query_string") && !map.contains_key("simple_query_string"));
                    stack.extend(map.values());
                }
                Value::Array(values) => stack.extend(values),
                Value::String(text) => texts += usize::from(text == hostile),
                _ => {}
            }
        }
        assert_eq!(texts, 6, "one per tier, and one as a term");
    }

    #[test]
    fn page_starts_after_sort_key() {
        let sort_key = SortKey(14.0, 1_795_305_600_000, "s1".to_owned());
        let json = serde_json::to_string(&sort_key).expect("JSON");
        let sort_key: SortKey = serde_json::from_str(&json).expect("a sort key");
        let query = Query::parse("서울").expect("a query");
        let search = Search { query: Some((MatchMode::Words, &query)), kind: None, tag: None };
        let body = search.body(Viewer { caller: "jun", followed: &[] }, Some(&sort_key), 20);
        assert_eq!(body["search_after"], json!([14.0, 1_795_305_600_000_i64, "s1"]));
    }

    #[test]
    fn partially_typed_word_is_completed_by_letters_only() {
        let pattern = |query: &str| partially_typed(query).map(|query| query["bool"]["filter"].clone());
        let regexp = |value: &str| json!({"regexp": {"text.prefix": {"value": value, "flags": "NONE"}}});
        assert_eq!(pattern("서우"), Some(json!([regexp("서[우-웋]")])));
        let before = json!({"match": {"text.prefix": {"query": "첫눈 X", "operator": "and"}}});
        assert_eq!(pattern("첫눈 X Aㅅ"), Some(json!([regexp("a[사-싷]"), before])));
        for complete in ["서울", "seoul", "(ㅅ", "ㅅ|.*", &"사".repeat(21)] {
            assert_eq!(pattern(complete), None, "{complete}");
        }
    }

    #[test]
    fn only_fields_that_can_match_words_are_highlighted() {
        let fields = |mode, query: &str| {
            let query = Query::parse(query).expect("a query");
            let search = Search { query: Some((mode, &query)), kind: None, tag: None };
            let body = search.body(Viewer { caller: "jun", followed: &[] }, None, 20);
            body["highlight"]["fields"].as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>())
        };
        let mut korean = vec!["text", "text.bigram", "text.joined", "text.prefix"];
        let of = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(fields(MatchMode::Words, "골목길 24시"), of(&korean));
        korean.push("text.en");
        let sorted = |fields: Option<Vec<String>>| {
            fields.map(|mut fields| {
                fields.sort();
                fields
            })
        };
        korean.sort_unstable();
        assert_eq!(sorted(fields(MatchMode::Words, "cafés")), of(&korean));
        assert_eq!(fields(MatchMode::Prefixes, "골목"), None);
    }

    #[test]
    fn short_words_are_not_matched_by_pairs() {
        let fields = |query: &str| {
            let tiers = Value::from(tiers(MatchMode::Words, query)).to_string();
            ["text.bigram", "text.joined"].map(|field| tiers.contains(field))
        };
        assert_eq!(fields("민수"), [true, false]);
        assert_eq!(fields("골목 길"), [false, true]);
        assert_eq!(fields("첫 눈"), [false, false]);
        assert_eq!(fields("골목길 민수"), [true, true]);
    }

    const RESPONSE: &str = r#"{"timed_out":false,"hits":{"hits":[{"_source":{"id":"s1"},"highlight":{"text":["a"]},"sort":[14.0,1795305600000,"s1"]}]}}"#;

    proptest! {
        #[test]
        fn malformed_response_is_parsed_or_rejected(bytes in malformed_inputs::bytes(&[RESPONSE])) {
            if let Ok(response) = serde_json::from_slice::<SearchResponse>(&bytes) {
                let hits: Vec<Hit> = response.hits.hits.into_iter().map(Hit::from).collect();
                prop_assert!(hits.len() <= bytes.len());
            }
        }
    }
}
