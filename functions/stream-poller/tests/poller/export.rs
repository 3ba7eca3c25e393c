use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

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

use crate::test_env::{TEST_TIMEOUT, TestEnv, config};

/// An in-memory queue that accepts a limited number of calls.
struct MemoryQueue {
    messages: RefCell<Vec<Message>>,
    calls_left: RefCell<usize>,
}

impl Queue for MemoryQueue {
    async fn send(&self, messages: &[Message]) -> Result<(), Failure> {
        let mut left = self.calls_left.borrow_mut();
        *left = left.checked_sub(1).ok_or_else(|| Failure::transient("send", "injected"))?;
        assert!(messages.len() <= 10 && messages.iter().map(|message| message.body.len()).sum::<usize>() <= 262_144);
        self.messages.borrow_mut().extend_from_slice(messages);
        Ok(())
    }
}

fn exporter(env: &TestEnv, calls: usize) -> Exporter<MemoryQueue> {
    let queue = MemoryQueue { messages: RefCell::default(), calls_left: RefCell::new(calls) };
    let graph = Graph::new(&config(), env.emulator.endpoint());
    Exporter { graph, queue, cluster: "main".to_owned() }
}

/// The generation in most tests.
async fn second() -> Result<u64, Failure> {
    Ok(2)
}

/// The changes in the queue.
fn exported(exporter: &Exporter<MemoryQueue>) -> Vec<Change> {
    let messages = exporter.queue.messages.borrow();
    let change = |message: &Message| {
        let received = Change::from_cloud_event(&message.body).expect("a change");
        assert_eq!((received.cluster.as_str(), &message.group), ("main.2", &received.change.group_id()));
        received.change
    };
    messages.iter().map(change).collect()
}

/// A graph with a person and stories that are not in the stream, and with entities that search does not need.
async fn graph_older_than_stream(stories: usize) -> TestEnv {
    let env = TestEnv::with(Options { requires_signature: true, ..Options::default() });
    let mut commit = Commit::new().unstreamed().add_vertex("mina", ["person"]).set("mina", "name", "미나");
    for number in 0..stories {
        let id = format!("s{number:04}");
        commit = commit.add_vertex(&id, ["story"]).set(&id, "title", "첫눈").set(&id, "visibility", "followers");
        commit = commit.add_edge(format!("t{number:04}"), "told", "mina", &id);
    }
    env.commit(&commit.add_vertex("c", ["comment"]).add_edge("l", "likes", "mina", "c")).await;
    env
}

#[tokio::test]
async fn graph_older_than_stream_is_exported_page_by_page() {
    let env = graph_older_than_stream(1_200).await;
    assert_eq!(env.drain().await.expect("drained").published.changes, 0, "the stream is empty");
    let exporter = exporter(&env, usize::MAX);
    let metrics = Metrics::of("test");
    // Each invocation has time for one page.
    let (mut request, mut counts, mut pages) = (Some(ExportRequest::default()), Vec::new(), 0);
    while let Some(next) = request.take() {
        let response = exporter.export(next, second, Duration::ZERO, &metrics).await.expect("a response");
        counts.push((response.counts.vertices, response.counts.edges, response.counts.undated));
        request = response.export;
        assert!(request.as_ref().is_none_or(|request| request.generation == Some(2)));
        pages += 1;
    }
    assert_eq!(pages, 6);
    assert_eq!(counts, [(500, 0, 0), (500, 0, 0), (201, 0, 0), (0, 500, 500), (0, 500, 500), (0, 200, 200)]);
    let exported = exported(&exporter);
    let ids: std::collections::BTreeSet<_> = exported.iter().map(|change| (change.kind, &change.entity_id)).collect();
    assert_eq!((exported.len(), ids.len()), (2_401, 2_401), "no duplicates");
    assert!(exported.iter().all(|change| change.position.commit_num == 0));
    let edge = exported.iter().find(|change| change.kind == EntityKind::Edge).expect("an edge");
    assert_eq!(edge.ends.as_ref().map(|ends| ends.from.as_str()), Some("mina"));
    assert_eq!(edge.commit_timestamp_ms, 0);
}

