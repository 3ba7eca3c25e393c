//! `upload-api`: validates declarations and signs uploads. Stores nothing of them but what counts to people's budgets.

mod budget;
mod config;
mod handler;
mod ledger;
mod originals;
mod progress;
mod request;
mod response;
mod signer;
mod upload_handle;

use anyhow::Context;
use function_kit::{aws, config::from_env, logs};
use jiff::Timestamp;
use rest_kit::{page_token::LazyTokenCipher, serve::serve};
use store::{media::MediaTable, quotas::QuotasTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: config::Config = from_env()?;
    let aws = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let s3 = aws_sdk_s3::Client::new(&aws);
    let ports = handler::Ports {
        originals: originals::Originals { s3: s3.clone(), bucket: config.originals_bucket.clone() },
        signer: signer::Signer {
            s3,
            bucket: config.originals_bucket,
            credentials: aws.credentials_provider().context("no credentials are configured")?,
        },
        cipher: LazyTokenCipher::new(aws_sdk_secretsmanager::Client::new(&aws), config.sealing_secret_arn),
        budgets: budget::Budgets {
            ledger: ledger::Tables {
                quotas: QuotasTable::new(dynamodb.clone(), config.quotas_table),
                media: MediaTable::new(dynamodb, config.media_table),
            },
            budget: from_env::<budget::Limits>()?.into(),
        },
        offers_audio: config.offers_audio.as_deref() != Some("false"),
    };
    serve(async |request| handler::handle(&ports, request, Timestamp::now()).await).await
}
