use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use neptune::Commit;
use serde_json::{Value, json};
use stack::{Stack, users::Users};
use uuid::Uuid;

use super::result::result;
use crate::programs::Row;

/// Stories in a commit. Each is a vertex and an edge, which are two changes.
const STORIES: usize = 10;
/// Time between two reads of the checkpoint.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Longest wait for the processing of changes.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Commits stories as fast as possible for `duration`. Measures the time from each commit until the poller's checkpoint
/// passes it, and the time until the search and push queues are empty.
pub async fn run(stack: &Stack, duration: Duration) -> Result<Row> {
    let author = Users::from_stack(stack)?.sign_up("미나").await?;
    // The poller may start after a minute, by its schedule.
    let first = Commit::new().add_vertex(&author.id, ["person"]).set(&author.id, "name", "미나");
    let first = stack.neptune().commit(&first).await?.commit_num.context("nothing changed")?;
    let start = Instant::now();
    while checkpoint(stack).await? < first {
        ensure!(start.elapsed() < TIMEOUT, "the poller does not start");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    let start = Instant::now();
    let (mut unpublished, mut times, mut commits) = (VecDeque::new(), Vec::new(), 0);
    let mut last_poll = start;
    while start.elapsed() < duration || !unpublished.is_empty() {
        ensure!(start.elapsed() < duration + TIMEOUT, "the poller does not publish all changes");
        if start.elapsed() < duration {
            let number = stack.neptune().commit(&stories(&author.id)).await?.commit_num.context("nothing changed")?;
            unpublished.push_back((number, Instant::now()));
            commits += 1;
        } else {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        if last_poll.elapsed() >= POLL_INTERVAL {
            last_poll = Instant::now();
            let published = checkpoint(stack).await?;
            while let Some((_, committed)) = unpublished.pop_front_if(|(number, _)| *number <= published) {
                times.push(committed.elapsed());
            }
        }
    }
    let changes = (commits * STORIES * 2) as f64;
    let publishing_rate = changes / start.elapsed().as_secs_f64();
    for queue in ["PushQueueUrl", "SearchQueueUrl"] {
        while message_count(stack, queue).await? > 0 {
            ensure!(start.elapsed() < duration + TIMEOUT, "the consumers do not process all changes");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
    let rate = ("per_second_through_all_consumers", changes / start.elapsed().as_secs_f64());
    let more = json!({"changes": changes, "published_per_second": publishing_rate});
    result("graph changes; times from commit to publication", rate, times, more)
}

fn stories(author: &str) -> Commit {
    (0..STORIES).fold(Commit::new(), |commit, _| {
        let id = format!("story-{}", Uuid::new_v4());
        let commit = commit.add_vertex(&id, ["story"]).set(&id, "title", format!("서울 {id}"));
        commit.add_edge(format!("told:{id}"), "told", author, &id)
    })
}

/// The last published commit number. 0 before the first.
async fn checkpoint(stack: &Stack) -> Result<u64> {
    let table = stack.output("CheckpointTableName")?;
    let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
    let row = stack.aws().json("dynamodb", "DynamoDB_20120810.GetItem", &input).await?;
    let position = row["Item"]["position"]["S"].as_str().and_then(|position| position.split_once('/'));
    position.map_or(Ok(0), |(commit, _)| Ok(commit.parse()?))
}

/// Messages of a queue, those in flight included.
async fn message_count(stack: &Stack, queue: &str) -> Result<u64> {
    let input = json!({"QueueUrl": stack.output(queue)?, "AttributeNames": ["All"]});
    let output: Value = stack.aws().json("sqs", "AmazonSQS.GetQueueAttributes", &input).await?;
    let number = |name: &str| output["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
    let numbers = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"].map(number);
    numbers.into_iter().map(|number| number.context("the queue has no message count")).sum()
}
