//! `device-api`: where a user is reached, and what of.

mod config;
mod devices;
mod endpoints;
mod error;
mod handler;
mod registration;
mod request;
#[cfg(test)]
mod testing;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use function_kit::{aws, logs, quota::CallerQuota};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::devices::DeviceTable;
use tracing::Instrument;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let quota = CallerQuota::from_env()?;
    let aws = aws::sdk_config();
    let ports = devices::Ports {
        table: DeviceTable::new(aws_sdk_dynamodb::Client::new(&aws), config.devices_table),
        endpoints: endpoints::Endpoints::new(aws_sdk_sns::Client::new(&aws), config.platform_application_arn),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        let answer = handler::handle(&ports, Timestamp::now(), &event.payload);
        Ok::<_, Error>(quota.guard(&event.payload, answer).instrument(logs::request(&event.payload)).await)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
