use aws_sdk_sqs::Client;
use domain::{media::Report, message::escape_noncharacters};
use function_kit::failure::Failure;

/// Sends reports to `metadata-writer`.
#[derive(Debug, Clone)]
pub struct Reports {
    /// The SQS client.
    pub sqs: Client,
    /// The URL of `metadata-queue`.
    pub queue_url: String,
}

impl Reports {
    /// Sends the result of processing an original.
    pub async fn send(&self, report: &Report) -> Result<(), Failure> {
        let body = serde_json::to_string(report).map_err(|error| Failure::bug("serialise the report", error))?;
        let send = self.sqs.send_message().queue_url(&self.queue_url).message_body(escape_noncharacters(body));
        send.send().await.map(drop).map_err(|error| Failure::aws("send the report", error))
    }
}
