use aws_lambda_events::sqs::SqsEvent;
use function_kit::{
    aws,
    batch::{self, Queue},
    metrics::Metrics,
};
use lambda_runtime::{Error, LambdaEvent, service_fn};

use crate::{
    cdn_cache::CdnCache,
    config::Config,
    derived_files::DerivedFiles,
    originals::Originals,
    ports::AwsPorts,
    reports::Reports,
    worker::{Renderer, Worker},
};

/// Runs a worker with this renderer: processes batches of S3 events from its queue until Lambda ends the process.
///
/// # Errors
/// If a setting is missing, or Lambda's Runtime API does not respond.
pub async fn run<R: Renderer>(renderer: R) -> Result<(), Error> {
    let config = Config::from_env()?;
    let aws = aws::sdk_config();
    let s3 = aws_sdk_s3::Client::new(&aws);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let cdn_cache =
        CdnCache { cloudfront: aws_sdk_cloudfront::Client::new(&aws), distribution_id: config.distribution_id };
    let worker = Worker {
        ports: AwsPorts {
            originals: Originals { s3: s3.clone(), bucket: config.originals_bucket },
            derived: DerivedFiles { s3, bucket: config.derived_bucket, cdn_cache },
            reports: Reports { sqs: sqs.clone(), queue_url: config.metadata_queue_url },
        },
        metrics: Metrics::from_env(),
        renderer,
    };
    let queue = Queue { sqs, url: config.queue_url, dead_letters_url: config.dead_letter_queue_url };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let response = batch::run(event.payload, &queue, async |body| worker.handle(body).await).await;
        worker.metrics.flush();
        response.map_err(Error::from)
    }))
    .await
}
