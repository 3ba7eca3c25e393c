//! `thumbnailer`: a picture lands, its variants appear; it goes, and they go.

mod buckets;
mod config;
mod develop;
mod edge;
mod handler;
mod report;

use aws_lambda_events::sqs::SqsEvent;
use function_kit::{aws, batch, batch::DeadLetters, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config().await;
    let s3 = aws_sdk_s3::Client::new(&aws);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let edge =
        edge::Edge { cloudfront: aws_sdk_cloudfront::Client::new(&aws), distribution_id: config.distribution_id };
    let ports = handler::Ports {
        originals: buckets::Originals { s3: s3.clone(), bucket: config.originals_bucket },
        derived: buckets::DerivedFiles { s3, bucket: config.derived_bucket, edge },
        reports: report::Reports { sqs: sqs.clone(), queue_url: config.metadata_queue_url },
    };
    let dead_letters = DeadLetters { sqs, queue_url: config.dead_letter_queue_url };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        batch::run(event.payload, &dead_letters, async |body| handler::handle(&ports, body).await)
            .await
            .map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
