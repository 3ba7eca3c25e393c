//! SQS queues of an emulator.

use aws_client::AwsClient;
use serde_json::{Value, json};

use crate::wait::wait_until;

/// Creates a standard queue and returns its URL.
pub async fn create_queue(aws: &AwsClient, name: &str) -> String {
    create(aws, &json!({"QueueName": name})).await
}

/// Creates a FIFO queue and returns its URL. `name` ends with `.fifo`.
pub async fn create_fifo_queue(aws: &AwsClient, name: &str) -> String {
    create(aws, &json!({"QueueName": name, "Attributes": {"FifoQueue": "true"}})).await
}

async fn create(aws: &AwsClient, input: &Value) -> String {
    let created = aws.json("sqs", "AmazonSQS.CreateQueue", input).await.expect("queue");
    created["QueueUrl"].as_str().expect("URL").to_owned()
}

/// Sends a message to a standard queue.
pub async fn send_message(aws: &AwsClient, queue_url: &str, body: &str) {
    let input = json!({"QueueUrl": queue_url, "MessageBody": body});
    aws.json("sqs", "AmazonSQS.SendMessage", &input).await.expect("message sent");
}

/// Receives and deletes messages until there are `count`; returns their bodies. Panics if there are more.
pub async fn receive_messages(aws: &AwsClient, queue_url: &str, count: usize) -> Vec<String> {
    let mut bodies = Vec::new();
    wait_until(&format!("{count} messages"), async || {
        bodies.extend(take_messages(aws, queue_url, |_| true).await);
        bodies.len() >= count
    })
    .await;
    assert_eq!(bodies.len(), count, "{bodies:?}");
    bodies
}

/// Receives up to ten messages once; deletes and returns those whose body matches. The others are invisible for two
/// seconds.
pub async fn take_messages(aws: &AwsClient, queue_url: &str, matches: impl Fn(&str) -> bool) -> Vec<String> {
    let input = json!({"QueueUrl": queue_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 2});
    let received = aws.json("sqs", "AmazonSQS.ReceiveMessage", &input).await.expect("messages");
    let mut bodies = Vec::new();
    for message in received["Messages"].as_array().into_iter().flatten() {
        let body = message["Body"].as_str().expect("body");
        if matches(body) {
            let input = json!({"QueueUrl": queue_url, "ReceiptHandle": message["ReceiptHandle"]});
            aws.json("sqs", "AmazonSQS.DeleteMessage", &input).await.expect("message deleted");
            bodies.push(body.to_owned());
        }
    }
    bodies
}
