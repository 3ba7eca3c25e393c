//! `search-indexer`: keeps the search index up to date with changes of the graph. Optionally also the index for
//! Neptune's own full-text queries (the mirror).
//!
//! ```text
//! search.fifo ─▶ project (table, whole batch) ─▶ index (one bulk request)
//! operator ────▶ rebuild (new index from the table, then switches the alias)
//! ```

mod config;
mod event;
mod handler;
mod index;
mod ports;
mod project;
mod rebuild;
#[cfg(test)]
mod tests;

use function_kit::{aws, batch::Queue, config::from_env, logs, metrics::Metrics};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use opensearch::{Client, Index, Settings};
use store::{follows::FollowsTable, mirror::MirrorTable, search::SearchTable};

use crate::{
    event::Event,
    handler::Indexer,
    ports::{IndexWithSettings, Pipeline},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: config::Config = from_env()?;
    let sdk = aws::sdk_config();
    let client = Client::new(&sdk, &config.opensearch_endpoint_url)?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let indexer = Indexer {
        search: Pipeline {
            table: SearchTable::new(dynamodb.clone(), config.search_table),
            index: IndexWithSettings {
                index: Index::new(client.clone(), config.search_index),
                settings: Settings::search(config.search_analyzer.parse()?),
            },
        },
        follows: FollowsTable::new(dynamodb.clone(), config.follows_table),
        mirror: config.mirror_table.zip(config.mirror_index).map(|(table, index)| Pipeline {
            table: MirrorTable::new(dynamodb, table),
            index: IndexWithSettings { index: Index::new(client, index), settings: Settings::mirror() },
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
