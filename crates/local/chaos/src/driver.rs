//! Plays a history on a real stack.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use domain::{graph::Position, media::Kind};
use http::Method;
use serde_json::{Value, json};
use stack::Stack;

use super::{
    actor::Cast,
    generator::Draw,
    model::{Content, Done},
    operation::{Operation, Queue},
    queues,
};

/// How long a history waits for everything to be worked off; then it goes on without.
const SETTLE: Duration = Duration::from_secs(20);
/// How long peace may take: no message waits for more than a minute (`plan.rs`).
const PEACE: Duration = Duration::from_secs(600);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// So many deliveries come again at a time.
const REPEATED: usize = 6;

/// A history that is being played.
pub struct Driver<'a> {
    /// On which stack.
    pub stack: &'a mut Stack,
    /// What the stack is services.
    pub name: &'a str,
    /// By whom.
    pub cast: Cast,
    /// What was done so far.
    pub done: Vec<Done>,
    /// How many processes were killed.
    pub kills: u64,
    /// How many times two operations were done at the same moment.
    pub pairs: u64,
    listener: String,
    heard: Vec<String>,
    first_commit: u64,
}

impl<'a> Driver<'a> {
    /// Before the first operation.
    pub async fn new(stack: &'a mut Stack, name: &'a str) -> Result<Self> {
        let cast = Cast::assemble(stack).await?;
        let listener = queues::listen(stack).await?;
        let first_commit = stack.neptune().head().await?.head.commit_num;
        Ok(Self { stack, name, cast, done: Vec::new(), kills: 0, pairs: 0, listener, heard: Vec::new(), first_commit })
    }

    /// Plays all of it.
    pub async fn play(&mut self, history: Vec<Operation>) -> Result<()> {
        for operation in history {
            let done = self.play_one(&operation).await.with_context(|| operation.to_string())?;
            self.done.extend(done);
        }
        Ok(())
    }

    /// Plays an operation, or two; nothing, if there was nothing to do it with.
    async fn play_one(&mut self, operation: &Operation) -> Result<Vec<Done>> {
        if let Operation::Together { one, other } = operation {
            return self.play_together(one, other).await;
        }
        let mut done = Done::of(operation);
        match operation {
            Operation::Upload { person, file, photograph } => {
                self.cast.upload(self.stack, *person, *file, Content::Photograph(*photograph)).await?;
            }
            Operation::UploadSound { person, file, sound } => {
                self.cast.upload(self.stack, *person, *file, Content::Sound(*sound)).await?;
            }
            Operation::Settle => done.settled = self.settles_within(SETTLE, &[Queue::Push]).await?,
            Operation::Kill { which } => {
                if !self.kill(*which)? {
                    return Ok(Vec::new());
                }
            }
            Operation::Restart => self.restart()?,
            Operation::RepeatEvents { order } => self.repeat_events(*order).await?,
            Operation::Replay => self.replay().await?,
            Operation::Poison { queue, number } => {
                queues::send(self.stack, *queue, &self.cast.poison(*number)).await?;
            }
            _ => {
                self.prepare(operation);
                return Ok(self.play_beside(operation).await?.into_iter().collect());
            }
        }
        Ok(vec![done])
    }

    /// Plays two operations at the same moment; they are in the order that came of it.
    async fn play_together(&mut self, one: &Operation, other: &Operation) -> Result<Vec<Done>> {
        self.prepare(one);
        self.prepare(other);
        let (first, second) = tokio::join!(self.play_beside(one), self.play_beside(other));
        let mut done: Vec<_> = first?.into_iter().chain(second?).collect();
        self.pairs += u64::from(done.len() == 2);
        done.sort_by_key(|done| done.commit);
        if let Operation::DeleteInBucket { place, .. } = *other {
            let is_there = self.cast.is_there(self.stack, place).await?;
            done.sort_by_key(|done| is_there != matches!(done.operation, Operation::DeleteInBucket { .. }));
        }
        Ok(done)
    }

    /// Gives a file its place before it is put there.
    fn prepare(&mut self, operation: &Operation) {
        let (person, place, kind) = match *operation {
            Operation::Put { person, place, .. } | Operation::PutBroken { person, place } => {
                (person, place, Kind::Photo)
            }
            Operation::PutSound { person, place, .. } | Operation::PutNoSound { person, place } => {
                (person, place, Kind::Audio)
            }
            _ => return,
        };
        self.cast.reserve(person, place, kind);
    }

