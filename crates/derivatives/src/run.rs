use aws_lambda_events::sqs::SqsEvent;
use function_kit::{
    aws,
    batch::{self, Queue},
    config,
    metrics::Metrics,
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::media::MediaTable;

use crate::{
    aws_ports::AwsPorts,
    cdn_cache::CdnCache,
    cloudfront::CloudFront,
    config::Config,
    originals::Originals,
    slow_lane::SlowLane,
    worker::{Renderer, Worker},
};

/// Runs a worker with this renderer: processes batches of S3 events from its queue until Lambda ends the process.
///
/// # Errors
/// If a setting is missing, or Lambda's Runtime API does not respond.
pub async fn run<R: Renderer>(renderer: R) -> anyhow::Result<()> {
    let config: Config = config::from_env()?;
    let aws = aws::sdk_config();
    let s3 = aws_sdk_s3::Client::new(&aws);
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let originals = Originals { s3: s3.clone(), bucket: config.originals_bucket };
    let slow_lane = config.slow_queue_url.map(|url| SlowLane {
        originals: originals.clone(),
        queue: Queue { sqs: sqs.clone(), url, dead_letters_url: config.dead_letter_queue_url.clone() },
    });
    let worker = Worker {
        ports: AwsPorts {
            originals,
            s3,
            derived_bucket: config.derived_bucket,
            cdn_cache: CdnCache { cloudfront: CloudFront::new(&aws)?, distribution_id: config.distribution_id },
            media: MediaTable::new(aws_sdk_dynamodb::Client::new(&aws), config.media_table),
            sqs: sqs.clone(),
            metadata_queue_url: config.metadata_queue_url,
        },
        metrics: Metrics::from_env(),
        renderer,
    };
    let queue = Queue { sqs, url: config.queue_url, dead_letters_url: config.dead_letter_queue_url };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let batch = event.payload;
        // Messages of the slow lane are processed; those of the first queue may move there.
        let (source, lane) = match &slow_lane {
            Some(lane) if lane.queue.is_source_of(&batch) => (&lane.queue, None),
            lane => (&queue, lane.as_ref()),
        };
        let handle = async |body: &str| match lane {
            Some(lane) if lane.takes(body).await? => {
                worker.delete_older(body).await?;
                lane.send(body).await
            }
            _ => worker.handle(body).await,
        };
        let response = batch::run(batch, source, handle).await;
        worker.metrics.flush();
        response.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
