//! `search-indexer`: keeps the index of what can be found as the graph's changes say; and, by
//! parameter, the one that Neptune's own full-text queries read.
//!
//! ```text
//! search.fifo ──▶ learn (what it says is kept) ── the whole batch ──▶ offer (one request to the index)
//! an operator ──▶ rebuild (a new index from what is kept, then the alias)
//! ```

mod config;
mod event;
mod handler;
mod learn;
mod offer;
mod ports;
mod rebuild;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod town;

use function_kit::{aws, batch::Queue, logs, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use opensearch::{Client, Index, Settings};
use store::{mirror::MirrorTable, search::SearchTable};

use crate::{
    event::Event,
    handler::Indexer,
    ports::{Indexes, Side},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let sdk = aws::sdk_config();
    let client = Client::new(&sdk, &config.opensearch_endpoint_url)?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let indexer = Indexer {
        found: Side {
            rows: SearchTable::new(dynamodb.clone(), config.search_table),
            index: Indexes {
                index: Index::new(client.clone(), config.search_index),
                settings: Settings::of_search(config.analyzer),
            },
        },
        mirror: config.mirror.map(|mirror| Side {
            rows: MirrorTable::new(dynamodb, mirror.table),
            index: Indexes { index: Index::new(client, mirror.index), settings: Settings::of_mirror() },
        }),
        queue: Queue {
            sqs: aws_sdk_sqs::Client::new(&sdk),
            url: config.queue_url,
            dead_letters_url: config.dead_letter_queue_url,
        },
        metrics: Metrics::from_env(),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Event>| {
        handler::handle(&indexer, event).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