    /// Plays an operation beside which others may be played; nothing, if there was nothing to do it with.
    async fn play_beside(&self, operation: &Operation) -> Result<Option<Done>> {
        let mut done = Done::of(operation);
        let (cast, stack) = (&self.cast, &*self.stack);
        match operation {
            Operation::Put { place, photograph, .. } => {
                cast.put(stack, *place, Content::Photograph(*photograph)).await?;
            }
            Operation::PutSound { place, sound, .. } => cast.put(stack, *place, Content::Sound(*sound)).await?,
            Operation::PutBroken { place, .. } => cast.put_broken(stack, *place, Kind::Photo).await?,
            Operation::PutNoSound { place, .. } => cast.put_broken(stack, *place, Kind::Audio).await?,
            Operation::DeleteInBucket { place, .. } => {
                if !cast.delete_in_bucket(stack, *place).await? {
                    return Ok(None);
                }
            }
            Operation::DeleteByApi { file } => {
                if !cast.delete_by_api(stack, *file).await? {
                    return Ok(None);
                }
            }
            Operation::SignIn { person, phone } => cast.sign_in(stack, *person, *phone).await?,
            Operation::SignOut { person } => cast.sign_out(stack, *person).await?,
            Operation::Prefer { person, muted } => cast.prefer(stack, *person, muted).await?,
            _ => match cast.commit_of(operation) {
                Some(commit) => {
                    let committed = stack.neptune().commit(&commit).await?;
                    done.commit = Some(committed.commit_num.context("a commit that changes nothing")?);
                    done.committed_at = Some(committed.commit_timestamp);
                }
                None => bail!("nobody knows how to do that"),
            },
        }
        Ok(Some(done))
    }

    /// Kills one of the functions that run; whether there was one.
    fn kill(&mut self, which: u64) -> Result<bool> {
        let running = self.stack.emulator.functions()?;
        let at = usize::try_from(which % running.len().max(1) as u64)?;
        let Some(pid) = running.get(at) else { return Ok(false) };
        let is_killed = self.stack.emulator.kill_function(*pid)?;
        self.kills += u64::from(is_killed);
        Ok(is_killed)
    }

    /// StreamBounds everything, and starts it again with what was held. What functions have in hand ends with
    /// them: what they are told after the emulator wrote down what it holds, it would not know.
    fn restart(&mut self) -> Result<()> {
        for pid in self.stack.emulator.functions()? {
            self.kills += u64::from(self.stack.emulator.kill_function(pid)?);
        }
        self.stack.restart_emulator(self.name)
    }

    /// Has some events come again, in another order.
    async fn repeat_events(&mut self, order: u64) -> Result<()> {
        self.heard.extend(queues::drain(&self.stack.aws(), &self.listener).await?);
        let mut draw = Draw::new(order);
        for _ in 0..REPEATED.min(self.heard.len()) {
            let event = &self.heard[draw.below(self.heard.len())];
            let worker = if is_of_sound(event) { Queue::Audio } else { Queue::Thumbnail };
            for queue in [worker, Queue::Metadata] {
                queues::send(self.stack, queue, event).await?;
            }
        }
        Ok(())
    }

    /// Has the poller publish all of this history again. That it fails under faults is no failure.
    async fn replay(&self) -> Result<()> {
        let head = self.stack.neptune().head().await?.head;
        let order = json!({"replay": {
            "from": format!("{}/1", self.first_commit), "to": format!("{}/{}", head.commit_num, head.op_num)
        }});
        let path = format!("/2015-03-31/functions/{}/invocations", self.stack.output("StreamPollerName")?);
        self.stack.aws().send("lambda", Method::POST, &path, &[], order.to_string().into_bytes()).await?;
        Ok(())
    }

    /// Waits until nothing is left to be done by anybody.
    ///
    /// # Errors
    /// If that takes longer than ten minutes.
    pub async fn find_peace(&self) -> Result<()> {
        if self.settles_within(PEACE, &Queue::ALL).await? {
            return Ok(());
        }
        let mut left = Vec::new();
        for queue in Queue::ALL {
            left.push(format!("{queue:?}: {}", queues::waiting(self.stack, &[queue]).await?));
        }
        bail!("work is left after {} s of peace: {left:?}, published {:?}", PEACE.as_secs(), self.published().await?)
    }

    /// Waits until all commits are published, and the queues are empty; whether they are in time.
    async fn settles_within(&self, patience: Duration, queues: &[Queue]) -> Result<bool> {
        let head = self.stack.neptune().head().await?.head;
        let head = Position::new(head.commit_num, head.op_num);
        let deadline = Instant::now() + patience;
        // Between topic and queue, a message is in neither: one look is not enough.
        let mut looks = 0;
        loop {
            let is_quiet = self.published().await? >= Some(head) && queues::waiting(self.stack, queues).await? == 0;
            looks = if is_quiet { looks + 1 } else { 0 };
            if looks == 3 || Instant::now() > deadline {
                return Ok(looks == 3);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Up to where the stream has been published.
    async fn published(&self) -> Result<Option<Position>> {
        let table = self.stack.output("CheckpointTableName")?;
        let input = json!({"TableName": table, "Key": {"stream": {"S": "local"}}, "ConsistentRead": true});
        let row = self.stack.aws().json("dynamodb", "DynamoDB_20120810.GetItem", &input).await?;
        let position = row["Item"]["position"]["S"].as_str().and_then(|position| position.split_once('/'));
        Ok(position.and_then(|(commit, op)| Some(Position::new(commit.parse().ok()?, op.parse().ok()?))))
    }
}

/// Whether an event of S3 is about a recording: those come over a topic of their own.
fn is_of_sound(event: &str) -> bool {
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    let key = event["Records"][0]["s3"]["object"]["key"].as_str();
    key.and_then(|key| key.split_once('/')).is_some_and(|(kind, _)| kind == Kind::Audio.as_str())
}
