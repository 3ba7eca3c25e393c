use std::str::FromStr;

use serde_json::{Value, json};

/// How Korean is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analyzer {
    /// By a dictionary: 서울에서 is 서울 and a particle. On OpenSearch Service, and wherever the plug-in is.
    Nori,
    /// Into pairs of characters, wherever there is no dictionary: 서울에서 is 서울, 울에, 에서. It
    /// finds more than was meant, and nothing by a single syllable but the beginnings of words. (The
    /// built-in `cjk` would do the same to Korean alone; not every server that speaks OpenSearch's
    /// language takes Hangul for CJK.)
    Bigram,
}

/// The text names no analyzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an analyzer is nori or bigram")]
pub struct UnknownAnalyzer;

impl FromStr for Analyzer {
    type Err = UnknownAnalyzer;

    fn from_str(text: &str) -> Result<Self, UnknownAnalyzer> {
        match text {
            "nori" => Ok(Self::Nori),
            "bigram" => Ok(Self::Bigram),
            _ => Err(UnknownAnalyzer),
        }
    }
}

/// The longest beginning of a word that is kept for suggestions, in characters. What is typed beyond
/// it is not compared.
const MAX_PREFIX: u32 = 20;

/// What a new index is made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Settings and mappings.
    pub(crate) body: Value,
    /// The query for what its alias shows; all, if there is none.
    pub(crate) shown: Option<Value>,
}

impl Settings {
    /// Of the index of what people find.
    pub fn of_search(analyzer: Analyzer) -> Self {
        Self { body: search(analyzer), shown: None }
    }

    /// Of the index that Neptune's own full-text queries read.
    pub fn of_mirror() -> Self {
        // Tombstones have no type.
        Self { body: mirror(), shown: Some(json!({"exists": {"field": "document_type"}})) }
    }
}

/// The fields of AWS's own indexer, with its dynamic templates for properties.
///
/// All values are texts here, numbers, too: AWS gives a property the type of the first value that it
/// sees, and leaves out what does not fit. One number for a title would hide the titles of all.
fn mirror() -> Value {
    let keyword = json!({"type": "keyword", "index": true});
    let text = json!({"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}});
    let template = |field: &str, mapping: &Value| json!({field: {"path_match": format!("predicates.*.{field}"), "mapping": mapping}});
    json!({
        "settings": {"index": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "500ms"}},
        "mappings": {
            "dynamic_templates": [
                template("datatype", &keyword),
                template("graph", &keyword),
                template("language", &keyword),
                template("value", &text),
            ],
            // As they would become without a word, but for an id that looks like a date.
            "properties": {"entity_id": text, "entity_type": text, "document_type": text},
        },
    })
}

/// `text` is Korean (and whatever else, word by word), `text.en` English, `text.prefix` the
/// beginnings of words. Other fields are refused, so that nothing gets in unnoticed.
fn search(analyzer: Analyzer) -> Value {
    let (tokenizer, filters) = match analyzer {
        Analyzer::Nori => (
            json!({"type": "nori_tokenizer", "decompound_mode": "mixed"}),
            json!(["nori_part_of_speech", "nori_readingform", "lowercase"]),
        ),
        Analyzer::Bigram => (
            json!({"type": "ngram", "min_gram": 2, "max_gram": 2, "token_chars": ["letter", "digit"]}),
            json!(["lowercase"]),
        ),
    };
    json!({
        "settings": {
            "index": {
                "number_of_shards": 1,
                "auto_expand_replicas": "0-1",
                // Set, so that it also holds while nobody searches.
                "refresh_interval": "500ms",
            },
            "analysis": {
                "tokenizer": {"korean": tokenizer},
                "filter": {
                    "beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": MAX_PREFIX},
                    "beginning": {"type": "truncate", "length": MAX_PREFIX},
                },
                "analyzer": {
                    "korean": {"type": "custom", "tokenizer": "korean", "filter": filters},
                    "beginnings": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "beginnings"]},
                    "beginning": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "beginning"]},
                },
            },
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "deleted": {"type": "boolean"},
                "kind": {"type": "keyword"},
                "id": {"type": "keyword"},
                "author": {"type": "keyword"},
                "tags": {"type": "keyword"},
                "visibility": {"type": "keyword"},
                "publishedAt": {"type": "long"},
                "text": {
                    "type": "text",
                    "analyzer": "korean",
                    "fields": {
                        "en": {"type": "text", "analyzer": "english"},
                        "prefix": {"type": "text", "analyzer": "beginnings", "search_analyzer": "beginning"},
                    },
                },
            },
        },
    })
}
