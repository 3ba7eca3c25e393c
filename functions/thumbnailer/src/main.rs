//! `thumbnailer`: a picture lands, its variants appear; it goes, and they go.

mod config;
mod develop;
mod handler;

use aws_lambda_events::sqs::SqsEvent;
use derived::{DerivedFiles, Edge, Originals, Reports, Worker};
use function_kit::{aws, batch, batch::Queue, logs};
use lambda_runtime::{Error, LambdaEvent, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let aws = aws::sdk_config();
    let s3 = aws_sdk_s3::Client::new(&aws);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let edge = Edge { cloudfront: aws_sdk_cloudfront::Client::new(&aws), distribution_id: config.distribution_id };
    let worker = Worker {
        originals: Originals { s3: s3.clone(), bucket: config.originals_bucket },
        derived: DerivedFiles { s3, bucket: config.derived_bucket, edge },
        reports: Reports { sqs: sqs.clone(), queue_url: config.metadata_queue_url },
        maker: handler::Variants,
    };
    let queue = Queue { sqs, url: config.queue_url, dead_letters_url: config.dead_letter_queue_url };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        batch::run(event.payload, &queue, async |body| worker.handle(body).await).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
