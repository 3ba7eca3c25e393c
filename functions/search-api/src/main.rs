//! `search-api`: finds stories, people and tags.
//!
//! ```text
//! request ─▶ the index finds ─▶ the table says what is shown, and to whom ─▶ answer
//! ```

mod answer;
mod config;
mod cursor;
mod find;
mod handler;
mod request;
mod visible;

use function_kit::{aws, logs};
use opensearch::{Client, Index};
use rest_kit::{page_token::LazyTokenCipher, serve::serve};
use store::{audience::AudienceTable, relations::Relations, search::SearchTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config = config::Config::from_env()?;
    let sdk = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let ports = handler::Ports {
        index: Index::new(Client::new(&sdk, &config.opensearch_endpoint_url)?, config.search_index),
        visible: visible::Visible {
            entries: SearchTable::new(dynamodb.clone(), config.search_table),
            relations: Relations { audience: AudienceTable::new(dynamodb, config.audience_table) },
        },
        cipher: LazyTokenCipher::new(aws_sdk_secretsmanager::Client::new(&sdk), config.sealing_secret_arn),
    };
    serve(async |request| handler::handle(&ports, request).await).await.map_err(anyhow::Error::from_boxed)
}
