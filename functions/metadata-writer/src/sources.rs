use aws_lambda_events::sqs::SqsEvent;
use domain::media::Worker;
use function_kit::batch::Queue;

use crate::handler::Sender;

/// The function's queues. Each has one sender, which its policy or the sender's role ensures (template.yaml).
pub struct Sources {
    pub events: Queue,
    pub picture_reports: Queue,
    pub sound_reports: Queue,
}

impl Sources {
    /// The queue of a batch, and the sender of its messages.
    ///
    /// Invocations by hand name no queue. They are those of an operator, who may also repeat events.
    pub fn of(&self, batch: &SqsEvent) -> (&Queue, Sender) {
        if batch.records.iter().all(|record| record.event_source_arn.is_none()) {
            return (&self.events, Sender::Operator);
        }
        let workers = [(&self.picture_reports, Worker::Pictures), (&self.sound_reports, Worker::Sound)];
        let found = workers.into_iter().find(|(queue, _)| queue.is_source_of(batch));
        found.map_or((&self.events, Sender::S3), |(queue, worker)| (queue, Sender::Worker(worker)))
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::json;

    use super::*;

    #[test]
    fn sender_is_that_of_the_queue() {
        let rule = mock!(aws_sdk_sqs::Client::send_message)
            .then_output(|| aws_sdk_sqs::operation::send_message::SendMessageOutput::builder().build());
        let sqs = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&rule]);
        let queue = |name: &str| Queue {
            sqs: sqs.clone(),
            url: format!("https://sqs.ap-northeast-2.amazonaws.com/1/{name}"),
            dead_letters_url: format!("https://sqs.ap-northeast-2.amazonaws.com/1/{name}-dead"),
        };
        let sources =
            Sources { events: queue("events"), picture_reports: queue("pictures"), sound_reports: queue("sound") };
        let of = |arn: Option<&str>| {
            let record = json!({"messageId": "1", "body": "{}", "eventSourceARN": arn});
            let batch = serde_json::from_value(json!({"Records": [record]})).expect("an event");
            let (queue, sender) = sources.of(&batch);
            (queue.url.clone(), sender)
        };
        for (name, sender) in [
            ("events", Sender::S3),
            ("pictures", Sender::Worker(Worker::Pictures)),
            ("sound", Sender::Worker(Worker::Sound)),
        ] {
            let arn = format!("arn:aws:sqs:ap-northeast-2:1:{name}");
            assert_eq!(of(Some(&arn)), (queue(name).url, sender));
        }
        assert_eq!(of(None), (queue("events").url, Sender::Operator));
    }
}
