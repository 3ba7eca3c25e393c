use std::{cell::RefCell, collections::HashSet, time::Instant};

use anyhow::{Context, Result};
use aws_client::AwsClient;
use domain::media::{Notification, ObjectChange};
use serde_json::{Value, json};
use stack::Stack;

use super::format::{elapsed, list};

/// A queue that is subscribed to the picture events, which the functions also receive.
pub struct Events {
    aws: AwsClient,
    queue_url: String,
    subscription: String,
    /// Ids of printed messages: SNS can deliver twice.
    printed: RefCell<HashSet<String>>,
}

impl Events {
    /// Creates and subscribes the queue.
    pub async fn subscribe(stack: &Stack) -> Result<Self> {
        let aws = stack.aws();
        let topic = stack.output("PictureEventsArn")?;
        let created = aws.json("sqs", "AmazonSQS.CreateQueue", &json!({"QueueName": "demo-events"})).await?;
        let queue_url = created["QueueUrl"].as_str().context("the queue has no URL")?.to_owned();
        let input = json!({"QueueUrl": queue_url, "AttributeNames": ["QueueArn"]});
        let attributes = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await?;
        let queue = attributes["Attributes"]["QueueArn"].as_str().context("the queue has no ARN")?.to_owned();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": queue, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}
        }]});
        let attributes = json!({"QueueUrl": queue_url, "Attributes": {"Policy": policy.to_string()}});
        aws.json("sqs", "AmazonSQS.SetQueueAttributes", &attributes).await?;
        let parameters = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", &queue),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ];
        let subscribed = aws.query("sns", &parameters).await?;
        let subscription = subscribed.split_once("<SubscriptionArn>").and_then(|(_, rest)| rest.split_once('<'));
        let subscription = subscription.context("the subscription has no ARN")?.0.to_owned();
        Ok(Self { aws, queue_url, subscription, printed: RefCell::default() })
    }

    /// Removes the queue and its subscription, so that the stack is as it was deployed.
    pub async fn unsubscribe(self) -> Result<()> {
        let subscription = ("SubscriptionArn", self.subscription.as_str());
        self.aws.query("sns", &[("Action", "Unsubscribe"), ("Version", "2010-03-31"), subscription]).await?;
        self.aws.json("sqs", "AmazonSQS.DeleteQueue", &json!({"QueueUrl": self.queue_url})).await.map(drop)
    }

    /// Prints the events about `key` that have arrived since the last call.
    pub async fn print_new(&self, key: &str, start: Instant) -> Result<()> {
        let input = json!({"QueueUrl": self.queue_url, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 0});
        let received = self.aws.json("sqs", "AmazonSQS.ReceiveMessage", &input).await?;
        for message in list(&received["Messages"]) {
            let input = json!({"QueueUrl": self.queue_url, "ReceiptHandle": message["ReceiptHandle"]});
            self.aws.json("sqs", "AmazonSQS.DeleteMessage", &input).await?;
            let id = message["MessageId"].as_str().unwrap_or_default().to_owned();
            if self.printed.borrow_mut().insert(id) {
                print(message, key, start)?;
            }
        }
        Ok(())
    }
}

fn print(message: &Value, key: &str, start: Instant) -> Result<()> {
    let notification = Notification::parse(message["Body"].as_str().unwrap_or_default())?;
    for event in notification.events.iter().filter(|event| event.key == key) {
        let change = match event.change {
            ObjectChange::Created { .. } => "created",
            ObjectChange::Removed => "removed",
        };
        println!("    {} event: object {change}, sequencer {}", elapsed(start), event.sequencer);
    }
    Ok(())
}
