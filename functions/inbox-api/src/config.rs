use serde::Deserialize;

/// The function's settings, which the template puts into the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    /// The table of notifications.
    pub inbox_table: String,
    /// The table of how far users have read.
    pub inbox_read_table: String,
    /// The table of names, titles and relations.
    pub audience_table: String,
    /// The secret that protects cursors.
    pub sealing_secret_arn: String,
}
