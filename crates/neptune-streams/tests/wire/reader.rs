use std::time::Duration;

use neptune_streams::{Error, Position, Read, Start, StreamReader};

use crate::{
    client, hasty_client,
    server::{Answer, Server},
};

fn idle(head: &str) -> Answer {
    Answer::error(404, "StreamRecordsNotFoundException", &format!("Last valid eventId is [{head}]"))
}

fn timed_out() -> Answer {
    Answer::error(408, "ClientTimeoutException", "too slow")
}

fn after(commit_num: u64, op_num: u64) -> Start {
    Start::AfterSequenceNumber(Position::new(commit_num, op_num))
}

async fn reader(start: Start, answers: impl Into<Vec<Answer>>) -> (StreamReader, Server) {
    let server = Server::start(answers).await;
    (StreamReader::new(client(&server), start), server)
}

fn limits(server: &Server) -> Vec<u32> {
    let limit = |asked: &crate::server::Asked| asked.get("limit").and_then(|limit| limit.parse().ok());
    server.asked().iter().map(|asked| limit(asked).expect("a limit")).collect()
}

#[tokio::test]
async fn reads_on_from_page_to_page_until_there_is_none() {
    let pages = [Answer::page(&[(1, 1), (1, 2)]), Answer::page(&[(1, 3), (2, 1)]), idle("commitNum = 2, opNum = 1")];
    let (mut reader, server) = reader(Start::TrimHorizon, pages).await;
    assert!(matches!(reader.read().await, Ok(Read::Page(page)) if page.records.len() == 2));
    assert_eq!(reader.start(), after(1, 2));
    assert!(matches!(reader.read().await, Ok(Read::Page(_))));
    assert_eq!(reader.read().await.expect("idle"), Read::Idle { head: Some(Position::new(2, 1)) });
    assert_eq!(reader.start(), after(2, 1));
    let asked = server.asked();
    assert_eq!(asked[0].get("iteratorType"), Some("TRIM_HORIZON"));
    assert_eq!((asked[2].get("commitNum"), asked[2].get("opNum")), (Some("2"), Some("1")));
}

#[tokio::test]
async fn asks_for_less_when_a_page_takes_too_long_and_for_more_again() {
    let slow = Answer::page(&[(1, 1)]).after(Duration::from_secs(60));
    let answers = [timed_out(), slow, Answer::page(&[(1, 1)]), Answer::page(&[(2, 1)]), idle("")];
    let server = Server::start(answers).await;
    let mut reader = StreamReader::new(hasty_client(&server), Start::TrimHorizon).with_max_limit(1000);
    for _ in 0..3 {
        reader.read().await.map(drop).expect("a page, or none");
    }
    assert_eq!(limits(&server), [1000, 500, 250, 313, 392]);
    assert_eq!(reader.limit(), 392);
}

#[tokio::test]
async fn gives_up_when_one_record_takes_too_long() {
    let (reader, server) = reader(Start::TrimHorizon, [timed_out()]).await;
    let mut reader = reader.with_max_limit(4);
    assert!(matches!(reader.read().await, Err(Error::TimedOut(Some(_)))));
    assert_eq!(limits(&server), [4, 2, 1]);
}

#[tokio::test]
async fn holds_at_a_gap_and_goes_on_once_it_has_healed() {
    let pages = [&[(5, 1), (7, 1)][..], &[(7, 1)], &[(6, 1), (7, 1)]].map(Answer::page);
    let (mut reader, _server) = reader(after(4, 9), pages).await;
    // Up to the gap.
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
async fn passes_a_gap_only_when_told() {
    let (mut reader, _server) = reader(after(4, 9), [Answer::page(&[(7, 1), (8, 1)])]).await;
    let Err(Error::Gap { got, .. }) = reader.read().await else { panic!("a gap") };
    reader.seek(Start::AtSequenceNumber(got));
    assert!(matches!(reader.read().await, Ok(Read::Page(page)) if page.records.len() == 2));
}

#[tokio::test]
async fn notices_that_the_stream_began_anew() {
    let answers = [idle("commitNum = 4, opNum = 8"), idle("commitNum = 4, opNum = 9"), Answer::page(&[(1, 1)])];
    let (mut reader, _server) = reader(after(4, 9), answers).await;
    let reset = |read, head| matches!(read, Err(Error::Reset { head: found }) if found == head);
    assert!(reset(reader.read().await, Position::new(4, 8)));
    // It was a replica that lagged.
    assert!(matches!(reader.read().await, Ok(Read::Idle { .. })));
    assert!(reset(reader.read().await, Position::new(1, 1)));
    assert_eq!(reader.start(), after(4, 9));
}
