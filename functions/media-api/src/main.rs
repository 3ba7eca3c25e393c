//! `media-api`: returns and deletes media items, takes reports of them, and changes who may see them. From a queue, gives files
//! the visibility of their story.

use aws_lambda_events::sqs::SqsBatchResponse;
use function_kit::{
    aws,
    batch::{self, Queue},
    config::from_env,
    failure::Failure,
    logs,
    metrics::Metrics,
};
use jiff::Timestamp;
use media_api::{
    config::{Config, DeliveryKeys},
    handler::{self, Ports},
    links::{Links, Signing},
    originals::Originals,
    reports::Reports,
    signing_key::SigningKey,
    story_files,
};
use rest_kit::{page_token::LazyTokenCipher, serve::serve_by_cost_with_job};
use store::{
    audience::AudienceTable, media::MediaTable, quotas::QuotasTable, relations::Relations, reports::ReportTable,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let delivery_keys: DeliveryKeys = from_env()?;
    let aws = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let s3 = aws_sdk_s3::Client::new(&aws);
    let secrets = aws_sdk_secretsmanager::Client::new(&aws);
    let signing = match config.delivery_key_secret_arn {
        Some(secret_arn) => {
            Signing::CloudFront(Box::new(SigningKey::new(secrets.clone(), secret_arn, delivery_keys.trusted())))
        }
        None => Signing::Bucket { s3: s3.clone(), bucket: config.derived_bucket },
    };
    let ports = Ports {
        table: MediaTable::new(dynamodb.clone(), config.media_table),
        relations: Relations { audience: AudienceTable::new(dynamodb.clone(), config.audience_table) },
        reports: Reports {
            table: ReportTable::new(dynamodb.clone(), config.reports_table),
            quotas: QuotasTable::new(dynamodb, config.quotas_table),
            per_day: config.reports_per_day,
            metrics: Metrics::from_env(),
        },
        originals: Originals { s3, bucket: config.originals_bucket },
        links: Links { base_url: config.delivery_base_url, signing },
        cipher: LazyTokenCipher::new(secrets, config.sealing_secret_arn),
    };
    let queue = Queue {
        sqs: aws_sdk_sqs::Client::new(&aws),
        url: config.queue_url,
        dead_letters_url: config.dead_letter_queue_url,
    };
    serve_by_cost_with_job(
        handler::cost,
        async |request| {
            let response = handler::handle(&ports, request, Timestamp::now()).await;
            ports.reports.metrics.flush();
            response
        },
        async |event, _| -> Result<SqsBatchResponse, Failure> {
            let batch = serde_json::from_value(event).map_err(|error| Failure::bug("read a batch", error))?;
            batch::run(batch, &queue, async |body| story_files::consume(&ports, &queue, body).await).await
        },
    )
    .await
}
