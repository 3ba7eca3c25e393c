//! `stream-poller`: publishes the changes of the graph to the event bus.

use std::time::Duration;

use function_kit::{aws, config::from_env, logs, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use neptune_streams::Client;
use store::checkpoint::CheckpointTable;
use stream_poller::{
    config::Config,
    handler::{self, Event},
    poller::Poller,
    settings::Settings,
    sns::SnsBus,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let days = config.stream_expiry_days.unwrap_or(7);
    let aws = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let poller = Poller {
        stream: Client::new(&aws, config.neptune_endpoint_url)?,
        bus: SnsBus {
            sns: aws_sdk_sns::Client::new(&aws),
            topic_arn: config.graph_changes_topic_arn,
            sqs: aws_sdk_sqs::Client::new(&aws),
            dead_letter_queue_url: config.dead_letter_queue_url,
        },
        checkpoints: CheckpointTable::new(dynamodb, config.checkpoint_table, config.cluster.clone()),
        cluster: config.cluster,
        policy: from_env()?,
        settings: Settings { retention: Duration::from_secs(u64::from(days) * 24 * 60 * 60), ..Settings::default() },
        metrics: Metrics::from_env(),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handler::handle(&poller, event).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
