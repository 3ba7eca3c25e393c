//! `inbox-api`: returns a user's notifications, and stores how far the user has read.

use function_kit::{aws, config::from_env, logs};
use inbox_api::{
    config::Config,
    handler::{self, Ports},
};
use jiff::Timestamp;
use rest_kit::{page_token::LazyTokenCipher, serve::serve_by_cost};
use store::{
    audience::AudienceTable,
    inbox::{InboxTable, ReadMarks},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    logs::init();
    let config: Config = from_env()?;
    let sdk = aws::sdk_config();
    let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
    let ports = Ports {
        inbox: InboxTable::new(dynamodb.clone(), config.inbox_table),
        read_marks: ReadMarks::new(dynamodb.clone(), config.inbox_read_table),
        audience: AudienceTable::new(dynamodb, config.audience_table),
        cipher: LazyTokenCipher::new(aws_sdk_secretsmanager::Client::new(&sdk), config.sealing_secret_arn),
    };
    serve_by_cost(handler::cost, async |request| handler::handle(&ports, Timestamp::now(), request).await).await
}
