use aws_lambda_events::sqs::SqsEvent;
use function_kit::{
    aws,
    batch::{self, Queue},
    metrics::Metrics,
};
use lambda_runtime::{Error, LambdaEvent, service_fn};

use crate::{CdnCache, DerivedFiles, Originals, Renderer, Reports, Worker, config::Config};

/// Is a worker that makes what `renderer` makes: takes batches of S3's notifications from its queue, until
/// Lambda ends the process.
///
/// # Errors
/// If a setting is missing, or Lambda's Runtime API does not answer.
pub async fn run<M: Renderer>(renderer: M) -> Result<(), Error> {
    let config = Config::from_env()?;
    let aws = aws::sdk_config();
    let s3 = aws_sdk_s3::Client::new(&aws);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let cdn_cache =
        CdnCache { cloudfront: aws_sdk_cloudfront::Client::new(&aws), distribution_id: config.distribution_id };
    let worker = Worker {
        originals: Originals { s3: s3.clone(), bucket: config.originals_bucket },
        derived: DerivedFiles { s3, bucket: config.derived_bucket, cdn_cache },
        reports: Reports { sqs: sqs.clone(), queue_url: config.metadata_queue_url },
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
