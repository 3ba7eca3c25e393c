//! The bus of the graph's changes, where the emulator needs help: MiniStack's CloudFormation forgets
//! that a topic is FIFO, and what comes from it then has no groups, and is never the same.

use anyhow::Result;
use aws_client::AwsClient;

/// Has the topic keep the order of its groups, and let through what comes twice once.
pub async fn keep_order(aws: &AwsClient, topic_arn: &str) -> Result<()> {
    let attribute = [
        ("Action", "SetTopicAttributes"),
        ("Version", "2010-03-31"),
        ("TopicArn", topic_arn),
        ("AttributeName", "FifoTopic"),
        ("AttributeValue", "true"),
    ];
    aws.query("sns", &attribute).await.map(drop)
}
