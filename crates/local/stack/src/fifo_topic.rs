//! A workaround for MiniStack: its CloudFormation ignores `FifoTopic`, so that messages have no groups and are not
//! deduplicated.

use anyhow::Result;
use aws_client::AwsClient;

/// Makes the topic a FIFO topic.
pub async fn set_fifo(aws: &AwsClient, topic_arn: &str) -> Result<()> {
    let attribute = [
        ("Action", "SetTopicAttributes"),
        ("Version", "2010-03-31"),
        ("TopicArn", topic_arn),
        ("AttributeName", "FifoTopic"),
        ("AttributeValue", "true"),
    ];
    aws.query("sns", &attribute).await.map(drop)
}
