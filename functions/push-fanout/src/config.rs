use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub audience_table: String,
    pub ledger_table: String,
    pub devices_table: String,
    pub push_queue_url: String,
    pub dead_letter_queue_url: String,
}
