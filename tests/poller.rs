//! `stream-poller` alone, as built for AWS: against an emulator of AWS for the bus and the table,
//! and the emulator of Neptune Streams.

mod support;

use std::{collections::BTreeMap, time::Duration};

use domain::graph::{Change, Position};
use local::{
    aws::Aws,
    emulator::Emulator,
    functions,
    neptune::{Commit, NeptuneEmulator, Options},
    runtime_api::{Answer, Function},
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// How often the process is killed.
const KILLS: u64 = 20;

struct World {
    emulator: Emulator,
    aws: Aws,
    neptune: NeptuneEmulator,
    topic: String,
    queue: String,
    dead_letters: String,
}

impl World {
    async fn new(name: &str) -> Self {
        let emulator = Emulator::start(&format!("poller/{name}"), false).expect("an emulator");
        let aws = Aws::new(emulator.endpoint());
        let neptune = NeptuneEmulator::start(Options::default()).expect("an emulator");
        let topic = query(
            &aws,
            &[
                ("Action", "CreateTopic"),
                ("Name", "graph-changes.fifo"),
                ("Attributes.entry.1.key", "FifoTopic"),
                ("Attributes.entry.1.value", "true"),
            ],
        );
        let topic = between(&topic.await, "<TopicArn>", "</TopicArn>");
        let queue = support::create_fifo_queue(&aws, "changes.fifo").await;
        let dead_letters = support::create_fifo_queue(&aws, "changes-dlq.fifo").await;
        let attributes = json!({"QueueUrl": queue, "AttributeNames": ["QueueArn"]});
        let attributes = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &attributes).await.expect("attributes");
        let queue_arn = attributes["Attributes"]["QueueArn"].as_str().expect("an ARN");
        query(
            &aws,
            &[
                ("Action", "Subscribe"),
                ("TopicArn", &topic),
                ("Protocol", "sqs"),
                ("Endpoint", queue_arn),
                ("Attributes.entry.1.key", "RawMessageDelivery"),
                ("Attributes.entry.1.value", "true"),
            ],
        )
        .await;
        let table = json!({
            "TableName": "checkpoint", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "stream", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "stream", "KeyType": "HASH"}]
        });
        aws.json("dynamodb", "DynamoDB_20120810.CreateTable", &table).await.expect("a table");
        Self { emulator, aws, neptune, topic, queue, dead_letters }
    }

    async fn start(&self, mode: &str) -> Function {
        let (endpoint, neptune) = (self.emulator.endpoint(), self.neptune.endpoint());
        let environment = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", local::emulator::REGION),
            ("NEPTUNE_ENDPOINT_URL", &neptune),
            ("CLUSTER", "main"),
            ("CHECKPOINT_TABLE", "checkpoint"),
            ("GRAPH_CHANGES_TOPIC_ARN", &self.topic),
            ("DEAD_LETTER_QUEUE_URL", &self.dead_letters),
            ("EXPORT_QUEUE_URL", &self.queue),
            ("POLL_MODE", mode),
        ];
        Function::start(&functions::bootstrap("StreamPoller"), &environment).await.expect("the function starts")
    }

    async fn row(&self) -> Value {
        let get = json!({"TableName": "checkpoint", "Key": {"stream": {"S": "main"}}, "ConsistentRead": true});
        self.aws.json("dynamodb", "DynamoDB_20120810.GetItem", &get).await.expect("an answer")["Item"].clone()
    }

    /// As if the time had passed for which a lease outlives its holder.
    async fn expire(&self) {
        let update = json!({
            "TableName": "checkpoint", "Key": {"stream": {"S": "main"}},
            "UpdateExpression": "SET expires_at = :past",
            "ExpressionAttributeValues": {":past": {"N": "0"}}
        });
        self.aws.json("dynamodb", "DynamoDB_20120810.UpdateItem", &update).await.expect("an answer");
    }

    async fn commit(&self, number: u64) {
        let (id, other) = (format!("p{}", number % 7), format!("f{number}"));
        let set = Commit::new().set(&id, "name", number as i32);
        let commit = match number {
            0..7 => Commit::new().add_vertex(&id, ["person"]).set(&id, "name", number as i32),
            _ => set.add_edge(&other, "follows", &id, "p0"),
        };
        self.neptune.client().commit(&commit).await.expect("a commit");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.emulator.stop().expect("the emulator ends");
    }
}

async fn query(aws: &Aws, parameters: &[(&str, &str)]) -> String {
    let version = [("Version", "2010-03-31")];
    aws.query("sns", &[parameters, &version].concat()).await.expect("an answer")
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    found.expect("it is in the answer").0.to_owned()
}

/// By entity, the positions of its changes, in the order in which they came.
fn histories(bodies: &[String]) -> BTreeMap<String, Vec<Position>> {
    let mut histories = BTreeMap::<_, Vec<_>>::new();
    for body in bodies {
        let change = Change::from_cloud_event(body).expect("a change").change;
        histories.entry(change.group_id()).or_default().push(change.position);
    }
    histories
}

