//! The stack's queues, as its administrator sees them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use aws_client::AwsClient;
use serde_json::{Value, json};
use stack::Stack;

use super::operation::Queue;

/// Longer than the function may run (template.yaml), as on AWS, but not as much longer: a minute of a
/// history stands for a quarter of an hour.
fn visibility_seconds(queue: Queue) -> u32 {
    match queue {
        Queue::Thumbnail | Queue::Push => 65,
        Queue::Metadata | Queue::Search => 35,
        // That one may run for a quarter of an hour, but not with recordings of two seconds.
        Queue::Audio => 95,
    }
}

/// So often may a message be tried: faults and kills are as many times more frequent.
const TRIES: u32 = 20;

/// Makes the queues as impatient as the history is short.
pub async fn hurry(stack: &Stack) -> Result<()> {
    let aws = stack.aws();
    for queue in Queue::ALL {
        let url = stack.output(&queue.output())?;
        let answer =
            call(&aws, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["RedrivePolicy"]})).await?;
        let policy = answer["Attributes"]["RedrivePolicy"].as_str().context("a queue without dead letters")?;
        let mut policy: Value = serde_json::from_str(policy)?;
        policy["maxReceiveCount"] = TRIES.into();
        let attributes =
            json!({"RedrivePolicy": policy.to_string(), "VisibilityTimeout": visibility_seconds(queue).to_string()});
        call(&aws, "SetQueueAttributes", &json!({"QueueUrl": url, "Attributes": attributes})).await?;
    }
    Ok(())
}

/// How many messages wait in all queues, or are being worked on.
pub async fn waiting(stack: &Stack, queues: &[Queue]) -> Result<u64> {
    let aws = stack.aws();
    let mut waiting = 0;
    for queue in queues {
        let input = json!({"QueueUrl": stack.output(&queue.output())?, "AttributeNames": ["All"]});
        let answer = call(&aws, "GetQueueAttributes", &input).await?;
        for name in [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ] {
            let number = answer["Attributes"][name].as_str().and_then(|number| number.parse::<u64>().ok());
            waiting += number.with_context(|| format!("a queue without {name}"))?;
        }
    }
    Ok(waiting)
}

/// Puts a message into a queue, as if S3 or the bus had.
pub async fn send(stack: &Stack, queue: Queue, body: &str) -> Result<()> {
    let mut input = json!({"QueueUrl": stack.output(&queue.output())?, "MessageBody": body});
    if queue.is_fifo() {
        input["MessageGroupId"] = body.into();
        input["MessageDeduplicationId"] = body.into();
    }
    call(&stack.aws(), "SendMessage", &input).await.map(drop)
}

/// Takes all there is out of a queue.
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
            bodies.push(message["Body"].as_str().context("a message without a body")?.to_owned());
        }
    }
}

/// The same for a queue's dead letters, each once: a burial whose answer was lost is done again.
pub async fn dead_letters(stack: &Stack, output: &str) -> Result<BTreeSet<String>> {
    Ok(drain(&stack.aws(), stack.output(output)?).await?.into_iter().collect())
}

/// A queue of our own that hears of all files as the stack's queues do; its URL.
pub async fn listen(stack: &Stack) -> Result<String> {
    let aws = stack.aws();
    let topics = [stack.output("PictureEventsArn")?, stack.output("AudioEventsArn")?];
    let created = call(&aws, "CreateQueue", &json!({"QueueName": "chaos-listener"})).await?;
    let url = created["QueueUrl"].as_str().context("a queue without URL")?.to_owned();
    let answer = call(&aws, "GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["QueueArn"]})).await?;
    let arn = answer["Attributes"]["QueueArn"].as_str().context("a queue without ARN")?;
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
