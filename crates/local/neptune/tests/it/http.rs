//! The emulator over HTTP.

use std::{
    io::Read as _,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use aws_client::AwsClient;
use reqwest::{Method, StatusCode};
use serde_json::{Value as Json, json};

use neptune::{
    Client, Commit, Committed, EventId, ExpiredStatus, Failure, Fault, NeptuneEmulator, Options, StreamBounds, Value,
};
use tempfile::NamedTempFile;

fn start(options: Options) -> (NeptuneEmulator, Client) {
    let emulator = NeptuneEmulator::start(options).expect("emulator");
    let client = emulator.client();
    (emulator, client)
}

/// Status and body of a GET request.
async fn get(emulator: &NeptuneEmulator, path: &str) -> (StatusCode, String) {
    let answer = reqwest::get(format!("{}{path}", emulator.endpoint())).await.expect("response");
    assert_eq!(answer.headers()["content-type"], "application/json");
    (answer.status(), answer.text().await.expect("text"))
}

/// The positions in a page, or the status, code and message of the error.
async fn stream(emulator: &NeptuneEmulator, query: &str) -> Result<Vec<(u64, u64)>, (u16, String, String)> {
    let (status, text) = get(emulator, &format!("/propertygraph/stream?{query}")).await;
    let json: Json = serde_json::from_str(&text).expect("JSON");
    if status == StatusCode::OK {
        let id = |record: &Json| {
            let id = &record["eventId"];
            (id["commitNum"].as_u64().expect("number"), id["opNum"].as_u64().expect("number"))
        };
        return Ok(json["records"].as_array().expect("array").iter().map(id).collect());
    }
    assert!(json["requestId"].as_str().is_some_and(|id| id.len() == 36));
    let text = |name: &str| json[name].as_str().expect("text").to_owned();
    Err((status.as_u16(), text("code"), text("detailedMessage")))
}

async fn code(emulator: &NeptuneEmulator, query: &str) -> Option<(u16, String)> {
    stream(emulator, query).await.err().map(|(status, code, _)| (status, code))
}

async fn post(emulator: &NeptuneEmulator, path: &str, body: &str) -> (StatusCode, Json) {
    let request = reqwest::Client::new().post(format!("{}{path}", emulator.endpoint()));
    let answer = request.body(body.to_owned()).send().await.expect("response");
    (answer.status(), serde_json::from_slice(&answer.bytes().await.expect("body")).expect("JSON"))
}

fn person(id: &str) -> Commit {
    Commit::new().add_vertex(id, ["person"])
}

fn times(times: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(times)
}

#[tokio::test]
async fn page_has_exactly_the_documented_bytes() {
    let (emulator, client) = start(Options::default());
    let commit = Commit::new()
        .requested_at(4_102_444_800_000)
        .add_vertex("p1", ["person"])
        .set("p1", "name", "미나 \"M\"")
        .add_vertex("p2", ["person"])
        .add_edge("f1", "follows", "p1", "p2")
        .set("f1", "since", Value::Date(1_560_011_610_678));
    let committed = client.commit(&commit).await.unwrap();
    assert_eq!(committed, Committed { commit_num: Some(1), commit_timestamp: 4_102_444_800_000, records: 5 });
    let record = |op: u64, data: &str, end: &str| {
        format!(
            r#"{{"commitTimestamp":4102444800000,"eventId":{{"commitNum":1,"opNum":{op}}},"data":{data},"op":"ADD"{end}}}"#
        )
    };
    let records = [
        record(1, r#"{"id":"p1","type":"vl","key":"label","value":{"value":"person","dataType":"String"}}"#, ""),
        record(2, r#"{"id":"p1","type":"vp","key":"name","value":{"value":"미나 \"M\"","dataType":"String"}}"#, ""),
        record(3, r#"{"id":"p2","type":"vl","key":"label","value":{"value":"person","dataType":"String"}}"#, ""),
        record(
            4,
            r#"{"id":"f1","type":"e","key":"label","value":{"value":"follows","dataType":"String"},"from":"p1","to":"p2"}"#,
            "",
        ),
        record(
            5,
            r#"{"id":"f1","type":"ep","key":"since","value":{"value":1560011610678,"dataType":"Date"}}"#,
            r#","isLastOp":true"#,
        ),
    ];
    let expected = format!(
        r#"{{"lastEventId":{{"commitNum":1,"opNum":5}},"lastTrxTimestamp":4102444800000,"format":"PG_JSON","records":[{}],"totalRecords":5}}"#,
        records.join(",")
    );
    for path in ["/propertygraph/stream", "/pg/stream"] {
        let (status, text) = get(&emulator, &format!("{path}?commitNum=1")).await;
        assert_eq!((status, text), (StatusCode::OK, expected.clone()), "{path}");
    }
}

#[tokio::test]
async fn read_after_the_head_returns_404_with_the_head() {
    let (emulator, client) = start(Options::default());
    let idle = |head: &str| {
        let text = format!("Requested startEventId is from the future. Last valid eventId is [{head}]");
        Err((404, "StreamRecordsNotFoundException".to_owned(), text))
    };
    let probe = "commitNum=9223372036854775807&limit=1";
    assert_eq!(stream(&emulator, probe).await, idle("commitNum = 0, opNum = 0"));
    client.commit(&person("p1").set("p1", "name", "x")).await.unwrap();
    assert_eq!(stream(&emulator, probe).await, idle("commitNum = 1, opNum = 2"));
    let after = "iteratorType=AFTER_SEQUENCE_NUMBER&commitNum=1";
    assert_eq!(stream(&emulator, after).await, Ok(vec![(1, 2)]), "opNum is 1 by default");
    assert_eq!(stream(&emulator, &format!("{after}&opNum=2")).await, idle("commitNum = 1, opNum = 2"));
    let bounds = client.head().await.unwrap();
    let id = |op_num| EventId { commit_num: 1, op_num };
    assert_eq!(bounds, StreamBounds { head: id(2), oldest: Some(id(1)) });
}

#[tokio::test]
async fn page_has_ten_records_by_default() {
    let (emulator, client) = start(Options::default());
    let many = (0..25).fold(Commit::new(), |commit, n| commit.add_vertex(format!("p{n}"), ["person"]));
    client.commit(&many).await.unwrap();
    let count = async |query: &str| stream(&emulator, query).await.unwrap().len();
    assert_eq!(count("iteratorType=TRIM_HORIZON").await, 10);
    assert_eq!(count("iteratorType=TRIM_HORIZON&limit=100000").await, 25);
    assert_eq!(count("iteratorType=LATEST&limit=100").await, 1);
    for query in ["iteratorType=TRIM_HORIZON&limit=0", "iteratorType=TRIM_HORIZON&limit=100001", ""] {
        assert_eq!(code(&emulator, query).await, Some((400, "InvalidParameterException".into())), "{query}");
    }
}

#[tokio::test]
async fn page_is_compressed_if_the_client_accepts_gzip() {
    let (emulator, client) = start(Options::default());
    client.commit(&person("p1")).await.unwrap();
    let path = "/propertygraph/stream?iteratorType=LATEST";
    let plain = get(&emulator, path).await.1;
    let request = reqwest::Client::new().get(format!("{}{path}", emulator.endpoint()));
    let answer = request.header("accept-encoding", "gzip").send().await.expect("response");
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    let bytes = answer.bytes().await.unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain);
}

#[tokio::test]
async fn commit_numbers_beyond_2_to_the_53_are_exact() {
    let first = (1_u64 << 53) + 1;
    let (emulator, client) = start(Options { first_commit_num: first, ..Options::default() });
    assert_eq!(client.commit(&person("p1")).await.unwrap().commit_num, Some(first));
    let (_, text) = get(&emulator, "/propertygraph/stream?commitNum=9007199254740993").await;
    assert_eq!(text.matches(r#"{"commitNum":9007199254740993,"opNum":1}"#).count(), 2, "{text}");
    assert_eq!(client.head().await.unwrap().head.commit_num, first);
}

#[tokio::test]
async fn invalid_commit_is_rejected_as_a_whole() {
    let (emulator, client) = start(Options::default());
    let error = client.commit(&person("p1").add_edge("f1", "follows", "p1", "p2")).await.unwrap_err();
    assert!(error.to_string().contains("write 1: there is no vertex p2"), "{error}");
    for (body, code) in [
        (r#"{"writes":[{"removeVertex":{"id":"p1"}}]}"#, "InvalidCommit"),
        (r#"{"writes":[{"removeVertex":{"id":"p1","force":true}}]}"#, "MalformedDocument"),
        (
            r#"{"writes":[{"set":{"id":"p1","key":"age","value":{"value":300,"dataType":"Byte"}}}]}"#,
            "MalformedDocument",
        ),
        ("writes", "MalformedDocument"),
    ] {
        let (status, answer) = post(&emulator, "/emulator/commit", body).await;
        assert_eq!((status, answer["code"].as_str()), (StatusCode::BAD_REQUEST, Some(code)), "{body}: {answer}");
    }
    assert_eq!(client.graph().await.unwrap().vertices.len(), 0);
    assert_eq!(client.head().await.unwrap().oldest, None);
}

#[tokio::test]
async fn graph_is_returned_with_labels_and_properties() {
    let (emulator, client) = start(Options::default());
    let commit = person("p1").set("p1", "height", 1.5).add_edge("f1", "likes", "p1", "p1").set("f1", "n", 1);
    client.commit(&commit).await.unwrap();
    let expected = json!({
        "vertices": {"p1": {"labels": ["person"], "properties": {"height": {"value": 1.5, "dataType": "Double"}}}},
        "edges": {"f1": {"label": "likes", "from": "p1", "to": "p1", "properties": {"n": {"value": 1, "dataType": "Int"}}}},
    });
    let (_, text) = get(&emulator, "/emulator/graph").await;
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), expected);
    assert_eq!(client.graph().await.unwrap().vertices["p1"].properties["height"], Value::Double(1.5));
}

#[tokio::test]
async fn injected_error_is_returned_until_exhausted() {
    let (emulator, client) = start(Options::default());
    client.commit(&person("p1")).await.unwrap();
    for (fault, status, wanted) in [
        (Fault::Error(Failure::Throttling), 500, "ThrottlingException"),
        (Fault::Error(Failure::MemoryLimitExceeded), 500, "MemoryLimitExceededException"),
        (Fault::Error(Failure::ClientTimeout), 408, "ClientTimeoutException"),
        (Fault::Error(Failure::TooManyRequests), 429, "TooManyRequestsException"),
        (Fault::Error(Failure::StreamsOff), 400, "UnsupportedOperationException"),
        (Fault::Error(Failure::ConstraintViolation), 400, "ConstraintViolationException"),
        (Fault::Error(Failure::PreconditionsFailed), 400, "PreconditionsFailedException"),
        (Fault::Error(Failure::InvalidArgument), 400, "InvalidArgumentException"),
        (Fault::Error(Failure::IllegalArgument), 400, "IllegalArgumentException"),
        (Fault::Expired { status: ExpiredStatus::Expired }, 400, "ExpiredStreamException"),
        (Fault::Expired { status: ExpiredStatus::NotFound }, 404, "StreamRecordsNotFoundException"),
    ] {
        client.inject_fault(fault, times(2)).await.unwrap();
        for left in [Some(1), Some(0)] {
            assert_eq!(code(&emulator, "commitNum=1").await, Some((status, wanted.to_owned())), "{fault:?}");
            assert_eq!(client.faults().await.unwrap().last().unwrap().left, left);
        }
        assert_eq!(stream(&emulator, "commitNum=1").await, Ok(vec![(1, 1)]), "{fault:?} is exhausted");
    }
    client.inject_fault(Fault::Error(Failure::StreamsOff), None).await.unwrap();
    assert!(code(&emulator, "iteratorType=LATEST").await.is_some());
    client.clear_faults().await.unwrap();
    assert_eq!(code(&emulator, "iteratorType=LATEST").await, None);
    assert_eq!(client.faults().await.unwrap(), []);
    let (status, answer) = post(&emulator, "/emulator/faults", r#"{"fault":{"error":"fire"}}"#).await;
    assert_eq!((status, answer["code"].as_str()), (StatusCode::BAD_REQUEST, Some("MalformedDocument")));
}

#[tokio::test]
async fn injected_cut_gap_and_lag_change_pages() {
    let (emulator, client) = start(Options::default());
    client.commit(&person("p1").set("p1", "a", 1).set("p1", "b", 2)).await.unwrap();
    client.commit(&person("p2")).await.unwrap();
    client.commit(&person("p3")).await.unwrap();
    let all = "iteratorType=TRIM_HORIZON";
    client.inject_fault(Fault::Cut { at_op: 2 }, times(1)).await.unwrap();
    assert_eq!(stream(&emulator, all).await, Ok(vec![(1, 1), (1, 2)]));
    client.inject_fault(Fault::Gap { commit_num: 2 }, times(1)).await.unwrap();
    assert_eq!(stream(&emulator, all).await, Ok(vec![(1, 1), (1, 2), (1, 3), (3, 1)]));
    client.inject_fault(Fault::Lag { commits: 2 }, times(2)).await.unwrap();
    assert_eq!(stream(&emulator, all).await, Ok(vec![(1, 1), (1, 2), (1, 3)]));
    let text = stream(&emulator, "commitNum=3").await.unwrap_err().2;
    assert!(text.ends_with("[commitNum = 1, opNum = 3]"), "{text}");
    assert_eq!(stream(&emulator, "commitNum=3").await, Ok(vec![(3, 1)]));
}

#[tokio::test]
async fn delayed_response_does_not_block_other_requests() {
    let (emulator, client) = start(Options::default());
    client.commit(&person("p1")).await.unwrap();
    client.inject_fault(Fault::Slow { millis: 1500 }, times(1)).await.unwrap();
    let begin = Instant::now();
    let slow = async {
        stream(&emulator, "commitNum=1").await.unwrap();
        begin.elapsed()
    };
    let others = async {
        // Waits until the delayed request has arrived.
        while client.faults().await.unwrap().first().unwrap().hits == 0 {}
        client.commit(&person("p2")).await.unwrap();
        assert_eq!(stream(&emulator, "commitNum=2").await, Ok(vec![(2, 1)]));
        begin.elapsed()
    };
    let (slow, others) = tokio::join!(slow, others);
    assert!(slow >= Duration::from_millis(1500) && others < slow, "{slow:?} {others:?}");
}

#[tokio::test]
async fn trim_and_reset_change_the_stream_bounds() {
    let (emulator, client) = start(Options::default());
    for id in ["p1", "p2", "p3"] {
        client.commit(&person(id)).await.unwrap();
    }
    assert_eq!(client.trim(2).await.unwrap().oldest, Some(EventId { commit_num: 3, op_num: 1 }));
    assert_eq!(code(&emulator, "commitNum=2").await, Some((400, "ExpiredStreamException".into())));
    assert_eq!(stream(&emulator, "iteratorType=TRIM_HORIZON").await, Ok(vec![(3, 1)]));
    let bounds = client.reset().await.unwrap();
    assert_eq!(bounds, StreamBounds { head: EventId { commit_num: 0, op_num: 0 }, oldest: None });
    assert_eq!(client.graph().await.unwrap().vertices.len(), 0);
    assert_eq!(client.commit(&person("p1")).await.unwrap().commit_num, Some(1));
    let text = stream(&emulator, "commitNum=3").await.unwrap_err().2;
    assert!(text.ends_with("[commitNum = 1, opNum = 1]"), "{text}");
}

#[tokio::test]
async fn commit_older_than_the_retention_expires() {
    let (emulator, client) = start(Options { retention: Duration::from_secs(3600), ..Options::default() });
    client.commit(&person("p1").requested_at(0)).await.unwrap();
    client.commit(&person("p2")).await.unwrap();
    assert_eq!(code(&emulator, "commitNum=1").await, Some((400, "ExpiredStreamException".into())));
    assert_eq!(stream(&emulator, "iteratorType=TRIM_HORIZON").await, Ok(vec![(2, 1)]));
}

#[tokio::test]
async fn restarted_emulator_has_the_same_graph_and_stream() {
    let file = NamedTempFile::new().unwrap();
    let options = || Options { state: Some(file.path().into()), ..Options::default() };
    let (emulator, client) = start(options());
    client.commit(&person("p1").set("p1", "name", "미나")).await.unwrap();
    client.commit(&Commit::new().set("p1", "name", "민아")).await.unwrap();
    let page = get(&emulator, "/pg/stream?iteratorType=TRIM_HORIZON").await;
    let graph = client.graph().await.unwrap();
    drop(emulator);
    let (emulator, client) = start(options());
    assert_eq!(get(&emulator, "/pg/stream?iteratorType=TRIM_HORIZON").await, page);
    assert_eq!(client.graph().await.unwrap(), graph);
    assert_eq!(client.commit(&person("p2")).await.unwrap().commit_num, Some(3));
}

#[tokio::test]
async fn unsigned_request_returns_403_if_signatures_are_required() {
    let (emulator, client) = start(Options { requires_signature: true, ..Options::default() });
    client.commit(&person("p1")).await.unwrap();
    assert_eq!(code(&emulator, "commitNum=1").await, Some((403, "AccessDeniedException".into())));
    let aws = AwsClient::new(emulator.endpoint());
    let path = "/propertygraph/stream?commitNum=1";
    for (service, status) in [("neptune-db", StatusCode::OK), ("sqs", StatusCode::FORBIDDEN)] {
        let answer = aws.send(service, Method::GET, path, &[], Vec::new()).await.unwrap();
        assert_eq!(answer.status, status, "{service}");
    }
}

#[tokio::test]
async fn unknown_path_returns_404_and_unknown_method_405() {
    let (emulator, _client) = start(Options::default());
    let (status, text) = get(&emulator, "/sparql/stream").await;
    assert!(status == StatusCode::NOT_FOUND && text.contains("/sparql/stream"), "{text}");
    let request = reqwest::Client::new().post(format!("{}/pg/stream", emulator.endpoint()));
    assert_eq!(request.send().await.expect("response").status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[test]
fn emulator_outside_of_async_code_frees_its_port_when_dropped() {
    let (emulator, _client) = start(Options::default());
    let port = emulator.endpoint().rsplit(':').next().unwrap().parse().unwrap();
    assert!(NeptuneEmulator::start(Options { port, ..Options::default() }).is_err());
    drop(emulator);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
