//! `media-api`: what clients ask about media, and that they want some of it gone.

mod answer;
mod config;
mod cursor;
mod document;
mod epoch;
mod fields;
mod handler;
mod links;
mod originals;
mod relations;
mod request;
mod tag;

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use function_kit::{aws, logs, seal::SecretSealer};
use jiff::Timestamp;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use links::{Links, Signing, SigningKey};
use store::{audience::AudienceTable, media::MediaTable};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let s3 = aws_sdk_s3::Client::new(&aws);
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let signing = match config.delivery_key {
        Some(key) => Signing::CloudFront(Box::new(SigningKey {
            secrets: secrets.clone(),
            secret_arn: key.secret_arn,
            key_id: key.id,
            addresses: OnceCell::new(),
        })),
        None => Signing::Bucket { s3: s3.clone(), bucket: config.derived_bucket },
    };
    let ports = handler::Ports {
        table: MediaTable::new(dynamodb.clone(), config.media_table),
        relations: relations::Relations { audience: AudienceTable::new(dynamodb, config.audience_table) },
        originals: originals::Originals { s3, bucket: config.originals_bucket },
        links: Links { base_url: config.delivery_base_url, signing },
        sealer: SecretSealer::new(secrets, config.sealing_secret_arn),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<ApiGatewayV2httpRequest>| {
        Ok::<_, Error>(handler::handle(&ports, &event.payload, Timestamp::now()).await)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
