//! The backend's stream client with the emulator. Both implement Neptune's documentation independently.

use std::{num::NonZeroU32, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use neptune::{Commit, Failure, Fault, NeptuneEmulator, Options};
use neptune_streams::{
    Bounds, Client, Error, Kind, Op, Part, Position, Read, Start, StreamReader, TransactionAssembler,
};

fn client(emulator: &NeptuneEmulator) -> Client {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("ap-northeast-2"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("AKIDEXAMPLE", "secret", None)))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_secs(30)).build())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build();
    Client::new(&config, emulator.endpoint()).expect("a client")
}

/// An emulator that requires signatures, with five commits.
async fn world(options: Options) -> (NeptuneEmulator, neptune::Client) {
    let emulator = NeptuneEmulator::start(Options { requires_signature: true, ..options }).expect("an emulator");
    let graph = emulator.client();
    for commit in [
        Commit::new().add_vertex("mina", ["person"]).set("mina", "name", "미나").add_vertex("jun", ["person"]),
        Commit::new().add_edge("f1", "follows", "jun", "mina"),
        Commit::new().add_vertex("s1", ["story"]).set("s1", "title", "비 오는 날").set("s1", "seconds", 61),
        Commit::new().set("s1", "title", "비 갠 날"),
        Commit::new().remove_vertex("jun"),
    ] {
        graph.commit(&commit).await.expect("a commit");
    }
    (emulator, graph)
}

/// Reads until the stream is idle.
async fn read_all(reader: &mut StreamReader, assembler: &mut TransactionAssembler) -> Result<Vec<Part>, Error> {
    let mut parts = Vec::new();
    while let Read::Page(page) = reader.read().await? {
        assembler.push(page);
        while let Some(part) = assembler.next_part() {
            parts.push(part);
        }
    }
    parts.extend(assembler.idle());
    Ok(parts)
}

async fn all(emulator: &NeptuneEmulator, limit: u32) -> Vec<Part> {
    let mut reader = StreamReader::new(client(emulator), Start::TrimHorizon).with_max_limit(limit);
    read_all(&mut reader, &mut TransactionAssembler::new(Bounds::default())).await.expect("parts")
}

fn times(count: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(count)
}

#[tokio::test]
async fn history_is_the_same_for_every_page_size() {
    let (emulator, _) = world(Options::default()).await;
    let history = all(&emulator, 100_000).await;
    let changes = |part: &Part| -> Vec<_> {
        let records = part.records.iter();
        records.map(|record| (record.op, record.data.kind, record.data.id.to_string())).collect()
    };
    let sizes: Vec<_> = history.iter().map(|part| (part.commit_num, part.records.len(), part.is_whole())).collect();
    assert_eq!(sizes, [(1, 3, true), (2, 1, true), (3, 3, true), (4, 2, true), (5, 2, true)]);
    // An update is a removal and an addition. A vertex is removed after its edges, its labels last.
    assert_eq!(changes(&history[3]).iter().map(|record| record.0).collect::<Vec<_>>(), [Op::Remove, Op::Add]);
    let removed = [(Op::Remove, Kind::Edge, "f1".to_owned()), (Op::Remove, Kind::VertexLabel, "jun".to_owned())];
    assert_eq!(changes(&history[4]), removed);
    for limit in 1..=7 {
        assert_eq!(all(&emulator, limit).await, history, "limit {limit}");
    }
}

#[tokio::test]
async fn older_record_formats_are_read_the_same() {
    let (emulator, _) = world(Options::default()).await;
    let (older, _) = world(Options { marks_last_op: false, values_as_text: true, ..Options::default() }).await;
    let (history, same) = (all(&emulator, 2).await, all(&older, 2).await);
    let data = |parts: &[Part]| -> Vec<_> {
        parts.iter().map(|part| part.records.iter().map(|record| record.data.clone()).collect::<Vec<_>>()).collect()
    };
    assert_eq!(data(&history), data(&same));
}

