//! The queue of the function that changes who may see the files of stories.

use aws_sdk_sqs::Client;
use domain::{media::MediaId, story_files};
use function_kit::failure::Failure;

/// The queue: [`StoryFilesQueue`] in production, memory in tests.
pub trait StoryFiles {
    /// Has the visibility of an item compared with that of its story.
    async fn check(&self, item: MediaId) -> Result<(), Failure>;
}

/// The queue in SQS.
pub struct StoryFilesQueue {
    sqs: Client,
    url: String,
}

impl StoryFilesQueue {
    /// The queue at `url`.
    pub fn new(sqs: Client, url: String) -> Self {
        Self { sqs, url }
    }
}

impl StoryFiles for StoryFilesQueue {
    async fn check(&self, item: MediaId) -> Result<(), Failure> {
        const DOING: &str = "send an item whose visibility is to be compared with its story's";
        let message = story_files::StoryFiles::File { item };
        let body = serde_json::to_string(&message).map_err(|error| Failure::bug(DOING, error))?;
        let send = self.sqs.send_message().queue_url(&self.url).message_body(body).send().await;
        send.map(drop).map_err(|error| Failure::aws(DOING, error))
    }
}
