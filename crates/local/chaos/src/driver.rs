//! Executes a history on a real stack.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use domain::{graph::Position, media::Kind};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use stack::Stack;

use super::{
    actors::{Actors, Upload},
    model::{Content, Executed},
    operation::{Operation, Queue},
    queues,
    random::Random,
};

/// How long [`Operation::Settle`] waits for pending work.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long [`Driver::drain`] waits. No message is hidden for more than a minute (`plan.rs`).
const DRAIN_TIMEOUT: Duration = Duration::from_secs(600);
/// Pause between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// Number of events that are delivered again at a time.
const REPEATED: usize = 6;

/// Executes the operations of a history.
pub struct Driver<'a> {
    /// The stack.
    pub stack: &'a mut Stack,
    /// Name of the stack.
    pub name: &'a str,
    /// The persons and their files.
    pub actors: Actors,
    /// The executed operations.
    pub executed: Vec<Executed>,
    /// Number of killed processes.
    pub kills: u64,
    /// Number of pairs of operations that were executed concurrently.
    pub pairs: u64,
    /// In milliseconds since 1970.
    pub started_at: i64,
    listener: String,
    events: Vec<String>,
    first_commit: u64,
    /// Number of fast resets of the stack's graph.
    generation: u64,
}

impl<'a> Driver<'a> {
    /// Prepares the stack for a history.
    pub async fn new(stack: &'a mut Stack, name: &'a str) -> Result<Self> {
        let actors = Actors::create(stack).await?;
        let listener = queues::create_listener(stack).await?;
        let first_commit = stack.neptune().head().await?.head.commit_num;
        let generation = checkpoint(stack).await?.map_or(0, |(generation, _)| generation);
        Ok(Self {
            stack,
            name,
            actors,
            executed: Vec::new(),
            kills: 0,
            pairs: 0,
            started_at: Timestamp::now().as_millisecond(),
            listener,
            events: Vec::new(),
            first_commit,
            generation,
        })
    }

    /// Executes all operations.
    pub async fn run_all(&mut self, history: Vec<Operation>) -> Result<()> {
        for operation in history {
            let executed = self.run_operation(&operation).await.with_context(|| operation.to_string())?;
            let generation = self.generation;
            self.executed.extend(executed.into_iter().map(|executed| Executed { generation, ..executed }));
        }
        Ok(())
    }

    /// Executes an operation or a pair. Returns nothing if the operation was not applicable.
    async fn run_operation(&mut self, operation: &Operation) -> Result<Vec<Executed>> {
        if let Operation::Concurrent { one, other } = operation {
            return self.run_concurrently(one, other).await;
        }
        let mut executed = Executed::of(operation);
        match operation {
            Operation::UploadPhotograph { person, file, photograph, story, visibility } => {
                let upload = Upload {
                    person: *person,
                    file: *file,
                    content: Content::Photograph(*photograph),
                    story: *story,
                    visibility,
                };
                self.actors.upload(self.stack, upload).await?;
            }
            Operation::UploadSound { person, file, sound } => {
                let content = Content::Sound(*sound);
                let upload = Upload { person: *person, file: *file, content, story: None, visibility: "public" };
                self.actors.upload(self.stack, upload).await?;
            }
            Operation::Export { person } => self.actors.export(self.stack, *person).await?,
            Operation::Erase { person, .. } => return self.erase(*person, operation).await,
            Operation::ReadInbox { person } => {
                executed.read_through = Some(self.actors.read_inbox(self.stack, *person).await?);
            }
            Operation::Settle => executed.settled = self.settles_within(SETTLE_TIMEOUT, &[Queue::Push]).await?,
            Operation::Kill { which } => {
                if !self.kill(*which)? {
                    return Ok(Vec::new());
                }
            }
            Operation::Restart => self.restart()?,
            Operation::RestartSearch => self.stack.restart_search(self.name)?,
            Operation::RepeatEvents { order } => self.repeat_events(*order).await?,
            Operation::Replay => self.replay().await?,
            Operation::Reset => return self.reset().await,
            Operation::Poison { queue, number } => {
                queues::send(self.stack, *queue, &self.actors.poison(*number)).await?;
            }
            _ => {
                self.prepare(operation);
                return Ok(self.run_independent(operation).await?.into_iter().collect());
            }
        }
        Ok(vec![executed])
    }

