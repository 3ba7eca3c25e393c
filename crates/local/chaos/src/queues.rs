//! The queues of the stack, accessed by the administrator.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use aws_client::AwsClient;
use serde_json::{Value, json};
use stack::Stack;

use super::operation::Queue;

/// Visibility timeouts for chaos tests, in seconds: longer than the timeouts of the functions (template.yaml), but much
/// shorter than on AWS.
fn visibility_seconds(queue: Queue) -> u32 {
    match queue {
        Queue::Thumbnail | Queue::Push => 65,
        Queue::Metadata
        | Queue::PictureReports
        | Queue::SoundReports
        | Queue::Search
        | Queue::StoryFiles
        | Queue::Erasure
        | Queue::PushEvents => 35,
        // audio-worker may run for 15 minutes, and export-worker for five, but not for these small files.
        Queue::Audio | Queue::Exports => 95,
    }
}

/// The outputs with the URLs of a function's queues. audio-worker moves messages to a second one.
fn outputs(queue: Queue) -> Vec<String> {
    let second = (queue == Queue::Audio).then(|| "SlowAudioQueueUrl".to_owned());
    [queue.output()].into_iter().chain(second).collect()
}

/// `maxReceiveCount` for chaos tests. Faults are much more frequent than on AWS.
const MAX_RECEIVES: u32 = 20;

/// Sets the visibility timeouts and `maxReceiveCount` for chaos tests.
pub async fn shorten_timeouts(stack: &Stack) -> Result<()> {
    let aws = stack.aws();
    for (queue, output) in
        Queue::ALL.into_iter().flat_map(|queue| outputs(queue).into_iter().map(move |output| (queue, output)))
    {
        let url = stack.output(&output)?;
        let response =
            call(&aws, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["RedrivePolicy"]})).await?;
        let policy = response["Attributes"]["RedrivePolicy"].as_str().context("the queue has no dead-letter queue")?;
        let mut policy: Value = serde_json::from_str(policy)?;
        policy["maxReceiveCount"] = MAX_RECEIVES.into();
        let attributes =
            json!({"RedrivePolicy": policy.to_string(), "VisibilityTimeout": visibility_seconds(queue).to_string()});
        call(&aws, "SetQueueAttributes", &json!({"QueueUrl": url, "Attributes": attributes})).await?;
    }
    Ok(())
}

/// Number of messages in these queues, including messages in flight.
pub async fn pending_messages(stack: &Stack, queues: &[Queue]) -> Result<u64> {
    let aws = stack.aws();
    let mut pending = 0;
    for output in queues.iter().flat_map(|queue| outputs(*queue)) {
        let input = json!({"QueueUrl": stack.output(&output)?, "AttributeNames": ["All"]});
        let response = call(&aws, "GetQueueAttributes", &input).await?;
        for name in [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ] {
            let number = response["Attributes"][name].as_str().and_then(|number| number.parse::<u64>().ok());
            pending += number.with_context(|| format!("the queue has no {name}"))?;
        }
    }
    Ok(pending)
}

/// Sends a message to a queue.
pub async fn send(stack: &Stack, queue: Queue, body: &str) -> Result<()> {
    let mut input = json!({"QueueUrl": stack.output(&queue.output())?, "MessageBody": body});
    if queue.is_fifo() {
        input["MessageGroupId"] = body.into();
        input["MessageDeduplicationId"] = body.into();
    }
    call(&stack.aws(), "SendMessage", &input).await.map(drop)
}

/// Receives and deletes all messages of a queue.
pub async fn drain(aws: &AwsClient, url: &str) -> Result<Vec<String>> {
    let mut bodies = Vec::new();
    loop {
        let input = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 30});
        let received = call(aws, "ReceiveMessage", &input).await?;
        let messages = received["Messages"].as_array().cloned().unwrap_or_default();
        if messages.is_empty() {
            return Ok(bodies);
        }
        for message in messages {
            let input = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
            call(aws, "DeleteMessage", &input).await?;
            bodies.push(message["Body"].as_str().context("the message has no body")?.to_owned());
        }
    }
}

/// Receives and deletes all dead letters, deduplicated: a send with a lost response is repeated.
pub async fn dead_letters(stack: &Stack, output: &str) -> Result<BTreeSet<String>> {
    Ok(drain(&stack.aws(), stack.output(output)?).await?.into_iter().collect())
}

/// Creates a queue that receives the same S3 events as the functions, and returns its URL.
pub async fn create_listener(stack: &Stack) -> Result<String> {
    let aws = stack.aws();
    let topics = [stack.output("PictureEventsArn")?, stack.output("AudioEventsArn")?];
    let created = call(&aws, "CreateQueue", &json!({"QueueName": "chaos-listener"})).await?;
    let url = created["QueueUrl"].as_str().context("the queue has no URL")?.to_owned();
    let response = call(&aws, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]})).await?;
    let arn = response["Attributes"]["QueueArn"].as_str().context("the queue has no ARN")?;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topics}}
    }]});
    let attributes = json!({"Policy": policy.to_string()});
    call(&aws, "SetQueueAttributes", &json!({"QueueUrl": url, "Attributes": attributes})).await?;
    for topic in topics {
        let subscribe = [
            ("Action", "Subscribe"),
            ("Version", "2010-03-31"),
            ("TopicArn", topic),
            ("Protocol", "sqs"),
            ("Endpoint", arn),
            ("Attributes.entry.1.key", "RawMessageDelivery"),
            ("Attributes.entry.1.value", "true"),
        ];
        aws.query("sns", &subscribe).await?;
    }
    Ok(url)
}

async fn call(aws: &AwsClient, action: &str, input: &Value) -> Result<Value> {
    aws.json("sqs", &format!("AmazonSQS.{action}"), input).await
}
