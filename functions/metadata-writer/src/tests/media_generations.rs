//! Every interleaving of S3, workers and metadata-writer over one key, call by call, up to a bound.
//!
//! The handlers are those of production. A history of the key runs beside them. Each event reaches the handlers after its
//! change, perhaps twice and in any order. Workers may crash between two calls and start again. `docs/design/protocols.md`
//! states what is checked, and the numbers of states.

use std::{
    pin::Pin,
    rc::Rc,
    task::{Context, Waker},
};

use derivatives::Worker;
use domain::{
    media::{Decision, MediaItem, ObjectChange, ObjectEvent, ObjectVersion, State},
    user_report::ReportReason,
};
use function_kit::{failure::Failure, metrics::Metrics};
use jiff::Timestamp;
use serde_json::json;

use super::{
    interleavings::{Bounds, Explored, System, explore},
    memory::{Memory, TwoFiles, hash},
};
use crate::handler::{Ports, Sender, handle};

const KEY: &str = "photo/mina/a.webp";

/// A change of the object. Its sequencer is its number in the history, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// An object with these bytes.
    Put(&'static str),
    /// The same bytes, which only the owner may see from now on.
    Hide(&'static str),
    Delete,
}

/// Who receives an event, by its index in the history.
#[derive(Debug, Clone, Copy)]
enum Delivery {
    /// A worker that can process the object.
    Ready(usize),
    /// The same in the slow lane: the worker moves the message there and deletes older files first.
    Slow(usize),
    /// A worker that cannot: the object is invalid, or the time runs out.
    Failed(usize),
    /// metadata-writer.
    Record(usize),
    /// An operator, who takes the item down at any time from this index on.
    TakeDown(usize),
    /// An operator, who restores the item after all of these before it are done.
    Restore(usize),
}

/// A message and its handler.
#[derive(Clone, Hash)]
enum Message {
    Event { body: String, index: usize, fails: bool },
    Moved { body: String, index: usize },
    Record { body: String, index: usize },
    Report(String),
    TakeDown { index: usize },
    Restore { index: usize },
}

type Handling = Pin<Box<dyn Future<Output = Result<(), Failure>>>>;

struct Task {
    message: Message,
    /// The services, as this task sees them.
    memory: Memory,
    /// `None` when it is done.
    handling: Option<Handling>,
}

impl Task {
    fn new(memory: &Memory, message: Message) -> Self {
        let memory = memory.of_task();
        Self { handling: Some(handling(memory.clone(), message.clone())), message, memory }
    }
}

/// One key, its history and the deliveries of its events.
struct Pipeline {
    memory: Memory,
    history: &'static [Change],
    happened: usize,
    /// Behind the history, which is task 0.
    tasks: Vec<Task>,
}

impl Pipeline {
    fn new(history: &'static [Change], deliveries: &[Delivery]) -> Self {
        let is_take_down = |delivery: &Delivery| matches!(delivery, Delivery::TakeDown(_));
        let mut pipeline = Self { memory: Memory::default(), history, happened: 0, tasks: Vec::new() };
        pipeline.memory.with(|services| services.can_be_taken_down = deliveries.iter().any(is_take_down));
        for delivery in deliveries {
            let (Delivery::Ready(index)
            | Delivery::Slow(index)
            | Delivery::Failed(index)
            | Delivery::Record(index)
            | Delivery::TakeDown(index)
            | Delivery::Restore(index)) = *delivery;
            let body = notification(index, history[index]);
            pipeline.add(match delivery {
                Delivery::Record(_) => Message::Record { body, index },
                Delivery::TakeDown(_) => Message::TakeDown { index },
                Delivery::Restore(_) => Message::Restore { index },
                Delivery::Slow(_) => Message::Moved { body, index },
                _ => Message::Event { body, index, fails: matches!(delivery, Delivery::Failed(_)) },
            });
        }
        pipeline
    }

    fn add(&mut self, message: Message) {
        self.tasks.push(Task::new(&self.memory, message));
    }
}

fn notification(index: usize, change: Change) -> String {
    let mut object = json!({"key": KEY, "sequencer": format!("{:02X}", index + 1), "versionId": version_id(index)});
    let name = match change {
        Change::Put(etag) | Change::Hide(etag) => {
            object["size"] = 1.into();
            object["eTag"] = etag.into();
            "ObjectCreated:Put"
        }
        Change::Delete => "ObjectRemoved:DeleteMarkerCreated",
    };
    let record = json!({"eventName": name, "eventTime": "2026-11-22T00:00:00.000Z", "s3": {"object": object}});
    json!({ "Records": [record] }).to_string()
}

fn version_id(index: usize) -> String {
    format!("v{}", index + 1)
}

/// The handlers of production.
fn handling(memory: Memory, message: Message) -> Handling {
    Box::pin(async move {
        let metrics = Metrics::of("test");
        match message {
            Message::Event { body, fails, .. } => {
                Worker { ports: memory, metrics, renderer: TwoFiles { fails } }.handle(&body).await
            }
            Message::Moved { body, .. } => {
                let worker = Worker { ports: memory, metrics, renderer: TwoFiles { fails: false } };
                worker.delete_older(&body).await?;
                worker.handle(&body).await
            }
            Message::Record { body, .. } => handle(&ports(memory, metrics), Sender::S3, &body).await,
            Message::Report(body) => {
                let ports = ports(memory, metrics);
                handle(&ports, Sender::Worker(domain::media::Worker::Pictures), &body).await
            }
            Message::TakeDown { .. } => decide(&memory, |item| item.take_down(ReportReason::Hate)).await,
            Message::Restore { .. } => decide(&memory, MediaItem::restore).await,
        }
    })
}

fn ports(memory: Memory, metrics: Metrics) -> Ports<Memory, Memory, Memory> {
    Ports { originals: memory.clone(), table: memory.clone(), story_files: memory, metrics }
}

/// The operator's tool: has the decision stored, then sends the original's event to the worker, at the item's position.
async fn decide(memory: &Memory, decision: impl Fn(&MediaItem) -> Option<Decision>) -> Result<(), Failure> {
    let ports = ports(memory.clone(), Metrics::of("test"));
    loop {
        let Some(item) = memory.read_item().await else { return Ok(()) };
        let Some(decision) = decision(&item) else { return Ok(()) };
        let body = serde_json::to_string(&decision).expect("JSON");
        handle(&ports, Sender::Operator, &body).await?;
        let Some(item) = memory.read_item().await else { return Ok(()) };
        if item.position >= decision.position() {
            let Some(version) = memory.read_object().await else { return Ok(()) };
            let change = ObjectChange::Created { size: 1, version };
            let at = Timestamp::UNIX_EPOCH;
            let event = ObjectEvent { key: KEY.to_owned(), at, sequencer: item.position.sequencer, change };
            memory.send_event(event.to_notification()).await;
            return Ok(());
        }
    }
}

impl System for Pipeline {
    fn enabled(&self) -> Vec<usize> {
        let is_ready = |task: &Task| {
            let after = match &task.message {
                Message::Event { index, .. }
                | Message::Moved { index, .. }
                | Message::Record { index, .. }
                | Message::TakeDown { index }
                | Message::Restore { index } => *index,
                Message::Report(_) => 0,
            };
            // metadata-writer has recorded all events before an operator restores the item, which takes hours.
            let is_early = |other: &Task| {
                other.handling.is_some() && matches!(other.message, Message::Record { .. } | Message::TakeDown { .. })
            };
            let waits = matches!(task.message, Message::Restore { .. }) && self.tasks.iter().any(is_early);
            task.handling.is_some() && self.happened > after && !waits
        };
        let history = (self.happened < self.history.len()).then_some(0);
        let tasks = self.tasks.iter().zip(1..).filter(|(task, _)| is_ready(task)).map(|(_, number)| number);
        history.into_iter().chain(tasks).collect()
    }

    fn step(&mut self, task: usize) {
        let Some(index) = task.checked_sub(1) else {
            let change = self.history[self.happened];
            let version = |etag: &str| ObjectVersion { etag: etag.to_owned(), id: Some(version_id(self.happened)) };
            let object = match change {
                Change::Put(etag) | Change::Hide(etag) => Some(version(etag)),
                Change::Delete => None,
            };
            self.memory.note(format_args!("S3: {change:?}"));
            self.memory.with(|services| {
                services.object = object;
                services.is_private = matches!(change, Change::Hide(_));
            });
            self.happened += 1;
            return;
        };
        self.memory.note(format_args!("task {task}:"));
        self.memory.give_turn();
        let handling = &mut self.tasks[index].handling;
        let mut context = Context::from_waker(Waker::noop());
        let is_done = handling.as_mut().is_some_and(|handling| {
            let polled = handling.as_mut().poll(&mut context);
            polled.map(|result| result.expect("handled")).is_ready()
        });
        if is_done {
            *handling = None;
        }
        for report in self.memory.with(|services| std::mem::take(&mut services.reports)) {
            self.add(Message::Report(report));
        }
        for body in self.memory.with(|services| std::mem::take(&mut services.events)) {
            self.add(Message::Event { body, index: 0, fails: false });
        }
    }

    fn can_crash(&self, task: usize) -> bool {
        task.checked_sub(1).is_some_and(|index| {
            let message = &self.tasks[index].message;
            matches!(message, Message::Event { .. } | Message::Moved { .. } | Message::TakeDown { .. })
        })
    }

    fn crash(&mut self, task: usize) {
        self.memory.note(format_args!("task {task} crashes"));
        let task = &mut self.tasks[task - 1];
        *task = Task::new(&self.memory, task.message.clone());
    }

    fn fingerprint(&self) -> u64 {
        let tasks = self.tasks.iter().map(|task| (&task.message, task.handling.is_some(), task.memory.observed()));
        hash((self.memory.stored(), self.happened, tasks.collect::<Vec<_>>()))
    }

    /// The files of a ready item exist as long as its original does. What was taken down is shown in no state. A worker
    /// stores no open file of an original that was hidden before its last look, however long it has rendered.
    fn violation(&self) -> Option<String> {
        self.memory.with(|services| {
            let state = services.item.as_ref().map(|item| &item.state);
            let is_hidden = matches!(state, None | Some(State::TakenDown(..) | State::Deleted { .. }));
            if services.taken_down.is_some() && !is_hidden {
                return Some(format!("the item was taken down, and is {state:?}"));
            }
            if !services.exposed.is_empty() {
                return Some(format!("the original is hidden, and open are {:?}", services.exposed));
            }
            let id = services.object.as_ref()?.id.clone()?;
            let is_of_object = services.position().is_some_and(|position| {
                (0..self.history.len()).any(|index| {
                    version_id(index) == id && position.sequencer.as_str().starts_with(&format!("{:02X}", index + 1))
                })
            });
            let missing: Vec<_> = services.named_files().difference(&services.files).cloned().collect();
            (is_of_object && !missing.is_empty()).then(|| format!("a ready item lacks {missing:?}"))
        })
    }

    fn violation_at_end(&self) -> Option<String> {
        self.memory.with(|services| {
            let state = services.item.as_ref().map(|item| &item.state);
            let is_deleted = matches!(state, Some(State::Deleted { .. }));
            if (self.history.last() == Some(&Change::Delete)) != is_deleted {
                return Some(format!("the item is {state:?}"));
            }
            if services.files != services.named_files() {
                return Some(format!(
                    "the item names {:?}, the bucket has {:?}",
                    services.named_files(),
                    services.files
                ));
            }
            (!services.stale.is_empty()).then(|| format!("the CDN may serve {:?}", services.stale))
        })
    }

    fn trace(&self) -> String {
        self.memory.trace()
    }
}

/// Explores a history. Panics at the first violation.
fn hold(name: &str, history: &'static [Change], deliveries: &[Delivery], bounds: Bounds) {
    let deliveries: Rc<[Delivery]> = deliveries.into();
    match explore(|| Pipeline::new(history, &deliveries), bounds) {
        Ok(Explored { schedules, states }) => println!("{name}: {states} states, {schedules} schedules"),
        Err(violation) => panic!("{name}: {violation}"),
    }
}

const fn bounds(preemptions: usize, crashes: usize) -> Bounds {
    Bounds { preemptions, crashes }
}

use Change::{Delete, Hide, Put};
use Delivery::{Failed, Ready, Record, Restore, Slow, TakeDown};

#[test]
fn deleted_object_leaves_no_files_although_its_creation_comes_twice() {
    let deliveries = [Ready(0), Ready(0), Ready(1), Record(0), Record(1)];
    hold("put, delete, put again twice", &[Put("E"), Delete], &deliveries, bounds(2, 0));
    let deliveries = [Ready(0), Ready(0), Ready(1), Record(1)];
    hold("put, delete, with a crash", &[Put("E"), Delete], &deliveries, bounds(1, 1));
}

#[test]
fn overwritten_and_deleted_object_leaves_no_files() {
    let history = &[Put("E1"), Put("E2"), Delete];
    let deliveries = [Ready(0), Ready(1), Ready(2), Record(2)];
    hold("put, overwrite, delete", history, &deliveries, bounds(2, 0));
    hold("put, overwrite, delete, with a crash", history, &deliveries, bounds(1, 1));
}

#[test]
fn same_bytes_again_have_the_files_of_their_own_version() {
    let deliveries = [Ready(0), Ready(1), Ready(2), Record(1), Record(2)];
    hold("put, delete, the same bytes again", &[Put("E"), Delete, Put("E")], &deliveries, bounds(1, 0));
}

#[test]
fn failed_repeat_keeps_the_files_of_a_ready_item() {
    let deliveries = [Ready(0), Failed(0), Record(0)];
    hold("put, ready, the same event fails", &[Put("E")], &deliveries, bounds(3, 0));
}

#[test]
fn replacement_that_fails_leaves_no_files_of_the_original_before() {
    let deliveries = [Ready(0), Failed(1), Record(0), Record(1)];
    hold("overwritten by what fails", &[Put("E1"), Put("E2")], &deliveries, bounds(2, 0));
    hold("overwritten by what fails, with a crash", &[Put("E1"), Put("E2")], &deliveries, bounds(1, 1));
}

#[test]
fn same_bytes_that_fail_leave_no_files_of_the_deleted_version() {
    let deliveries = [Ready(0), Ready(1), Failed(2), Record(1), Record(2)];
    hold("put, delete, the same bytes fail", &[Put("E"), Delete, Put("E")], &deliveries, bounds(2, 0));
}

#[test]
fn hidden_original_gets_no_open_files() {
    let deliveries = [Ready(0), Ready(1), Record(0), Record(1)];
    hold("put, hidden", &[Put("E"), Hide("E")], &deliveries, bounds(2, 0));
    hold("put, hidden, with a crash", &[Put("E"), Hide("E")], &deliveries, bounds(1, 1));
    let deliveries = [Ready(0), Ready(0), Ready(1), Record(1)];
    hold("put twice, hidden", &[Put("E"), Hide("E")], &deliveries, bounds(1, 0));
    let deliveries = [Ready(0), Slow(1), Record(0), Record(1)];
    hold("put, hidden in the slow lane", &[Put("E"), Hide("E")], &deliveries, bounds(2, 0));
    hold("put, hidden in the slow lane, with a crash", &[Put("E"), Hide("E")], &deliveries, bounds(1, 1));
}

#[test]
fn item_that_was_taken_down_keeps_no_files_whatever_arrives_late() {
    let deliveries = [Ready(0), Ready(0), Record(0), TakeDown(0)];
    hold("put twice, taken down", &[Put("E")], &deliveries, bounds(1, 0));
    let deliveries = [Ready(0), Record(0), TakeDown(0)];
    hold("put, taken down", &[Put("E")], &deliveries, bounds(2, 0));
    hold("put, taken down, with a crash", &[Put("E")], &deliveries, bounds(1, 1));
    let deliveries = [Ready(0), Ready(1), Record(0), Record(1), TakeDown(0)];
    hold("put, overwrite, taken down", &[Put("E1"), Put("E2")], &deliveries, bounds(1, 0));
    let deliveries = [Ready(0), Ready(1), Record(0), Record(1), TakeDown(0)];
    hold("put, taken down, deleted", &[Put("E"), Delete], &deliveries, bounds(1, 0));
}

#[test]
fn restored_item_is_ready_again() {
    let deliveries = [Ready(0), Record(0), TakeDown(0), Restore(0)];
    hold("put, taken down, restored", &[Put("E")], &deliveries, bounds(1, 0));
    hold("put, taken down, restored, with a crash", &[Put("E")], &deliveries, bounds(0, 1));
}

#[test]
fn exploration_finds_a_known_violation() {
    /// Two tasks that each read a number and then write it back increased by one.
    struct Counter {
        value: u32,
        read: [Option<u32>; 2],
        done: [bool; 2],
    }
    impl System for Counter {
        fn enabled(&self) -> Vec<usize> {
            (0..2).filter(|task| !self.done[*task]).collect()
        }
        fn step(&mut self, task: usize) {
            match self.read[task] {
                None => self.read[task] = Some(self.value),
                Some(read) => {
                    self.value = read + 1;
                    self.done[task] = true;
                }
            }
        }
        fn can_crash(&self, _: usize) -> bool {
            false
        }
        fn crash(&mut self, _: usize) {}
        fn fingerprint(&self) -> u64 {
            hash((self.value, self.read, self.done))
        }
        fn violation(&self) -> Option<String> {
            None
        }
        fn violation_at_end(&self) -> Option<String> {
            (self.value != 2).then(|| format!("{} after two increments", self.value))
        }
        fn trace(&self) -> String {
            String::new()
        }
    }
    let start = || Counter { value: 0, read: [None; 2], done: [false; 2] };
    let explored = explore(start, bounds(0, 0)).expect("one after the other");
    assert_eq!(explored.schedules, 2);
    assert!(explore(start, bounds(1, 0)).is_err());
}