    /// Executes two operations concurrently and returns them in their effective order.
    async fn run_concurrently(&mut self, one: &Operation, other: &Operation) -> Result<Vec<Executed>> {
        self.prepare(one);
        self.prepare(other);
        let (first, second) = tokio::join!(self.run_independent(one), self.run_independent(other));
        let mut executed: Vec<_> = first?.into_iter().chain(second?).collect();
        self.pairs += u64::from(executed.len() == 2);
        executed.sort_by_key(|executed| executed.commit);
        if let (Operation::SignIn { person: first, .. }, Operation::SignIn { person: second, .. }) = (one, other) {
            // A phone belongs to one person: the one who has signed in last.
            let has_device = async |person: usize| self.actors.has_device(self.stack, person).await;
            let last = match (has_device(*first).await?, has_device(*second).await?) {
                (true, false) => *first,
                (false, true) => *second,
                both => bail!("two persons signed in on one phone, and {both:?} have a device"),
            };
            let is_last = |executed: &Executed| match executed.operation {
                Operation::SignIn { person, .. } => person == last,
                _ => false,
            };
            executed.sort_by_key(is_last);
        }
        if let Operation::DeleteInBucket { place, .. } = *other {
            let exists = self.actors.exists(self.stack, place).await?;
            executed.sort_by_key(|executed| exists != matches!(executed.operation, Operation::DeleteInBucket { .. }));
        }
        Ok(executed)
    }

    /// Reserves the place of a file.
    fn prepare(&mut self, operation: &Operation) {
        let (person, place, kind) = match *operation {
            Operation::PutPhotograph { person, place, .. } | Operation::PutInvalidPhotograph { person, place } => {
                (person, place, Kind::Photo)
            }
            Operation::PutSound { person, place, .. } | Operation::PutInvalidSound { person, place } => {
                (person, place, Kind::Audio)
            }
            _ => return,
        };
        self.actors.reserve(person, place, kind);
    }

    /// Executes an operation that can run concurrently with others. `None` if it was not applicable.
    async fn run_independent(&self, operation: &Operation) -> Result<Option<Executed>> {
        let mut executed = Executed::of(operation);
        let (actors, stack) = (&self.actors, &*self.stack);
        match operation {
            Operation::PutPhotograph { place, photograph, .. } => {
                actors.put(stack, *place, Content::Photograph(*photograph)).await?;
            }
            Operation::PutSound { place, sound, .. } => actors.put(stack, *place, Content::Sound(*sound)).await?,
            Operation::PutInvalidPhotograph { place, .. } => actors.put_invalid(stack, *place, Kind::Photo).await?,
            Operation::PutInvalidSound { place, .. } => actors.put_invalid(stack, *place, Kind::Audio).await?,
            Operation::DeleteInBucket { place, .. } => {
                if !actors.delete_in_bucket(stack, *place).await? {
                    return Ok(None);
                }
            }
            Operation::DeleteByApi { file } => {
                if !actors.delete_by_api(stack, *file).await? {
                    return Ok(None);
                }
            }
            Operation::SetFileVisibility { file, visibility } => {
                if !actors.set_file_visibility(stack, *file, visibility).await? {
                    return Ok(None);
                }
            }
            Operation::SignIn { person, phone } => actors.sign_in(stack, *person, *phone).await?,
            Operation::SignOut { person } => actors.sign_out(stack, *person).await?,
            Operation::SetPreferences { person, muted } => actors.set_preferences(stack, *person, muted).await?,
            _ => match actors.commit_of(operation) {
                Some(commit) => {
                    let committed = stack.neptune().commit(&commit).await?;
                    executed.commit = Some(committed.commit_num.context("the commit changed nothing")?);
                    executed.committed_at = Some(committed.commit_timestamp);
                }
                None => bail!("unsupported operation"),
            },
        }
        Ok(Some(executed))
    }

    /// Kills a running function. Returns whether there was one.
    fn kill(&mut self, which: u64) -> Result<bool> {
        let running = self.stack.emulator.functions()?;
        let at = usize::try_from(which % running.len().max(1) as u64)?;
        let Some(pid) = running.get(at) else { return Ok(false) };
        let is_killed = self.stack.emulator.kill_function(*pid)?;
        self.kills += u64::from(is_killed);
        Ok(is_killed)
    }

    /// Restarts the emulator with its state. Kills the functions first: the emulator would lose what they write after it
    /// has saved its state.
    fn restart(&mut self) -> Result<()> {
        for pid in self.stack.emulator.functions()? {
            self.kills += u64::from(self.stack.emulator.kill_function(pid)?);
        }
        self.stack.restart_emulator(self.name)
    }

