use serde::Deserialize;

/// The settings of every worker, which the template puts into the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub originals_bucket: String,
    pub derived_bucket: String,
    pub distribution_id: String,
    pub media_table: String,
    pub metadata_queue_url: String,
    pub queue_url: String,
    /// The queue of the slow lane, if the worker has one.
    pub slow_queue_url: Option<String>,
    pub dead_letter_queue_url: String,
}
