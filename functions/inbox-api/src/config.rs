use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub inbox_table: String,
    pub inbox_read_table: String,
    pub audience_table: String,
    pub sealing_secret_arn: String,
}
