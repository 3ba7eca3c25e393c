//! `metadata-writer`: folds S3 events and the workers' reports into the table `media`.

mod config;
mod handler;
mod sources;
mod story_files;
#[cfg(test)]
mod tests;

use aws_lambda_events::sqs::SqsEvent;
use derivatives::Originals;
use function_kit::{aws, batch, batch::Queue, config::from_env, logs, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::media::MediaTable;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: config::Config = from_env()?;
    let aws = aws::sdk_config();
    let sqs = aws_sdk_sqs::Client::new(&aws);
    let ports = handler::Ports {
        originals: Originals { s3: aws_sdk_s3::Client::new(&aws), bucket: config.originals_bucket },
        table: MediaTable::new(aws_sdk_dynamodb::Client::new(&aws), config.media_table),
        story_files: story_files::StoryFilesQueue::new(sqs.clone(), config.story_files_queue_url),
        metrics: Metrics::from_env(),
    };
    let queue = |url, dead_letters_url| Queue { sqs: sqs.clone(), url, dead_letters_url };
    let sources = sources::Sources {
        events: queue(config.queue_url, config.dead_letter_queue_url),
        picture_reports: queue(config.picture_reports_queue_url, config.picture_reports_dead_letter_queue_url),
        sound_reports: queue(config.sound_reports_queue_url, config.sound_reports_dead_letter_queue_url),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let (queue, sender) = sources.of(&event.payload);
        let response = batch::run(event.payload, queue, async |body| handler::handle(&ports, sender, body).await).await;
        ports.metrics.flush();
        response.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
