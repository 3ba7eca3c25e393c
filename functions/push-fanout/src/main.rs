//! `push-fanout`: turns changes of the graph into push notifications.
//!
//! ```text
//!                          story-files-queue (look again)
//!                                      ▲
//! push.fifo ─▶ message ─▶ update_projections (whole batch) ─▶ handle_message ─▶ pending_events ─▶ evaluate (rules)
//!     ▲                                                                                                    │
//!     └──────────── the next page of an audience ◀──────────── follower_pages ◀────────────────────────────┤
//!                                                                    └──────────────▶ notify ◀─────────────┘
//!                        SNS ◀─ publish_to_devices ◀─ deliver (ledger, inbox) ◀─────────┘
//! ```

mod aws;
mod aws_erasure;
mod aws_inbox;
mod aws_stories;
mod claims;
mod config;
mod cooldown;
mod deliver;
mod edge_facts;
mod erasure;
mod evaluate;
mod follower_pages;
mod handle_message;
mod inbox;
mod message;
mod notify;
mod pending_events;
mod ports;
mod publish_error;
mod publish_to_devices;
mod suppression;
#[cfg(test)]
mod tests;
mod update_projections;

use aws_lambda_events::sqs::SqsEvent;
use function_kit::{batch, batch::Queue, config::from_env, logs, metrics::Metrics};
use jiff::SignedDuration;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::{
    audience::AudienceTable,
    devices::DeviceTable,
    inbox::{InboxTable, ReadMarks},
    ledger::LedgerTable,
};

use crate::{aws::Aws, notify::Notifier};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: config::Config = from_env()?;
    let sdk = function_kit::aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let push_queue_url = config.push_queue_url.clone();
    let aws = Aws {
        audience: AudienceTable::new(dynamodb.clone(), config.audience_table),
        ledger: LedgerTable::new(dynamodb.clone(), config.ledger_table),
        devices: DeviceTable::new(dynamodb.clone(), config.devices_table),
        inbox: InboxTable::new(dynamodb.clone(), config.inbox_table),
        read_marks: ReadMarks::new(dynamodb, config.inbox_read_table),
        sns: aws_sdk_sns::Client::new(&sdk),
        sqs: sqs.clone(),
        push_queue_url: config.push_queue_url,
        erasure_queue_url: config.erasure_queue_url,
        story_files_queue_url: config.story_files_queue_url,
        followers_per_page: config.followers_per_page,
        max_removals_per_hour: config.max_removals_per_hour,
    };
    let queue = Queue { sqs, url: push_queue_url, dead_letters_url: config.dead_letter_queue_url };
    let metrics = Metrics::from_env();
    let cooldown = SignedDuration::from_secs(config.push_cooldown.into());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let notifier = Notifier { ports: &aws, metrics: &metrics, cooldown };
        let response = batch::run_fifo(
            event.payload,
            &queue,
            async |body| update_projections::project(&aws, body).await,
            async |message| notifier.handle(message).await,
        );
        let response = response.await.map_err(Error::from);
        metrics.flush();
        response
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
