use std::str::FromStr;

use serde_json::{Value, json};

/// Method of splitting Korean text into terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Analyzer {
    /// By a dictionary, and also into pairs of characters, which match what the dictionary splits differently: names, and
    /// words without spaces. Needs the plugin `nori`, which `ops setup --search` associates with the domain.
    NoriBigram,
    /// By a dictionary only: 서울에서 is 서울 and a particle.
    Nori,
    /// Into pairs of characters: 서울에서 is 서울, 울에, 에서. It finds unrelated words as well, and matches a single
    /// syllable only at the start of a word. The built-in analyzer `cjk` does the same, but not every server with
    /// OpenSearch's API treats Hangul as CJK.
    Bigram,
}

/// Text that names no analyzer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the analyzer must be nori-bigram, nori or bigram")]
pub struct UnknownAnalyzer;

impl FromStr for Analyzer {
    type Err = UnknownAnalyzer;

    fn from_str(text: &str) -> Result<Self, UnknownAnalyzer> {
        match text {
            "nori-bigram" => Ok(Self::NoriBigram),
            "nori" => Ok(Self::Nori),
            "bigram" => Ok(Self::Bigram),
            _ => Err(UnknownAnalyzer),
        }
    }
}

/// Longest prefix of a word in the index, in characters. Longer prefixes in queries are truncated.
pub(crate) const MAX_PREFIX: usize = 20;

/// Parts of speech that are not indexed: endings, particles, 이다, auxiliary verbs, and suffixes such as 하다. The default
/// of nori keeps 이다 and drops adverbs and determiners, such as 첫.
const UNINDEXED_PARTS: [&str; 6] = ["E", "J", "VCP", "VX", "XSA", "XSV"];

/// A particle that nori takes for a noun at the end of a text: 바다의.
const PARTICLE_AS_NOUN: &str = "의";

/// Settings of a new index.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Settings and mappings.
    pub(crate) body: Value,
    /// Filter of the alias. `None`: all documents.
    pub(crate) alias_filter: Option<Value>,
}

impl Settings {
    /// Settings of the search index.
    pub fn search(analyzer: Analyzer) -> Self {
        Self { body: search_body(analyzer), alias_filter: None }
    }

    /// Settings of the index for Neptune's full-text queries.
    pub fn mirror() -> Self {
        // Tombstones have no `document_type`.
        Self { body: mirror_body(), alias_filter: Some(json!({"exists": {"field": "document_type"}})) }
    }
}

/// The fields and dynamic templates of AWS's own indexer, except that all values are texts.
///
/// AWS's indexer gives a property the type of its first value, and drops values of other types. One number as a title
/// would then drop all other titles.
fn mirror_body() -> Value {
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
            // As the dynamic mapping would choose, except for ids that look like dates.
            "properties": {"entity_id": text, "entity_type": text, "document_type": text},
        },
    })
}

/// `text` is analyzed as Korean, `text.en` as English, `text.prefix` as prefixes of words. `text.bigram` holds pairs of
/// characters within words, `text.joined` those of the text without spaces. The strict mapping rejects documents with
/// other fields.
fn search_body(analyzer: Analyzer) -> Value {
    let mut fields = json!({
        "en": {"type": "text", "analyzer": "english"},
        "prefix": {"type": "text", "analyzer": "beginnings", "search_analyzer": "beginning"},
    });
    let korean = match analyzer {
        Analyzer::NoriBigram | Analyzer::Nori => json!({
            "type": "custom",
            "tokenizer": "nori",
            "filter": ["parts", "nori_readingform", "lowercase", "particles"],
        }),
        Analyzer::Bigram => bigrams(&[]),
    };
    let mut analysis = json!({
        "tokenizer": {"bigrams": {"type": "ngram", "min_gram": 2, "max_gram": 2, "token_chars": ["letter", "digit"]}},
        "filter": {
            "beginnings": {"type": "edge_ngram", "min_gram": 1, "max_gram": MAX_PREFIX},
            "beginning": {"type": "truncate", "length": MAX_PREFIX},
        },
        "analyzer": {
            "korean": korean,
            "beginnings": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "beginnings"]},
            "beginning": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "beginning"]},
        },
    });
    // A domain without the plugin rejects an index that mentions it.
    if analyzer != Analyzer::Bigram {
        analysis["tokenizer"]["nori"] = json!({"type": "nori_tokenizer", "decompound_mode": "mixed"});
        analysis["filter"]["parts"] = json!({"type": "nori_part_of_speech", "stoptags": UNINDEXED_PARTS});
        analysis["filter"]["particles"] = json!({"type": "stop", "stopwords": [PARTICLE_AS_NOUN]});
    }
    if analyzer == Analyzer::NoriBigram {
        analysis["analyzer"]["bigrams"] = bigrams(&[]);
        fields["bigram"] = json!({"type": "text", "analyzer": "bigrams"});
        analysis["char_filter"] =
            json!({"without_spaces": {"type": "pattern_replace", "pattern": "\\s+", "replacement": ""}});
        analysis["analyzer"]["joined"] = bigrams(&["without_spaces"]);
        fields["joined"] = json!({"type": "text", "analyzer": "joined"});
    }
    json!({
        "settings": {
            "index": {
                "number_of_shards": 1,
                "auto_expand_replicas": "0-1",
                // An explicit interval also applies while there are no searches.
                "refresh_interval": "500ms",
            },
            "analysis": analysis,
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
                "text": {"type": "text", "analyzer": "korean", "fields": fields},
            },
        },
    })
}

/// An analyzer that splits a text into pairs of characters.
fn bigrams(char_filters: &[&str]) -> Value {
    json!({"type": "custom", "char_filter": char_filters, "tokenizer": "bigrams", "filter": ["lowercase"]})
}
