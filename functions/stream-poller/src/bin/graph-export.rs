//! `graph-export`: sends the existing graph to the search queue, on an operator's request.

use function_kit::{aws, config::from_env, logs, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use neptune_streams::Client;
use store::checkpoint::CheckpointTable;
use stream_poller::{
    config::ExportConfig,
    export::{self, Exporter, Graph, GraphExport, SqsQueue},
    settings::Settings,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: ExportConfig = from_env()?;
    let aws = aws::sdk_config();
    let function = GraphExport {
        exporter: Exporter {
            graph: Graph::new(&aws, &config.neptune_endpoint_url),
            queue: SqsQueue { sqs: aws_sdk_sqs::Client::new(&aws), url: config.export_queue_url },
            cluster: config.cluster.clone(),
        },
        stream: Client::new(&aws, config.neptune_endpoint_url)?,
        checkpoints: CheckpointTable::new(aws_sdk_dynamodb::Client::new(&aws), config.checkpoint_table, config.cluster),
        settings: Settings::default(),
        metrics: Metrics::from_env(),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<export::Event>| {
        // Boxed, because the compiler limits the depth of nested futures.
        Box::pin(function.handle(event)).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
