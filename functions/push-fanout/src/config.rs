use std::num::{NonZeroU16, NonZeroU32};

use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub audience_table: String,
    pub ledger_table: String,
    pub devices_table: String,
    pub inbox_table: String,
    pub inbox_read_table: String,
    pub push_queue_url: String,
    pub erasure_queue_url: String,
    pub story_files_queue_url: String,
    pub dead_letter_queue_url: String,
    #[serde(with = "As::<DisplayFromStr>")]
    pub followers_per_page: NonZeroU16,
    /// Seconds in which an edge that is removed and added again is not pushed again; 0: none.
    #[serde(with = "As::<DisplayFromStr>")]
    pub push_cooldown: u32,
    /// Devices with a dead token that may be removed in an hour, by all functions together.
    #[serde(rename = "MAX_DEVICE_REMOVALS_PER_HOUR", with = "As::<DisplayFromStr>")]
    pub max_removals_per_hour: NonZeroU32,
}
