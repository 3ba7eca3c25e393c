use function_kit::config::{MissingSetting, required};

/// The function's settings, which the template puts into the environment.
pub struct Config {
    pub originals_bucket: String,
    pub media_table: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            originals_bucket: required("ORIGINALS_BUCKET")?,
            media_table: required("MEDIA_TABLE")?,
            queue_url: required("QUEUE_URL")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
        })
    }
}
