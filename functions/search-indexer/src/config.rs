use function_kit::config::{optional, required};
use opensearch::Analyzer;

/// Settings from the environment, which the template sets.
pub struct Config {
    pub search_table: String,
    pub search_index: String,
    pub opensearch_endpoint_url: String,
    pub analyzer: Analyzer,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    pub mirror: Option<Mirror>,
}

/// Table and index for Neptune's full-text queries.
pub struct Mirror {
    pub table: String,
    pub index: String,
}

impl Config {
    pub fn from_env() -> anyhow::Result<Self> {
        Ok(Self {
            search_table: required("SEARCH_TABLE")?,
            search_index: required("SEARCH_INDEX")?,
            opensearch_endpoint_url: required("OPENSEARCH_ENDPOINT_URL")?,
            analyzer: required("SEARCH_ANALYZER")?.parse()?,
            queue_url: required("QUEUE_URL")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
            mirror: optional("MIRROR_TABLE")
                .zip(optional("MIRROR_INDEX"))
                .map(|(table, index)| Mirror { table, index }),
        })
    }
}
