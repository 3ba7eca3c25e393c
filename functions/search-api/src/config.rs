use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub search_table: String,
    pub audience_table: String,
    pub follows_table: String,
    pub search_index: String,
    #[serde(deserialize_with = "function_kit::endpoint_url::endpoint_url")]
    pub opensearch_endpoint_url: String,
    pub sealing_secret_arn: String,
}
