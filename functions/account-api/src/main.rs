//! `account-api`: erases accounts, and takes requests for copies of everything about a person.
//!
//! ```text
//! POST /v1/me/exports ─▶ exports.fifo ─▶ export-worker
//! DELETE /v1/me ─▶ erasure-queue ─▶ one step of the erasure ─▶ erasure-queue, or the queue of the function that does the next
//! ```

mod config;
mod erasure;
mod export_files;
mod exports;
mod handler;
mod originals;
mod ports;
mod request;
mod services;
#[cfg(test)]
mod tests;
mod users;

use anyhow::Context;
use aws_lambda_events::sqs::SqsBatchResponse;
use function_kit::{
    aws,
    batch::{self, Queue},
    config::from_env,
    failure::Failure,
    logs,
};
use jiff::Timestamp;
use rest_kit::serve::serve_with_job;
use store::{
    accounts::AccountTable, exports::ExportTable, inbox::ReadMarks, quotas::QuotasTable, reports::ReportTable,
};

use crate::{config::Config, export_files::ExportFiles, originals::Originals, services::Services, users::UserPool};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let sdk = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let sqs = aws_sdk_sqs::Client::new(&sdk);
    let s3 = aws_sdk_s3::Client::new(&sdk);
    let queue =
        Queue { sqs: sqs.clone(), url: config.queue_url.clone(), dead_letters_url: config.dead_letter_queue_url };
    let services = Services {
        accounts: AccountTable::new(dynamodb.clone(), config.accounts_table),
        read_marks: ReadMarks::new(dynamodb.clone(), config.inbox_read_table),
        quotas: QuotasTable::new(dynamodb.clone(), config.quotas_table),
        reports: ReportTable::new(dynamodb.clone(), config.reports_table),
        exports: ExportTable::new(dynamodb.clone(), config.exports_table),
        originals: Originals { s3: s3.clone(), bucket: config.originals_bucket },
        export_files: ExportFiles {
            s3,
            bucket: config.exports_bucket,
            credentials: sdk.credentials_provider().context("no credentials")?,
        },
        exports_queue_url: config.exports_queue_url,
        exports_per_day: config.exports_per_day,
        users: UserPool::new(&sdk, config.user_pool_id)?,
        sns: aws_sdk_sns::Client::new(&sdk),
        account_events_topic_arn: config.account_events_topic_arn,
        sqs,
        queue_url: config.queue_url,
        push_queue_url: config.push_queue_url,
        push_events_queue_url: config.push_events_queue_url,
        wait: jiff::SignedDuration::from_secs(config.erasure_wait_seconds.into()),
    };
    serve_with_job(
        async |request| handler::handle(&services, Timestamp::now(), request).await,
        async |event, _| -> Result<SqsBatchResponse, Failure> {
            let batch = serde_json::from_value(event).map_err(|error| Failure::bug("read a batch", error))?;
            batch::run(batch, &queue, async |body| erasure::consume(&services, body).await).await
        },
    )
    .await
}
