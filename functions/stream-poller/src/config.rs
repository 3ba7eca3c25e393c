//! Settings from the environment.

use serde::Deserialize;
use serde_with::{As, DisplayFromStr};

/// The settings of `stream-poller`, beside the [policy](crate::policy::Policy).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Config {
    /// With scheme and port.
    #[serde(deserialize_with = "function_kit::endpoint_url::endpoint_url")]
    pub neptune_endpoint_url: String,
    /// The cluster's name in event ids.
    pub cluster: String,
    /// The table of the checkpoint.
    pub checkpoint_table: String,
    /// The event bus.
    pub graph_changes_topic_arn: String,
    /// The dead-letter queue of the event bus.
    pub dead_letter_queue_url: String,
    /// Equal to the cluster's parameter `neptune_streams_expiry_days`, whose default is 7.
    #[serde(default, with = "As::<Option<DisplayFromStr>>")]
    pub stream_expiry_days: Option<u32>,
}

/// The settings of `graph-export`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct ExportConfig {
    /// With scheme and port.
    #[serde(deserialize_with = "function_kit::endpoint_url::endpoint_url")]
    pub neptune_endpoint_url: String,
    /// The cluster's name in event ids.
    pub cluster: String,
    /// The table of the checkpoint, which has the stream's generation.
    pub checkpoint_table: String,
    /// The queue that receives the graph.
    pub export_queue_url: String,
}
