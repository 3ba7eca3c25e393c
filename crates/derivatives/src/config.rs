use function_kit::config::{MissingSetting, required};

/// The settings of every worker, which the template puts into the environment.
pub struct Config {
    pub originals_bucket: String,
    pub derived_bucket: String,
    pub distribution_id: String,
    pub metadata_queue_url: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
}

impl Config {
    pub fn from_env() -> Result<Self, MissingSetting> {
        Ok(Self {
            originals_bucket: required("ORIGINALS_BUCKET")?,
            derived_bucket: required("DERIVED_BUCKET")?,
            distribution_id: required("DISTRIBUTION_ID")?,
            metadata_queue_url: required("METADATA_QUEUE_URL")?,
            queue_url: required("QUEUE_URL")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
        })
    }
}
