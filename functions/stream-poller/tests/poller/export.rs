use std::{cell::RefCell, time::Duration};

use domain::graph::{Change, EntityKind};
use function_kit::{
    failure::{Failure, Kind},
    metrics::Metrics,
};
use neptune::{Commit, Options};
use stream_poller::{
    Message,
    export::{Counts, DefaultVisibility, ExportRequest, Exporter, Graph, Part, Queue},
    policy::Mode,
};

use crate::world::{LONG, World, config};

/// A queue that remembers, and takes no more than so many calls.
struct MemoryQueue {
    messages: RefCell<Vec<Message>>,
    calls_left: RefCell<usize>,
}

impl Queue for MemoryQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        let mut left = self.calls_left.borrow_mut();
        *left = left.checked_sub(1).ok_or_else(|| Failure::transient("send", "no more"))?;
        assert!(messages.len() <= 10 && messages.iter().map(|message| message.body.len()).sum::<usize>() <= 262_144);
        self.messages.borrow_mut().extend_from_slice(messages);
        Ok(())
    }
}

fn exporter(world: &World, calls: usize) -> Exporter<MemoryQueue> {
    let queue = MemoryQueue { messages: RefCell::default(), calls_left: RefCell::new(calls) };
    let graph = Graph::new(&config(), world.emulator.endpoint());
    Exporter { graph, queue: Some(queue), cluster: "main".to_owned() }
}

/// What the queue was told.
fn told(exporter: &Exporter<MemoryQueue>) -> Vec<Change> {
    let messages = exporter.queue.as_ref().expect("a queue").messages.borrow();
    let change = |message: &Message| {
        let received = Change::from_cloud_event(&message.body).expect("a change");
        assert_eq!((received.cluster.as_str(), &message.group), ("main.2", &received.change.group_id()));
        received.change
    };
    messages.iter().map(change).collect()
}

/// Somebody who told stories before there was a stream, and something that is none of search's business.
async fn older(stories: usize) -> World {
    let world = World::with(Options { requires_signature: true, ..Options::default() });
    let mut commit = Commit::new().unstreamed().add_vertex("mina", ["person"]).set("mina", "name", "미나");
    for number in 0..stories {
        let id = format!("s{number:04}");
        commit = commit.add_vertex(&id, ["story"]).set(&id, "title", "첫눈").set(&id, "visibility", "followers");
        commit = commit.add_edge(format!("t{number:04}"), "told", "mina", &id);
    }
    world.commit(&commit.add_vertex("c", ["comment"]).add_edge("l", "likes", "mina", "c")).await;
    world
}

#[tokio::test]
async fn what_the_stream_never_told_is_told_page_by_page() {
    let world = older(1_200).await;
    assert_eq!(world.drain().await.expect("drained").done.changes, 0, "the stream knows nothing of it");
    let exporter = exporter(&world, usize::MAX);
    let metrics = Metrics::of("test");
    // No time for more than a page each.
    let (mut order, mut counts, mut pages) = (Some(ExportRequest::default()), Vec::new(), 0);
    while let Some(next) = order.take() {
        let progress = exporter.export(next, 2, Duration::ZERO, &metrics).await.expect("progress");
        counts.push((progress.counts.vertices, progress.counts.edges, progress.counts.undated));
        order = progress.export;
        assert!(order.as_ref().is_none_or(|order| order.generation == Some(2)));
        pages += 1;
    }
    assert_eq!(pages, 6);
    assert_eq!(counts, [(500, 0, 0), (500, 0, 0), (201, 0, 0), (0, 500, 500), (0, 500, 500), (0, 200, 200)]);
    let told = told(&exporter);
    let ids: std::collections::BTreeSet<_> = told.iter().map(|change| (change.kind, &change.entity_id)).collect();
    assert_eq!((told.len(), ids.len()), (2_401, 2_401), "each once");
    assert!(told.iter().all(|change| change.position.commit_num == 0));
    let edge = told.iter().find(|change| change.kind == EntityKind::Edge).expect("an edge");
    assert_eq!(edge.ends.as_ref().map(|ends| ends.from.as_str()), Some("mina"));
    assert_eq!(edge.commit_timestamp_ms, 0);
}

#[tokio::test]
async fn a_dry_run_counts_and_tells_nobody() {
    let world = older(3).await;
    let doubtful = Commit::new().unstreamed().add_vertex("s", ["story"]).set("s", "title", "비");
    world.commit(&doubtful.add_edge("t", "told", "mina", "s").set("t", "createdAt", 7)).await;
    let exporter = Exporter { queue: None, ..exporter(&world, 0) };
    let metrics = Metrics::of("test");
    let count = async |order| exporter.export(order, 2, LONG, &metrics).await;
    let order = ExportRequest { dry_run: true, ..ExportRequest::default() };
    let counts = Counts { vertices: 4, edges: 4, undecided: 1, undated: 3, skipped: 0 };
    assert_eq!(count(order.clone()).await.expect("progress").counts, counts);
    let decided = ExportRequest { without_visibility: Some(DefaultVisibility::Public), ..order };
    let counts = Counts { vertices: 5, undecided: 0, ..counts };
    assert_eq!(count(decided).await.expect("progress").counts, counts);
    // In earnest, it needs somebody to tell.
    assert_eq!(count(ExportRequest::default()).await.expect_err("a failure").kind, Kind::Bug);
}

#[tokio::test]
async fn an_order_that_failed_is_given_again() {
    let world = older(30).await;
    let metrics = Metrics::of("test");
    let failing = exporter(&world, 2);
    let failure = failing.export(ExportRequest::default(), 2, LONG, &metrics).await.expect_err("a failure");
    assert_eq!((failure.kind, told(&failing).len()), (Kind::Transient, 20));
    *failing.queue.as_ref().expect("a queue").calls_left.borrow_mut() = usize::MAX;
    let progress = failing.export(ExportRequest::default(), 2, LONG, &metrics).await.expect("progress");
    assert_eq!((progress.ended, progress.export), ("exported", None));
    let messages = failing.queue.as_ref().expect("a queue").messages.borrow();
    let names: std::collections::BTreeSet<_> = messages.iter().map(|message| &message.deduplication_id).collect();
    assert_eq!((messages.len(), names.len()), (81, 81), "what comes again is new to the queue");
}

#[tokio::test]
async fn a_graph_that_began_anew_is_another() {
    let world = older(1).await;
    let order = ExportRequest { generation: Some(1), part: Part::Edges, ..ExportRequest::default() };
    let failure = exporter(&world, 9).export(order, 2, LONG, &Metrics::of("test")).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Bug);
}

#[tokio::test]
async fn no_neptune_is_worth_another_try() {
    let world = World::new();
    let exporter = exporter(&world, 9);
    let World { emulator, .. } = world;
    drop(emulator);
    let failure =
        exporter.export(ExportRequest::default(), 0, LONG, &Metrics::of("test")).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient);
}

#[tokio::test]
async fn the_stream_goes_on_with_what_was_there_before() {
    let world = older(1).await;
    world.commit(&Commit::new().set("s0000", "title", "함박눈")).await;
    let outcome = world.poller(Mode::Drain).follow("drain", LONG).await.expect("drained");
    assert_eq!(outcome.done.changes, 1);
}
