use std::num::NonZeroU32;

use function_kit::config::{InvalidSetting, positive, required};

/// Settings from the environment, which the template sets.
pub struct Config {
    pub devices_table: String,
    pub platform_application_arn: String,
    /// The queue of events of endpoints.
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    /// Devices with a dead token that may be removed in an hour, by all functions together.
    pub max_removals_per_hour: NonZeroU32,
}

impl Config {
    pub fn from_env() -> Result<Self, InvalidSetting> {
        Ok(Self {
            devices_table: required("DEVICES_TABLE")?,
            platform_application_arn: required("PLATFORM_APPLICATION_ARN")?,
            queue_url: required("QUEUE_URL")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
            max_removals_per_hour: positive("MAX_DEVICE_REMOVALS_PER_HOUR")?,
        })
    }
}
