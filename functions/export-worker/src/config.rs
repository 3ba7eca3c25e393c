use serde::Deserialize;

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub exports_table: String,
    #[serde(flatten)]
    pub tables: Tables,
    pub originals_bucket: String,
    pub exports_bucket: String,
    pub user_pool_id: String,
    /// The queue of this function.
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    /// The queue of `push-fanout`.
    pub push_queue_url: String,
}

/// Names of the tables that hold something about people.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Tables {
    pub media_table: String,
    pub reports_table: String,
    pub quotas_table: String,
    pub devices_table: String,
    pub inbox_table: String,
    pub inbox_read_table: String,
    pub audience_table: String,
    pub ledger_table: String,
    /// Absent: there is no search.
    pub follows_table: Option<String>,
    /// Absent: there is no search.
    pub search_table: Option<String>,
    /// Absent: there is no mirror.
    pub mirror_table: Option<String>,
}