#[tokio::test]
async fn idle_read_returns_the_head_and_then_the_next_commit() {
    // Beyond 2^53, a conversion to a float would change the number.
    const FIRST: u64 = (1 << 53) + 1;
    let (emulator, graph) = world(Options { first_commit_num: FIRST, ..Options::default() }).await;
    let head = Position { commit_num: FIRST + 4, op_num: 2 };
    assert_eq!(client(&emulator).head().await.expect("a head"), Some(head));
    let mut reader = StreamReader::new(client(&emulator), Start::AfterSequenceNumber(head));
    assert_eq!(reader.read().await.expect("idle"), Read::Idle { head: Some(head) });
    graph.commit(&Commit::new().set("mina", "name", "미나리")).await.expect("a commit");
    let mut assembler = TransactionAssembler::resume_after(Bounds::default(), head);
    let parts = read_all(&mut reader, &mut assembler).await.expect("parts");
    assert_eq!(parts.iter().map(|part| part.commit_num).collect::<Vec<_>>(), [FIRST + 5]);
}

#[tokio::test]
async fn transient_faults_are_retried() {
    let (emulator, graph) = world(Options::default()).await;
    let history = all(&emulator, 100).await;
    for fault in [
        Fault::Error(Failure::Throttling),
        Fault::Error(Failure::MemoryLimitExceeded),
        Fault::Error(Failure::TooManyRequests),
        Fault::Error(Failure::ClientTimeout),
        Fault::Cut { at_op: 1 },
        Fault::Slow { millis: 50 },
        Fault::Lag { commits: 2 },
    ] {
        graph.inject_fault(fault, times(1)).await.expect("a fault");
        let mut reader = StreamReader::new(client(&emulator), Start::TrimHorizon);
        let mut assembler = TransactionAssembler::new(Bounds::default());
        let mut parts = Vec::new();
        // A lagging replica ends the first read too early.
        while parts.len() < history.len() {
            parts.extend(read_all(&mut reader, &mut assembler).await.expect("parts"));
        }
        assert_eq!(parts, history, "{fault:?}");
        assert_eq!(graph.faults().await.expect("faults")[0].hits, 1, "{fault:?} had no effect");
        graph.clear_faults().await.expect("no faults");
    }
}

#[tokio::test]
async fn gap_is_reported_until_it_closes() {
    let (emulator, graph) = world(Options::default()).await;
    let history = all(&emulator, 100).await;
    graph.inject_fault(Fault::Gap { commit_num: 3 }, times(2)).await.expect("a fault");
    let after_first = Position { commit_num: 2, op_num: 1 };
    let mut reader = StreamReader::new(client(&emulator), Start::AfterSequenceNumber(after_first));
    for _ in 0..2 {
        let error = reader.read().await.expect_err("a gap");
        assert!(matches!(error, Error::Gap { .. }), "{error:?}");
    }
    let mut assembler = TransactionAssembler::resume_after(Bounds::default(), after_first);
    assert_eq!(read_all(&mut reader, &mut assembler).await.expect("parts"), history[2..]);
}

#[tokio::test]
async fn permanent_errors_have_distinct_kinds() {
    let (emulator, graph) = world(Options::default()).await;
    let from_start =
        || StreamReader::new(client(&emulator), Start::AfterSequenceNumber(Position { commit_num: 1, op_num: 1 }));

    graph.inject_fault(Fault::Error(Failure::StreamsOff), times(1)).await.expect("a fault");
    assert!(matches!(from_start().read().await, Err(Error::StreamsOff(_))));

    graph.trim(4).await.expect("expired");
    assert!(matches!(from_start().read().await, Err(Error::Expired(_))));

    graph.reset().await.expect("reset");
    let far = Position { commit_num: 5, op_num: 2 };
    let mut reader = StreamReader::new(client(&emulator), Start::AfterSequenceNumber(far));
    assert!(matches!(reader.read().await, Err(Error::Reset { .. })));

    let unsigned = reqwest::get(format!("{}/propertygraph/stream", emulator.endpoint())).await.expect("an answer");
    assert_eq!(unsigned.status(), 403);
}

#[tokio::test]
async fn restarted_emulator_has_the_same_history() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || Options { state: Some(folder.path().join("graph.jsonl")), ..Options::default() };
    let (emulator, _) = world(options()).await;
    let history = all(&emulator, 100).await;
    drop(emulator);
    let emulator = NeptuneEmulator::start(options()).expect("an emulator");
    assert_eq!(all(&emulator, 3).await, history);
}
