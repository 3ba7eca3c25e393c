//! `device-api`: registers devices for push notifications, and stores notification preferences.

mod config;
mod devices;
mod endpoints;
mod handler;
mod registration;
mod request;
#[cfg(test)]
mod tests;

use function_kit::{aws, logs};
use jiff::Timestamp;
use rest_kit::serve::serve;
use store::devices::DeviceTable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config();
    let ports = devices::Ports {
        table: DeviceTable::new(aws_sdk_dynamodb::Client::new(&aws), config.devices_table),
        endpoints: endpoints::Endpoints::new(aws_sdk_sns::Client::new(&aws), config.platform_application_arn),
    };
    serve(async |request| handler::handle(&ports, Timestamp::now(), request).await)
        .await
        .map_err(anyhow::Error::from_boxed)
}
