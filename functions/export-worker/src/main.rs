//! `export-worker`: makes people's copies of everything that is stored about them.
//!
//! ```text
//! exports.fifo ─▶ one turn of a copy ─▶ S3 exports (a zip file, in parts)
//!       ▲                    └─▶ push.fifo, when it is ready
//!       └──── the next turn
//! ```
//! A turn reads tables and originals and ends before Lambda's time limit; its progress is in the table `exports`. The queue
//! delivers one message of a copy at a time.

mod archive;
mod bucket;
mod config;
mod document;
mod export;
mod names;
mod originals;
mod ports;
mod profile;
mod progress;
mod services;
mod source;
mod stores;
#[cfg(test)]
mod tests;
mod zip;

use std::{cell::Cell, time::SystemTime};

use aws_lambda_events::sqs::SqsEvent;
use function_kit::{
    aws,
    batch::{self, Queue},
    config::from_env,
    logs,
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use store::exports::ExportTable;

use crate::{
    bucket::Exports, config::Config, export::SIZES, originals::Originals, profile::UserPool, services::Services,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let sdk = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let s3 = aws_sdk_s3::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let queue =
        Queue { sqs: sqs.clone(), url: config.queue_url.clone(), dead_letters_url: config.dead_letter_queue_url };
    let services = Services {
        exports: ExportTable::new(dynamodb.clone(), config.exports_table),
        dynamodb,
        tables: config.tables,
        originals: Originals { s3: s3.clone(), bucket: config.originals_bucket },
        bucket: Exports { s3, bucket: config.exports_bucket },
        users: UserPool::new(&sdk, config.user_pool_id)?,
        sqs,
        queue_url: config.queue_url,
        push_queue_url: config.push_queue_url,
        deadline: Cell::new(SystemTime::now()),
    };
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        services.deadline.set(event.context.deadline());
        let consume = async |body: &str| export::consume(&services, SIZES, body).await;
        batch::run(event.payload, &queue, consume).await.map_err(Error::from)
    }))
    .await
    .map_err(anyhow::Error::from_boxed)
}
