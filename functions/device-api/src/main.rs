//! `device-api`: registers devices for push notifications, and stores notification preferences. On a schedule, deletes
//! endpoints that no device has.

mod collection;
mod config;
mod device_table;
mod devices;
mod endpoint;
mod handler;
mod ports;
mod registration;
mod request;
mod sns;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use function_kit::{aws, logs};
use jiff::Timestamp;
use rest_kit::serve::serve_with_job;
use store::devices::DeviceTable;

/// A collection of endpoints examines no further page when less than this is left of the invocation.
const COLLECTION_MARGIN: Duration = Duration::from_secs(15);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config();
    let ports = ports::Ports {
        devices: DeviceTable::new(aws_sdk_dynamodb::Client::new(&aws), config.devices_table),
        endpoints: sns::SnsEndpoints::new(aws_sdk_sns::Client::new(&aws), config.platform_application_arn),
    };
    serve_with_job(
        async |request| handler::handle(&ports, Timestamp::now(), request).await,
        async |_, deadline| {
            let is_over = || SystemTime::now() + COLLECTION_MARGIN > deadline;
            collection::collect(&ports, Timestamp::now(), is_over).await
        },
    )
    .await
    .map_err(anyhow::Error::from_boxed)
}
