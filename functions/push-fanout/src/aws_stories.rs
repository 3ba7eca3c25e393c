use domain::{
    media::Post,
    story_files::{StoryFiles, StoryPage},
};
use function_kit::failure::Failure;

use crate::{aws::Aws, ports::Stories};

impl Stories for Aws {
    async fn check_files(&self, story: Post) -> Result<(), Failure> {
        const DOING: &str = "send a story whose files are to be looked at";
        let message = StoryFiles::Story(StoryPage::first(story));
        let body = serde_json::to_string(&message).map_err(|error| Failure::bug(DOING, error))?;
        let send = self.sqs.send_message().queue_url(&self.story_files_queue_url).message_body(body).send().await;
        send.map(drop).map_err(|error| Failure::aws(DOING, error))
    }
}
