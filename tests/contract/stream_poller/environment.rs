//! The resources that the poller uses.

use aws_client::AwsClient;
use lambda_runtime_api::Function;
use neptune::{Commit, NeptuneEmulator, Options};
use serde_json::{Value, json};
use test_support::queues::create_fifo_queue;

use crate::emulated_aws::EmulatedAws;

/// An emulator with the event bus, a queue behind it and the checkpoint's table; and an emulator of Neptune.
pub struct PollerEnvironment {
    emulated: EmulatedAws,
    pub aws: AwsClient,
    pub neptune: NeptuneEmulator,
    topic: String,
    pub queue: String,
    dead_letter_queue: String,
}

impl PollerEnvironment {
    pub async fn start(name: &str) -> Self {
        let emulated = EmulatedAws::start(&format!("poller-{name}"));
        let aws = emulated.client.clone();
        let neptune = NeptuneEmulator::start(Options::default()).expect("emulator");
        let topic = create_topic(&aws).await;
        let queue = create_fifo_queue(&aws, "changes.fifo").await;
        let dead_letter_queue = create_fifo_queue(&aws, "changes-dlq.fifo").await;
        subscribe(&aws, &topic, &queue).await;
        emulated.create_table("checkpoint", &["stream"]).await;
        Self { emulated, aws, neptune, topic, queue, dead_letter_queue }
    }

    /// Starts the poller. `mode` is `follow` or `drain`.
    pub async fn start_function(&self, mode: &str) -> Function {
        let neptune = self.neptune.endpoint();
        let settings = [
            ("NEPTUNE_ENDPOINT_URL", neptune.as_str()),
            ("CLUSTER", "main"),
            ("CHECKPOINT_TABLE", "checkpoint"),
            ("GRAPH_CHANGES_TOPIC_ARN", &self.topic),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letter_queue),
            ("POLL_MODE", mode),
        ];
        self.emulated.start_function("StreamPoller", &settings).await
    }

    /// Starts the export of the graph, into the queue behind the bus.
    pub async fn start_graph_export(&self) -> Function {
        let neptune = self.neptune.endpoint();
        let settings = [
            ("NEPTUNE_ENDPOINT_URL", neptune.as_str()),
            ("CLUSTER", "main"),
            ("CHECKPOINT_TABLE", "checkpoint"),
            ("EXPORT_QUEUE_URL", &self.queue),
        ];
        self.emulated.start_function("GraphExport", &settings).await
    }

    pub async fn checkpoint_row(&self) -> Value {
        let get = json!({"TableName": "checkpoint", "Key": {"stream": {"S": "main"}}, "ConsistentRead": true});
        self.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &get).await.expect("response")["Item"].clone()
    }

    /// Ends the lease, as if its time had passed.
    pub async fn expire_lease(&self) {
        let update = json!({
            "TableName": "checkpoint", "Key": {"stream": {"S": "main"}},
            "UpdateExpression": "SET expires_at = :past",
            "ExpressionAttributeValues": {":past": {"N": "0"}}
        });
        self.aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", &update).await.expect("response");
    }

    /// Commits a change of one of seven vertices, and from the eighth commit on a new edge.
    pub async fn commit(&self, number: u64) {
        let (id, other) = (format!("p{}", number % 7), format!("f{number}"));
        let set = Commit::new().set(&id, "name", number as i32);
        let commit = match number {
            0..7 => Commit::new().add_vertex(&id, ["person"]).set(&id, "name", number as i32),
            _ => set.add_edge(&other, "follows", &id, "p0"),
        };
        self.neptune.client().commit(&commit).await.expect("commit");
    }
}

async fn create_topic(aws: &AwsClient) -> String {
    let topic =
        [("Name", "graph-changes.fifo"), ("Attributes.entry.1.key", "FifoTopic"), ("Attributes.entry.1.value", "true")];
    let created = sns(aws, "CreateTopic", &topic).await;
    let arn = created.split_once("<TopicArn>").and_then(|(_, rest)| rest.split_once("</TopicArn>"));
    arn.expect("ARN").0.to_owned()
}

async fn subscribe(aws: &AwsClient, topic: &str, queue: &str) {
    let input = json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]});
    let attributes = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &input).await.expect("attributes");
    let queue_arn = attributes["Attributes"]["QueueArn"].as_str().expect("ARN");
    let subscription = [
        ("TopicArn", topic),
        ("Protocol", "sqs"),
        ("Endpoint", queue_arn),
        ("Attributes.entry.1.key", "RawMessageDelivery"),
        ("Attributes.entry.1.value", "true"),
    ];
    sns(aws, "Subscribe", &subscription).await;
}

async fn sns(aws: &AwsClient, action: &str, parameters: &[(&str, &str)]) -> String {
    let common = [("Action", action), ("Version", "2010-03-31")];
    aws.query("sns", &[&common[..], parameters].concat()).await.expect("response")
}