#[tokio::test]
async fn killed_anywhere_it_loses_nothing_and_keeps_every_entitys_order() {
    let world = World::new("kill").await;
    let mut number = 0;
    for kill in 0..KILLS {
        let mut poller = world.start("follow").await;
        // From before it has begun to when it is idle, and each time elsewhere.
        let life = Duration::from_millis(kill * 7919 % 400);
        let writing = async {
            for _ in 0..10 {
                world.commit(number).await;
                number += 1;
                sleep(life / 12).await;
            }
        };
        let event = json!({});
        let (ended, ()) = tokio::join!(timeout(life, poller.invoke(&event)), writing);
        assert!(ended.is_err(), "it ended by itself: {ended:?}");
        // SIGKILL.
        drop(poller);
        world.expire().await;
    }
    let mut poller = world.start("drain").await;
    let Answer::Response(answer) = poller.invoke(&json!({})).await.expect("an answer") else { panic!("it failed") };
    assert_eq!(answer["ended"], "drained", "{answer}");

    // A change of a person in each commit, and of an edge in all but the first seven.
    let bodies = support::messages(&world.aws, &world.queue, number as usize * 2 - 7).await;
    let histories = histories(&bodies);
    assert!(histories.values().all(|positions| positions.is_sorted_by(|one, two| one < two)), "{histories:?}");
    let commits: usize = (0..7).map(|person| histories[&format!("vertex/p{person}")].len()).sum();
    assert_eq!((commits as u64, histories.len() as u64), (number, number), "each once");
    let row = world.row().await;
    assert_eq!(row["position"]["S"], format!("{number:020}/{:020}", 3), "{row}");
    assert!(row["owner"].is_null() && row["epoch"]["N"].is_string(), "given back: {row}");
}

#[tokio::test]
async fn a_successor_takes_over_and_a_replay_tells_it_all_again() {
    let world = World::new("handover").await;
    for number in 0..20 {
        world.commit(number).await;
    }
    let (mut first, mut second) = (world.start("follow").await, world.start("drain").await);
    let tick = json!({"source": "aws.events"});
    let ticks = async {
        let successor = async {
            sleep(Duration::from_millis(500)).await;
            second.invoke(&tick).await
        };
        tokio::join!(first.invoke(&tick), successor)
    };
    let (first_answer, second_answer) = timeout(Duration::from_secs(20), ticks).await.expect("they end in time");
    let ended = |answer: anyhow::Result<Answer>| match answer.expect("an answer") {
        Answer::Response(answer) => answer["ended"].as_str().expect("an ending").to_owned(),
        Answer::Error(error) => panic!("it failed: {error}"),
    };
    assert_eq!((ended(first_answer), ended(second_answer)), ("handed over".to_owned(), "drained".to_owned()));
    let told = support::messages(&world.aws, &world.queue, 33).await;

    let order = json!({"replay": {"from": "1/1", "to": "20/1"}});
    let Answer::Response(answer) = second.invoke(&order).await.expect("an answer") else { panic!("it failed") };
    assert_eq!((&answer["complete"], &answer["changes"]), (&json!(true), &json!(33)), "{answer}");
    let again = support::messages(&world.aws, &world.queue, 33).await;
    let sorted = |mut bodies: Vec<String>| {
        bodies.sort();
        bodies
    };
    assert_eq!(sorted(again), sorted(told));
}

#[tokio::test]
async fn an_export_tells_a_queue_what_the_stream_does_not() {
    let world = World::new("export").await;
    let older = Commit::new().unstreamed().add_vertex("p", ["person"]).set("p", "name", "미나");
    let older = older.add_vertex("s", ["story"]).set("s", "title", "첫눈").add_edge("t", "told", "p", "s");
    world.neptune.client().commit(&older).await.expect("a commit");
    let mut poller = world.start("drain").await;
    let Answer::Response(answer) = poller.invoke(&json!({})).await.expect("an answer") else { panic!("it failed") };
    assert_eq!((&answer["ended"], &answer["changes"]), (&json!("drained"), &json!(0)), "{answer}");

    let order = json!({"export": {"dryRun": true}});
    let Answer::Response(answer) = poller.invoke(&order).await.expect("an answer") else { panic!("it failed") };
    let counted = json!({"ended": "exported", "vertices": 1, "edges": 1, "undecided": 1, "undated": 1, "skipped": 0});
    assert_eq!(answer, counted);
    let order = json!({"export": {"withoutVisibility": "private", "undatedAt": "2024-01-01T00:00:00Z"}});
    let Answer::Response(answer) = poller.invoke(&order).await.expect("an answer") else { panic!("it failed") };
    assert_eq!((&answer["vertices"], &answer["undecided"]), (&json!(2), &json!(0)), "{answer}");
    let bodies = support::messages(&world.aws, &world.queue, 3).await;
    let changes: Vec<_> = bodies.iter().map(|body| Change::from_cloud_event(body).expect("a change").change).collect();
    assert!(changes.iter().all(|change| change.position == Position::new(0, 0)), "{bodies:?}");
    let edge = changes.iter().find(|change| change.entity_id == "t").expect("an edge");
    assert_eq!(edge.commit_timestamp_ms, 1_704_067_200_000);

    let Answer::Error(error) = poller.invoke(&json!({"export": {"generation": 7}})).await.expect("an answer") else {
        panic!("another graph's")
    };
    assert!(error.to_string().contains("began anew"), "{error}");
}