#[tokio::test]
async fn dry_run_counts_and_sends_nothing() {
    let env = graph_older_than_stream(3).await;
    let undecided = Commit::new().unstreamed().add_vertex("s", ["story"]).set("s", "title", "비");
    env.commit(&undecided.add_edge("t", "told", "mina", "s").set("t", "createdAt", 7)).await;
    let exporter = exporter(&env, 0);
    let metrics = Metrics::of("test");
    let count = async |request| exporter.export(request, second, TEST_TIMEOUT, &metrics).await;
    let request = ExportRequest { dry_run: true, ..ExportRequest::default() };
    let counts = Counts { vertices: 4, edges: 4, undecided: 1, undated: 3, skipped: 0 };
    assert_eq!(count(request.clone()).await.expect("a response").counts, counts);
    let decided = ExportRequest { without_visibility: Some(DefaultVisibility::Public), ..request };
    let counts = Counts { vertices: 5, undecided: 0, ..counts };
    assert_eq!(count(decided).await.expect("a response").counts, counts);
    assert_eq!(count(ExportRequest::default()).await.expect_err("a failure").kind, Kind::Transient, "the queue");
}

#[tokio::test]
async fn failed_export_can_be_repeated() {
    let env = graph_older_than_stream(30).await;
    let metrics = Metrics::of("test");
    let failing = exporter(&env, 2);
    let failure =
        failing.export(ExportRequest::default(), second, TEST_TIMEOUT, &metrics).await.expect_err("a failure");
    assert_eq!((failure.kind, exported(&failing).len()), (Kind::Transient, 20));
    *failing.queue.calls_left.borrow_mut() = usize::MAX;
    let response = failing.export(ExportRequest::default(), second, TEST_TIMEOUT, &metrics).await.expect("a response");
    assert_eq!((response.ended, response.export), ("exported", None));
    let messages = failing.queue.messages.borrow();
    let ids: std::collections::BTreeSet<_> = messages.iter().map(|message| &message.deduplication_id).collect();
    assert_eq!((messages.len(), ids.len()), (81, 81), "repeated messages have new deduplication ids");
}

#[tokio::test]
async fn export_after_a_reset_is_a_bug() {
    let env = graph_older_than_stream(1).await;
    let request = ExportRequest { generation: Some(1), part: Part::Edges, ..ExportRequest::default() };
    let failure =
        exporter(&env, 9).export(request, second, TEST_TIMEOUT, &Metrics::of("test")).await.expect_err("a failure");
    assert_eq!(failure.kind, Kind::Bug);
}

#[tokio::test]
async fn page_read_after_a_reset_is_not_sent() {
    let env = graph_older_than_stream(600).await;
    env.add_person(1).await;
    env.drain().await.expect("drained");
    env.table.set_generation(2);
    env.drain().await.expect("drained");
    let (exporter, poller, pages) = (exporter(&env, usize::MAX), env.poller(Mode::Drain), Cell::new(0));
    let generation = async || {
        pages.set(pages.get() + 1);
        if pages.get() == 2 {
            // The new graph has the commit of the checkpoint, at another time.
            env.graph.reset().await.expect("reset");
            env.add_person(1).await;
        }
        let progress = poller.current_progress().await;
        progress.map(|progress| progress.generation).map_err(|error| Failure::bug("export", error))
    };
    let result = exporter.export(ExportRequest::default(), generation, TEST_TIMEOUT, &Metrics::of("test")).await;
    assert_eq!(result.expect_err("a failure").kind, Kind::Bug);
    assert_eq!(exported(&exporter).len(), 500, "the first page");
}

#[tokio::test]
async fn export_without_neptune_is_transient() {
    let env = TestEnv::new();
    let exporter = exporter(&env, 9);
    let TestEnv { emulator, .. } = env;
    drop(emulator);
    let failure = exporter
        .export(ExportRequest::default(), second, TEST_TIMEOUT, &Metrics::of("test"))
        .await
        .expect_err("a failure");
    assert_eq!(failure.kind, Kind::Transient);
}

#[tokio::test]
async fn change_of_an_entity_older_than_the_stream_is_published() {
    let env = graph_older_than_stream(1).await;
    env.commit(&Commit::new().set("s0000", "title", "함박눈")).await;
    let report = env.poller(Mode::Drain).follow("drain", TEST_TIMEOUT).await.expect("a report");
    assert_eq!(report.published.changes, 1);
}