    /// Delivers some events again in another order.
    async fn repeat_events(&mut self, order: u64) -> Result<()> {
        self.events.extend(queues::drain(&self.stack.aws(), &self.listener).await?);
        let mut random = Random::new(order);
        for _ in 0..REPEATED.min(self.events.len()) {
            let event = &self.events[random.below(self.events.len())];
            let worker = if is_about_sound(event) { Queue::Audio } else { Queue::Thumbnail };
            for queue in [worker, Queue::Metadata] {
                queues::send(self.stack, queue, event).await?;
            }
        }
        Ok(())
    }

    /// Makes the poller publish the whole history again. Under faults it may fail.
    async fn replay(&self) -> Result<()> {
        let head = self.stack.neptune().head().await?.head;
        let event = json!({"replay": {
            "from": format!("{}/1", self.first_commit), "to": format!("{}/{}", head.commit_num, head.op_num)
        }});
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.output("StreamPollerName")?);
        self.stack.aws().send("lambda", Method::POST, &path, &[], event.to_string().into_bytes()).await?;
        Ok(())
    }

    /// Deletes the graph and its stream. What is not published by then would be lost.
    async fn reset(&mut self) -> Result<Vec<Executed>> {
        let settled = self.settle().await?;
        self.stack.neptune().reset().await?;
        self.generation += 1;
        self.first_commit = 1;
        self.actors.add_vertices(self.stack).await?;
        Ok(vec![settled, Executed::of(&Operation::Reset)])
    }

    /// Erases an account, and the person in the graph. What is not processed by then has several valid outcomes.
    async fn erase(&mut self, person: usize, operation: &Operation) -> Result<Vec<Executed>> {
        let settled = self.settle().await?;
        self.actors.erase(self.stack, person).await?;
        let executed = self.run_independent(operation).await?;
        Ok(std::iter::once(settled).chain(executed).collect())
    }

    /// Waits until all changes of the graph are processed, under faults.
    async fn settle(&self) -> Result<Executed> {
        if !self.settles_within(DRAIN_TIMEOUT, &[Queue::Push, Queue::Search]).await? {
            bail!("work is pending after {} s", DRAIN_TIMEOUT.as_secs());
        }
        Ok(Executed { settled: true, ..Executed::of(&Operation::Settle) })
    }

    /// Waits until all work is done.
    ///
    /// # Errors
    /// After ten minutes.
    pub async fn drain(&self) -> Result<()> {
        if self.settles_within(DRAIN_TIMEOUT, &Queue::ALL).await? {
            return Ok(());
        }
        let mut pending = Vec::new();
        for queue in Queue::ALL {
            pending.push(format!("{queue:?}: {}", queues::pending_messages(self.stack, &[queue]).await?));
        }
        bail!(
            "work is pending after {} s without faults: {pending:?}, published {:?}",
            DRAIN_TIMEOUT.as_secs(),
            checkpoint(self.stack).await?
        )
    }

    /// Waits until all commits are published and the queues are empty. Returns whether that happened within `timeout`.
    async fn settles_within(&self, timeout: Duration, queues: &[Queue]) -> Result<bool> {
        let head = self.stack.neptune().head().await?.head;
        let head = Position::new(head.commit_num, head.op_num);
        let deadline = Instant::now() + timeout;
        // A message between topic and queue is in neither, so one poll is not enough.
        let mut quiet_polls = 0;
        loop {
            let is_quiet = checkpoint(self.stack).await? >= Some((self.generation, head))
                && queues::pending_messages(self.stack, queues).await? == 0;
            quiet_polls = if is_quiet { quiet_polls + 1 } else { 0 };
            if quiet_polls == 3 || Instant::now() > deadline {
                return Ok(quiet_polls == 3);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

/// Generation and position of the poller's checkpoint.
async fn checkpoint(stack: &Stack) -> Result<Option<(u64, Position)>> {
    let table = stack.output("CheckpointTableName")?;
    let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
    let row = &stack.aws().json("dynamodb", "DynamoDB_20120810.GetItem", &input).await?["Item"];
    let generation = row["generation"]["N"].as_str().map_or(Ok(0), str::parse)?;
    let position = row["position"]["S"].as_str().and_then(|position| position.split_once('/'));
    let position = position.and_then(|(commit, op)| Some(Position::new(commit.parse().ok()?, op.parse().ok()?)));
    Ok(position.map(|position| (generation, position)))
}

/// Whether an S3 event is about a recording. Recordings have their own topic.
fn is_about_sound(event: &str) -> bool {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let key = event["Records"][0]["s3"]["object"]["key"].as_str();
    key.and_then(|key| key.split_once('/')).is_some_and(|(kind, _)| kind == Kind::Audio.as_ref())
}
