//! `media-api`: what clients ask about media.

mod answer;
mod config;
mod handler;
mod links;
mod request;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use function_kit::{aws, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::media::MediaTable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config().await;
    let ports = handler::Ports {
        table: MediaTable::new(aws_sdk_dynamodb::Client::new(&aws), config.media_table),
        links: links::Links { s3: aws_sdk_s3::Client::new(&aws), bucket: config.derived_bucket },
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(handler::handle(&ports, &event.payload).await)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
