use std::time::Duration;

use neptune_streams::{Error, Position, Read, Start, StreamReader};

use crate::{
    client,
    server::{Server, StubResponse},
    short_timeout_client,
};

fn idle(head: &str) -> StubResponse {
    StubResponse::error(404, "StreamRecordsNotFoundException", &format!("Last valid eventId is [{head}]"))
}

fn timed_out() -> StubResponse {
    StubResponse::error(408, "ClientTimeoutException", "too slow")
}

fn after(commit_num: u64, op_num: u64) -> Start {
    Start::AfterSequenceNumber(Position::new(commit_num, op_num))
}

async fn reader(start: Start, responses: impl Into<Vec<StubResponse>>) -> (StreamReader, Server) {
    let server = Server::start(responses).await;
    (StreamReader::new(client(&server), start), server)
}

fn limits(server: &Server) -> Vec<u32> {
    let limit = |request: &crate::server::ReceivedRequest| request.get("limit").and_then(|limit| limit.parse().ok());
    server.requests().iter().map(|request| limit(request).expect("a limit")).collect()
}

#[tokio::test]
async fn reader_reads_pages_until_idle() {
    let pages = [
        StubResponse::page(&[(1, 1), (1, 2)]),
        StubResponse::page(&[(1, 3), (2, 1)]),
        idle("commitNum = 2, opNum = 1"),
    ];
    let (mut reader, server) = reader(Start::TrimHorizon, pages).await;
    assert!(matches!(reader.read().await, Ok(Read::Page(page)) if page.records.len() == 2));
    assert_eq!(reader.start(), after(1, 2));
    assert!(matches!(reader.read().await, Ok(Read::Page(_))));
    assert_eq!(reader.read().await.expect("idle"), Read::Idle { head: Some(Position::new(2, 1)) });
    assert_eq!(reader.start(), after(2, 1));
    let requests = server.requests();
    assert_eq!(requests[0].get("iteratorType"), Some("TRIM_HORIZON"));
    assert_eq!((requests[2].get("commitNum"), requests[2].get("opNum")), (Some("2"), Some("1")));
}

#[tokio::test]
async fn reader_after_timeout_lowers_limit_and_raises_it_again() {
    let slow = StubResponse::page(&[(1, 1)]).after(Duration::from_secs(60));
    let responses = [timed_out(), slow, StubResponse::page(&[(1, 1)]), StubResponse::page(&[(2, 1)]), idle("")];
    let server = Server::start(responses).await;
    let mut reader = StreamReader::new(short_timeout_client(&server), Start::TrimHorizon).with_max_limit(1000);
    for _ in 0..3 {
        reader.read().await.map(drop).expect("a page or idle");
    }
    assert_eq!(limits(&server), [1000, 500, 250, 313, 392]);
    assert_eq!(reader.limit(), 392);
}

#[tokio::test]
async fn reader_with_timeout_at_limit_one_fails() {
    let (reader, server) = reader(Start::TrimHorizon, [timed_out()]).await;
    let mut reader = reader.with_max_limit(4);
    assert!(matches!(reader.read().await, Err(Error::TimedOut(Some(_)))));
    assert_eq!(limits(&server), [4, 2, 1]);
}

#[tokio::test]
async fn reader_at_a_gap_keeps_position_until_it_heals() {
    let pages = [&[(5, 1), (7, 1)][..], &[(7, 1)], &[(6, 1), (7, 1)]].map(StubResponse::page);
    let (mut reader, _server) = reader(after(4, 9), pages).await;
    // Cut before the gap.
    let Ok(Read::Page(page)) = reader.read().await else { panic!("a page") };
    assert_eq!((page.records.len(), page.last_event_id), (1, Some(Position::new(5, 1))));
    assert_eq!(reader.start(), after(5, 1));
    let error = reader.read().await.expect_err("a gap");
    assert!(
        matches!(error, Error::Gap { expected, got } if expected == Position::new(6, 1) && got == Position::new(7, 1))
    );
    assert_eq!(reader.start(), after(5, 1));
    assert!(reader.read().await.is_ok());
    assert_eq!(reader.start(), after(7, 1));
}

#[tokio::test]
async fn reader_skips_a_gap_only_by_seek() {
    let (mut reader, _server) = reader(after(4, 9), [StubResponse::page(&[(7, 1), (8, 1)])]).await;
    let Err(Error::Gap { got, .. }) = reader.read().await else { panic!("a gap") };
    reader.seek(Start::AtSequenceNumber(got));
    assert!(matches!(reader.read().await, Ok(Read::Page(page)) if page.records.len() == 2));
}

#[tokio::test]
async fn reader_detects_a_reset() {
    let responses = [idle("commitNum = 4, opNum = 8"), idle("commitNum = 4, opNum = 9"), StubResponse::page(&[(1, 1)])];
    let (mut reader, _server) = reader(after(4, 9), responses).await;
    let reset = |read, head| matches!(read, Err(Error::Reset { head: found }) if found == head);
    assert!(reset(reader.read().await, Position::new(4, 8)));
    // The replica no longer lags.
    assert!(matches!(reader.read().await, Ok(Read::Idle { .. })));
    assert!(reset(reader.read().await, Position::new(1, 1)));
    assert_eq!(reader.start(), after(4, 9));
}
