//! `device-api`: registers devices for push notifications, and stores notification preferences. On a schedule, deletes
//! endpoints that no device has. From a queue, takes events of endpoints, and removes devices whose token is dead.

mod collection;
mod config;
mod device_table;
mod devices;
mod endpoint;
mod erasure;
mod feedback;
mod handler;
mod ports;
mod registration;
mod request;
mod sns;
#[cfg(test)]
mod tests;

use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::SqsBatchResponse;
use domain::account::{DeviceErasure, Erasure};
use function_kit::{
    aws,
    batch::{self, Queue},
    config::from_env,
    failure::Failure,
    logs,
    metrics::Metrics,
};
use jiff::Timestamp;
use rest_kit::serve::serve_with_job;
use serde::Serialize;
use serde_json::Value;
use store::devices::DeviceTable;

use crate::{
    collection::Collected,
    config::Config,
    ports::{Devices, Endpoints, Ports},
};

/// A collection of endpoints examines no further page when less than this is left of the invocation.
const COLLECTION_MARGIN: Duration = Duration::from_secs(15);

/// The result of an invocation that is no request.
#[derive(Serialize)]
#[serde(untagged)]
enum JobOutput {
    Collected(Collected),
    Batch(SqsBatchResponse),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let aws = aws::sdk_config();
    let ports = Ports {
        devices: DeviceTable::new(aws_sdk_dynamodb::Client::new(&aws), config.devices_table.clone()),
        endpoints: sns::SnsEndpoints::new(aws_sdk_sns::Client::new(&aws), config.platform_application_arn.clone()),
    };
    let queue = Queue {
        sqs: aws_sdk_sqs::Client::new(&aws),
        url: config.queue_url.clone(),
        dead_letters_url: config.dead_letter_queue_url.clone(),
    };
    let metrics = Metrics::from_env();
    serve_with_job(
        async |request| handler::handle(&ports, Timestamp::now(), request).await,
        async |event, deadline| {
            if event.get("Records").is_some() {
                return consume(&ports, &queue, &metrics, &config, event).await.map(JobOutput::Batch);
            }
            let is_over = || SystemTime::now() + COLLECTION_MARGIN > deadline;
            collection::collect(&ports, Timestamp::now(), is_over).await.map(JobOutput::Collected)
        },
    )
    .await
}

/// Hands an erasure back to `account-api`.
async fn hand_back(sqs: &aws_sdk_sqs::Client, queue_url: &str, erasure: &Erasure) -> Result<(), Failure> {
    const DOING: &str = "hand an erasure back";
    let body = serde_json::to_string(erasure).map_err(|error| Failure::bug(DOING, error))?;
    let send = sqs.send_message().queue_url(queue_url).message_body(body).send().await;
    send.map(drop).map_err(|error| Failure::aws(DOING, error))
}

/// Consumes a batch of the queue.
async fn consume<D: Devices, E: Endpoints>(
    ports: &Ports<D, E>,
    queue: &Queue,
    metrics: &Metrics,
    config: &Config,
    event: Value,
) -> Result<SqsBatchResponse, Failure> {
    let event = serde_json::from_value(event).map_err(|error| Failure::bug("read a batch", error))?;
    let limit = config.max_removals_per_hour;
    let handle = async |body: &str| {
        let Some(message) = DeviceErasure::parse(body) else {
            return feedback::consume(ports, metrics, limit, Timestamp::now(), body).await;
        };
        erasure::erase(ports, Timestamp::now(), &message).await?;
        hand_back(&queue.sqs, &config.erasure_queue_url, &message.erasure.after_step()).await
    };
    let response = batch::run(event, queue, handle).await;
    metrics.flush();
    response
}
