use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

/// Settings from the environment, which the template sets.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    pub accounts_table: String,
    pub inbox_read_table: String,
    pub quotas_table: String,
    pub reports_table: String,
    pub originals_bucket: String,
    pub user_pool_id: String,
    /// The topic of the `erase` event.
    pub account_events_topic_arn: String,
    /// The queue of this function.
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    /// The queue of `push-fanout`.
    pub push_queue_url: String,
    /// The queue of `device-api`. Absent: there are no devices.
    pub push_events_queue_url: Option<String>,
    pub exports_table: String,
    pub exports_bucket: String,
    /// The queue of `export-worker`.
    pub exports_queue_url: String,
    #[serde(with = "As::<DisplayFromStr>")]
    pub exports_per_day: u64,
    /// Seconds from the request until access tokens and signed uploads have expired.
    #[serde(with = "As::<DisplayFromStr>")]
    pub erasure_wait_seconds: u32,
}
