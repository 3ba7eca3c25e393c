use std::num::NonZeroU32;

use function_kit::config::{InvalidSetting, positive, required};

/// Settings from the environment, which the template sets.
pub struct Config {
    pub audience_table: String,
    pub ledger_table: String,
    pub devices_table: String,
    pub push_queue_url: String,
    pub dead_letter_queue_url: String,
    /// Devices with a dead token that may be removed in an hour, by all functions together.
    pub max_removals_per_hour: NonZeroU32,
}

impl Config {
    pub fn from_env() -> Result<Self, InvalidSetting> {
        Ok(Self {
            audience_table: required("AUDIENCE_TABLE")?,
            ledger_table: required("LEDGER_TABLE")?,
            devices_table: required("DEVICES_TABLE")?,
            push_queue_url: required("PUSH_QUEUE_URL")?,
            dead_letter_queue_url: required("DEAD_LETTER_QUEUE_URL")?,
            max_removals_per_hour: positive("MAX_DEVICE_REMOVALS_PER_HOUR")?,
        })
    }
}
