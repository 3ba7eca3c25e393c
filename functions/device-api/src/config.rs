use std::num::NonZeroU32;

use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub devices_table: String,
    pub platform_application_arn: String,
    /// The queue of events of endpoints.
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    /// The queue of `account-api`.
    pub erasure_queue_url: String,
    /// Devices with a dead token that may be removed in an hour, by all functions together.
    #[serde(rename = "MAX_DEVICE_REMOVALS_PER_HOUR", with = "As::<DisplayFromStr>")]
    pub max_removals_per_hour: NonZeroU32,
}
