//! `search-api`: searches stories, people and tags.
//!
//! ```text
//! request ─▶ whom the caller follows (table) ─▶ search (OpenSearch) ─▶ content (tables) ─▶ response
//! ```

mod config;
mod cursor;
mod handler;
mod request;
mod response;
mod search_index;
#[cfg(test)]
mod tests;
mod visibility_filter;

use function_kit::{aws, config::from_env, logs};
use opensearch::{Client, Index};
use rest_kit::{page_token::LazyTokenCipher, serve::serve_by_cost};
use store::{audience::AudienceTable, follows::FollowsTable, relations::Relations, search::SearchTable};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: config::Config = from_env()?;
    let sdk = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let ports = handler::Ports {
        index: Index::new(Client::new(&sdk, &config.opensearch_endpoint_url)?, config.search_index),
        visibility: visibility_filter::VisibilityFilter {
            entries: SearchTable::new(dynamodb.clone(), config.search_table),
            relations: Relations { audience: AudienceTable::new(dynamodb.clone(), config.audience_table) },
            follows: FollowsTable::new(dynamodb, config.follows_table),
        },
        cipher: LazyTokenCipher::new(aws_sdk_secretsmanager::Client::new(&sdk), config.sealing_secret_arn),
    };
    serve_by_cost(request::Request::cost, async |request| handler::handle(&ports, request).await).await
}
