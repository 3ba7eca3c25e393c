use aws_sdk_sqs::Client;
use domain::{media::Report, message::escape_noncharacters};
use function_kit::failure::Failure;

/// The way to `metadata-writer`.
#[derive(Debug, Clone)]
pub struct Reports {
    /// How to reach SQS.
    pub sqs: Client,
    /// Of `metadata-queue`.
    pub queue_url: String,
}

impl Reports {
    /// Tells what came of an original.
    pub async fn send(&self, report: &Report) -> Result<(), Failure> {
        let body = serde_json::to_string(report).map_err(|error| Failure::bug("write the report", error))?;
        self.sqs
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(escape_noncharacters(body))
            .send()
            .await
            .map_err(|error| Failure::aws("report", error))?;
        Ok(())
    }
}
