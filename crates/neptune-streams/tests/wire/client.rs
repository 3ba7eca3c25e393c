use std::time::Duration;

use neptune_streams::{Client, Error, ErrorResponse, Page, Position, Read, Start};

use crate::{
    DOCUMENTED_PAGE, client, hasty_client, sdk_config,
    server::{Answer, Server},
};

const AFTER: Start = Start::AfterSequenceNumber(Position::new(11, 4));

/// The future has no records, and Neptune's answer names the head.
const FUTURE: &str = "Requested startEventId is from the future. Last valid eventId is [commitNum = 1132, opNum = 200]";

async fn read(answers: impl Into<Vec<Answer>>) -> (Result<Read, Error>, usize) {
    let server = Server::start(answers).await;
    let read = client(&server).read(AFTER, 10).await;
    (read, server.asked().len())
}

fn documented_page() -> Read {
    Read::Page(Page::parse(DOCUMENTED_PAGE.as_bytes()).expect("a page"))
}

#[tokio::test]
async fn the_documented_page_arrives_plain_and_gzipped() {
    for answer in [Answer::new(200, DOCUMENTED_PAGE), Answer::new(200, DOCUMENTED_PAGE).gzipped()] {
        let (page, asked) = read([answer]).await;
        assert_eq!((page.expect("a page"), asked), (documented_page(), 1));
    }
}

#[tokio::test]
async fn a_page_of_ten_megabytes_arrives() {
    let positions: Vec<_> = (1..=50_000).map(|op_num| (12, op_num)).collect();
    let (found, _) = read([Answer::page(&positions).gzipped()]).await;
    let Ok(Read::Page(page)) = found else { panic!("a page") };
    assert_eq!(page.records.len(), 50_000);
    assert_eq!(page.last_position(), Some(Position::new(12, 50_000)));
}

#[tokio::test]
async fn requests_are_signed_and_name_the_position_in_full() {
    let position = Position::new(9_007_199_254_740_993, 1);
    let expected = [
        (Start::AtSequenceNumber(position), "AT_SEQUENCE_NUMBER", Some("9007199254740993"), Some("1")),
        (Start::AfterSequenceNumber(position), "AFTER_SEQUENCE_NUMBER", Some("9007199254740993"), Some("1")),
        (
            Start::AfterSequenceNumber(Position::new(u64::MAX, 0)),
            "AFTER_SEQUENCE_NUMBER",
            Some("9223372036854775807"),
            Some("0"),
        ),
        (Start::TrimHorizon, "TRIM_HORIZON", None, None),
        (Start::Latest, "LATEST", None, None),
    ];
    let server = Server::start([Answer::new(200, DOCUMENTED_PAGE)]).await;
    let client = client(&server);
    for (start, iterator_type, commit_num, op_num) in expected {
        assert!(client.read(start, 77).await.is_ok());
        let asked = server.asked().pop().expect("a request");
        assert_eq!(asked.path, "/propertygraph/stream");
        assert_eq!(asked.get("iteratorType"), Some(iterator_type));
        assert_eq!((asked.get("commitNum"), asked.get("opNum")), (commit_num, op_num));
        assert_eq!(asked.get("limit"), Some("77"));
        assert_eq!(asked.headers["accept-encoding"], "gzip");
        let signature = asked.headers["authorization"].to_str().expect("text");
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
        assert!(signature.contains("/eu-central-1/neptune-db/aws4_request"), "{signature}");
    }
}

#[tokio::test]
async fn requests_and_clones_share_a_connection() {
    let server = Server::start([Answer::new(200, DOCUMENTED_PAGE)]).await;
    let client = client(&server);
    for _ in 0..3 {
        assert!(client.clone().read(AFTER, 10).await.is_ok());
    }
    assert_eq!((server.asked().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn nothing_new_is_no_error_and_not_asked_again() {
    let idle = Answer::error(404, "StreamRecordsNotFoundException", "No records");
    let (found, asked) = read([idle.clone()]).await;
    assert_eq!((found.expect("idle"), asked), (Read::Idle { head: None }, 1));
    let (found, _) = read([idle.gzipped()]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: None });
    let (found, _) = read([Answer::error(404, "StreamRecordsNotFoundException", FUTURE)]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: Some(Position::new(1132, 200)) });
    let (found, _) = read([Answer::page(&[])]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: None });
}

#[tokio::test]
async fn the_head_is_found_in_the_answer_from_the_future() {
    let repeated = "nothing at commitNum = 9223372036854775807, opNum = 1";
    for (message, expected) in [(FUTURE, Some(Position::new(1132, 200))), ("another wording", None), (repeated, None)] {
        let server = Server::start([Answer::error(404, "StreamRecordsNotFoundException", message)]).await;
        assert_eq!(client(&server).head().await.expect("an answer"), expected);
        let asked = server.asked().pop().expect("a request");
        assert_eq!(asked.get("commitNum"), Some("9223372036854775807"));
        assert_eq!((asked.get("limit"), asked.get("iteratorType")), (Some("1"), Some("AT_SEQUENCE_NUMBER")));
    }
}

