use function_kit::config::{MissingSetting, required};

/// Settings from the environment, which the template sets.
pub struct Config {
    pub search_table: String,
    pub audience_table: String,
    pub search_index: String,
    pub opensearch_endpoint_url: String,
    pub page_token_secret_arn: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            search_table: required("SEARCH_TABLE")?,
            audience_table: required("AUDIENCE_TABLE")?,
            search_index: required("SEARCH_INDEX")?,
            opensearch_endpoint_url: required("OPENSEARCH_ENDPOINT_URL")?,
            page_token_secret_arn: required("SEALING_SECRET_ARN")?,
        })
    }
}
