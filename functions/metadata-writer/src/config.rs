use serde::Deserialize;

/// The function's settings, which the template puts into the environment.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub originals_bucket: String,
    pub media_table: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    pub picture_reports_queue_url: String,
    pub picture_reports_dead_letter_queue_url: String,
    pub sound_reports_queue_url: String,
    pub sound_reports_dead_letter_queue_url: String,
    /// The queue of `media-api`.
    pub story_files_queue_url: String,
}