/// Side by side, since each waits between its tries.
async fn all(cases: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let cases: Vec<_> = cases.into_iter().map(tokio::spawn).collect();
    for case in cases {
        case.await.expect("as expected");
    }
}

/// A name for each kind of error.
fn kind(error: &Error) -> &'static str {
    match error {
        Error::Throttled(_) => "throttled",
        Error::TimedOut(_) => "timed out",
        Error::Expired(_) => "expired",
        Error::StreamsOff(_) => "streams off",
        Error::InvalidRequest(_) => "invalid request",
        Error::AccessDenied(_) => "access denied",
        Error::Failed(_) => "failed",
        Error::InvalidPage(_) => "invalid page",
        Error::Transport(_) => "transport",
        _ => "another",
    }
}

#[tokio::test]
async fn errors_are_told_apart_by_their_code_and_tried_again_where_it_helps() {
    let cases = [
        (500, "ThrottlingException", "throttled", 3),
        (500, "MemoryLimitExceededException", "throttled", 3),
        (429, "TooManyRequestsException", "throttled", 3),
        (408, "ClientTimeoutException", "timed out", 1),
        (400, "ExpiredStreamException", "expired", 1),
        (400, "UnsupportedOperationException", "streams off", 1),
        (400, "InvalidParameterException", "invalid request", 1),
        (400, "InvalidArgumentException", "invalid request", 1),
        (400, "IllegalArgumentException", "invalid request", 1),
        (400, "PreconditionsFailedException", "invalid request", 1),
        (400, "NeverHeardOfException", "invalid request", 1),
        (400, "ConstraintViolationException", "failed", 3),
        (500, "InternalFailureException", "failed", 3),
        (403, "AccessDeniedException", "access denied", 1),
        (403, "InvalidSignatureException", "access denied", 1),
    ];
    all(cases.map(|(status, code, expected, tries)| async move {
        // The text is of no account, whatever it says.
        let (found, asked) = read([Answer::error(status, code, "expired: throttled, commitNum = 1, opNum = 1")]).await;
        let error = found.expect_err("an error");
        assert_eq!((kind(&error), asked), (expected, tries), "{status} {code}: {error:?}");
    }))
    .await;
}

#[tokio::test]
async fn errors_keep_what_neptune_said() {
    let (found, _) = read([Answer::error(400, "ExpiredStreamException", "trimmed")]).await;
    let Err(Error::Expired(response)) = found else { panic!("expired") };
    let ErrorResponse { status, code, message, request_id, .. } = &response;
    assert_eq!(*status, 400);
    assert_eq!(code.as_deref(), Some("ExpiredStreamException"));
    assert_eq!((message.as_deref(), request_id.as_deref()), (Some("trimmed"), Some("r-1")));
    assert_eq!(Error::Expired(response).to_string(), "expired: ExpiredStreamException (HTTP 400): trimmed");
}

#[tokio::test]
async fn throttling_that_passes_goes_unnoticed() {
    let throttled = Answer::error(500, "ThrottlingException", "slow down");
    let (page, asked) = read([throttled.clone(), throttled, Answer::new(200, DOCUMENTED_PAGE)]).await;
    assert_eq!((page.expect("a page"), asked), (documented_page(), 3));
}

#[tokio::test]
async fn a_page_that_takes_too_long_is_not_asked_for_again() {
    let server = Server::start([Answer::new(200, DOCUMENTED_PAGE).after(Duration::from_secs(60))]).await;
    let found = hasty_client(&server).read(AFTER, 10).await;
    assert!(matches!(found, Err(Error::TimedOut(None))), "{found:?}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn garbage_is_an_invalid_page() {
    for body in ["", "<html>It works!</html>", "{}", "\u{1f}\u{8b}"] {
        let (found, asked) = read([Answer::new(200, body)]).await;
        assert_eq!((kind(&found.expect_err("an error")), asked), ("invalid page", 1), "{body}");
    }
}

#[tokio::test]
async fn errors_of_something_else_are_told_apart_by_their_status() {
    let cases = [
        (403, "access denied"),
        (404, "invalid request"),
        (408, "timed out"),
        (429, "throttled"),
        (502, "failed"),
        (503, "throttled"),
    ];
    all(cases.map(|(status, expected)| async move {
        let (found, _) = read([Answer::new(status, "<html>a proxy</html>")]).await;
        let error = found.expect_err("an error");
        assert_eq!(kind(&error), expected, "{status}: {error:?}");
    }))
    .await;
}

#[tokio::test]
async fn no_answer_is_a_transport_error() {
    // Nobody listens on the port once it is free again.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Client::new(&sdk_config(), url).expect("a client");
    let error = client.read(AFTER, 10).await.expect_err("an error");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn damaged_gzip_is_a_transport_error() {
    let server = Server::start([Answer::new(200, "").gzipped_and_cut_off()]).await;
    let error = client(&server).read(AFTER, 10).await.expect_err("an error");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_configuration_without_an_http_client_is_refused() {
    let mut config = sdk_config().into_builder();
    config.set_http_client(None);
    assert!(Client::new(&config.build(), "https://localhost:8182").is_err());
}
