use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use neptune::Commit;
use serde_json::{Value, json};
use stack::{Stack, users::Users};
use uuid::Uuid;

use super::{super::programs::Row, row};

/// Stories in a commit: each is a vertex and an edge, so two changes.
const STORIES: usize = 10;
/// Between two looks at the checkpoint.
const LOOK: Duration = Duration::from_millis(50);
/// After which changes are lost.
const PATIENCE: Duration = Duration::from_secs(600);

/// Stories are told for as long as `time`, as fast as they are taken; until each commit is on the bus,
/// and until all are in the index and in what push keeps.
pub async fn run(stack: &Stack, time: Duration) -> Result<Row> {
    let author = Users::from_stack(stack)?.sign_up("미나").await?;
    // The first waits for the poller's schedule, up to a minute.
    let first = Commit::new().add_vertex(&author.id, ["person"]).set(&author.id, "name", "미나");
    let first = stack.neptune().commit(&first).await?.commit_num.context("nothing changed")?;
    let begin = Instant::now();
    while checkpoint(stack).await? < first {
        ensure!(begin.elapsed() < PATIENCE, "the poller does not begin");
        tokio::time::sleep(LOOK).await;
    }
    let begin = Instant::now();
    let (mut waiting, mut times, mut commits) = (VecDeque::new(), Vec::new(), 0);
    let mut looked = begin;
    while begin.elapsed() < time || !waiting.is_empty() {
        ensure!(begin.elapsed() < time + PATIENCE, "changes do not reach the bus");
        if begin.elapsed() < time {
            let number = stack.neptune().commit(&stories(&author.id)).await?.commit_num.context("nothing changed")?;
            waiting.push_back((number, Instant::now()));
            commits += 1;
        } else {
            tokio::time::sleep(LOOK).await;
        }
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            let published = checkpoint(stack).await?;
            while let Some((_, committed)) = waiting.pop_front_if(|(number, _)| *number <= published) {
                times.push(committed.elapsed());
            }
        }
    }
    let changes = (commits * STORIES * 2) as f64;
    let on_bus = changes / begin.elapsed().as_secs_f64();
    for queue in ["PushQueueUrl", "SearchQueueUrl"] {
        while left_in(stack, queue).await? > 0 {
            ensure!(begin.elapsed() < time + PATIENCE, "changes do not reach their consumers");
            tokio::time::sleep(LOOK).await;
        }
    }
    let per = ("per_second_through_all_consumers", changes / begin.elapsed().as_secs_f64());
    let more = json!({"changes": changes, "per_second_on_the_bus": on_bus});
    row("changes of the graph; times of commits, until they are on the bus", per, times, more)
}

fn stories(author: &str) -> Commit {
    (0..STORIES).fold(Commit::new(), |commit, _| {
        let id = format!("story-{}", Uuid::new_v4());
        let commit = commit.add_vertex(&id, ["story"]).set(&id, "title", format!("서울 {id}"));
        commit.add_edge(format!("told:{id}"), "told", author, &id)
    })
}

/// The number of the last commit that is on the bus; 0 if there is none.
async fn checkpoint(stack: &Stack) -> Result<u64> {
    let table = stack.output("CheckpointTableName")?;
    let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
    let row = stack.aws().json("dynamodb", "DynamoDB_20120810.GetItem", &input).await?;
    let position = row["Item"]["position"]["S"].as_str().and_then(|position| position.split_once('/'));
    position.map_or(Ok(0), |(commit, _)| Ok(commit.parse()?))
}

/// How many messages are in the queue or in work.
async fn left_in(stack: &Stack, queue: &str) -> Result<u64> {
    let input = json!({"QueueUrl": stack.output(queue)?, "AttributeNames": ["All"]});
    let answer: Value = stack.aws().json("sqs", "AmazonSQS.GetQueueAttributes", &input).await?;
    let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
    let numbers = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"].map(number);
    numbers.into_iter().map(|number| number.context("a queue without a number")).sum()
}
