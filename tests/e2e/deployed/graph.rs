//! The graph, and the stream of its changes.

use domain::graph::Position;
use http::Method;
use neptune::Commit;
use serde_json::{Value, json};
use test_support::wait::wait_until;

use super::Deployed;
use crate::stack_lock::invoke_poller;

impl Deployed {
    /// Commits to the graph; returns the commit's number.
    pub async fn commit(&self, commit: &Commit) -> u64 {
        let committed = self.stack.neptune().commit(commit).await.expect("commit");
        committed.commit_num.expect("a change")
    }

    /// Waits until all commits so far are published, and a queue (the name of an output) is empty.
    pub async fn wait_until_consumed(&self, queue: &str) {
        let head = self.stack.neptune().head().await.expect("head").head;
        let head = Position::new(head.commit_num, head.op_num);
        wait_until(&format!("{queue} to be empty after {head}"), async || {
            self.checkpoint().await >= Some(head) && self.is_queue_empty(queue).await
        })
        .await;
    }

    /// Publishes the whole stream again; returns the poller's response.
    pub async fn replay_stream(&self) -> Value {
        let head = self.stack.neptune().head().await.expect("head").head;
        let replay = json!({"replay": {"from": "1/1", "to": format!("{}/{}", head.commit_num, head.op_num)}});
        let response = self.invoke_poller(&replay).await;
        assert_eq!(response["complete"], true, "{response}");
        response
    }

    /// Invokes the poller with an order.
    pub async fn invoke_poller(&self, order: &Value) -> Value {
        let _lock = invoke_poller().await;
        self.invoke("StreamPollerName", order).await
    }

    /// Invokes a function (the name of an output).
    pub async fn invoke(&self, function: &str, event: &Value) -> Value {
        let path = format!("/2015-03-31/functions/{}/invocations", self.output(function));
        let body = event.to_string().into_bytes();
        let response = self.aws.send("lambda", Method::POST, &path, &[], body).await.expect("response");
        serde_json::from_slice(&response.body).expect("JSON")
    }

    /// Whether a queue (the name of an output) has no messages, visible or in flight.
    pub async fn is_queue_empty(&self, queue: &str) -> bool {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let input = json!({"QueueUrl": self.output(queue), "AttributeNames": names});
        let response = self.aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
        names.iter().all(|name| response["Attributes"][name] == "0")
    }

    /// The position up to which the stream is published.
    async fn checkpoint(&self) -> Option<Position> {
        let table = self.output("CheckpointTableName");
        let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
        let row = self.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &input).await.expect("row");
        let (commit, op) = row["Item"]["position"]["S"].as_str()?.split_once('/')?;
        Some(Position::new(commit.parse().ok()?, op.parse().ok()?))
    }
}
