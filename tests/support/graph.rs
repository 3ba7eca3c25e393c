//! What tests do with the graph of the deployed stack.

use std::time::{Duration, Instant};

use domain::graph::Position;
use http::Method;
use local::neptune::Commit;
use serde_json::{Value, json};

use super::{Deployed, PATIENCE};

impl Deployed {
    /// Writes to the graph; the commit's number.
    pub async fn commit(&self, commit: &Commit) -> u64 {
        let committed = self.stack.neptune().commit(commit).await.expect("written");
        committed.commit_num.expect("something changed")
    }

    /// Waits until all commits so far are on the bus, and nothing is left in `queue` (an output's
    /// name).
    pub async fn settle(&self, queue: &str) {
        let head = self.stack.neptune().head().await.expect("the head").head;
        let head = Position::new(head.commit_num, head.op_num);
        let start = Instant::now();
        while self.checkpoint().await < Some(head) || self.waiting(queue).await > 0 {
            assert!(start.elapsed() < PATIENCE, "not all has been looked at: {:?} of {head}", self.checkpoint().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Publishes the whole stream once more; the poller's answer.
    pub async fn replay_all(&self) -> Value {
        let head = self.stack.neptune().head().await.expect("the head").head;
        let order = json!({"replay": {"from": "1/1", "to": format!("{}/{}", head.commit_num, head.op_num)}});
        let answer = self.invoke("StreamPollerName", &order).await;
        assert_eq!(answer["complete"], true, "{answer}");
        answer
    }

    /// What a function (an output with its name) answers to an event.
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.output(function));
        let body = event.to_string().into_bytes();
        let answer = self.aws.send("lambda", Method::POST, &path, &[], body).await.expect("an answer");
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Up to where the stream has been published.
    async fn checkpoint(&self) -> Option<Position> {
        let table = self.output("CheckpointTableName");
        let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
        let row = self.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &input).await.expect("a row");
        let (commit, op) = row["Item"]["position"]["S"].as_str()?.split_once('/')?;
        Some(Position::new(commit.parse().ok()?, op.parse().ok()?))
    }

    /// How many messages are in the queue or in work.
    async fn waiting(&self, queue: &str) -> u64 {
        let input = json!({"QueueUrl": self.output(queue), "AttributeNames": ["All"]});
        let answer = self.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
        let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
        let number = |name| number(name).expect("a number");
        number("ApproximateNumberOfMessages") + number("ApproximateNumberOfMessagesNotVisible")
    }
}
