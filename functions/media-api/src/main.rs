//! `media-api`: what clients ask about media.

mod answer;
mod config;
mod handler;
mod links;
mod request;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use function_kit::{aws, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use links::{Links, Signing, SigningKey};
use store::media::MediaTable;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config().await;
    let signing = match config.delivery_key {
        Some(key) => Signing::CloudFront(Box::new(SigningKey {
            secrets: aws_sdk_secretsmanager::Client::new(&aws),
            secret_arn: key.secret_arn,
            key_id: key.id,
            addresses: OnceCell::new(),
        })),
        None => Signing::Bucket { s3: aws_sdk_s3::Client::new(&aws), bucket: config.derived_bucket },
    };
    let ports = handler::Ports {
        table: MediaTable::new(aws_sdk_dynamodb::Client::new(&aws), config.media_table),
        links: Links { base_url: config.delivery_base_url, signing },
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(handler::handle(&ports, &event.payload).await)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
