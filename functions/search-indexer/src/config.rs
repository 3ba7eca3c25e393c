use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub search_table: String,
    pub follows_table: String,
    pub search_index: String,
    #[serde(deserialize_with = "function_kit::endpoint_url::endpoint_url")]
    pub opensearch_endpoint_url: String,
    pub search_analyzer: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    /// Table and index for Neptune's full-text queries, if they are enabled.
    pub mirror_table: Option<String>,
    pub mirror_index: Option<String>,
}
