use std::time::Duration;

use neptune_streams::{Client, Error, ErrorResponse, Page, Position, Read, Start};

use crate::{
    DOCUMENTED_PAGE, client, sdk_config,
    server::{Server, StubResponse},
    short_timeout_client,
};

const AFTER: Start = Start::AfterSequenceNumber(Position::new(11, 4));

/// Neptune's error message for a position beyond the end. It names the head.
const BEYOND_END: &str =
    "Requested startEventId is from the future. Last valid eventId is [commitNum = 1132, opNum = 200]";

async fn read(responses: impl Into<Vec<StubResponse>>) -> (Result<Read, Error>, usize) {
    let server = Server::start(responses).await;
    let read = client(&server).read(AFTER, 10).await;
    (read, server.requests().len())
}

fn documented_page() -> Read {
    Read::Page(Page::parse(DOCUMENTED_PAGE.as_bytes()).expect("a page"))
}

#[tokio::test]
async fn documented_page_is_read_plain_and_gzipped() {
    for response in [StubResponse::new(200, DOCUMENTED_PAGE), StubResponse::new(200, DOCUMENTED_PAGE).gzipped()] {
        let (page, requests) = read([response]).await;
        assert_eq!((page.expect("a page"), requests), (documented_page(), 1));
    }
}

#[tokio::test]
async fn page_of_ten_megabytes_is_read() {
    let positions: Vec<_> = (1..=50_000).map(|op_num| (12, op_num)).collect();
    let (found, _) = read([StubResponse::page(&positions).gzipped()]).await;
    let Ok(Read::Page(page)) = found else { panic!("a page") };
    assert_eq!(page.records.len(), 50_000);
    assert_eq!(page.last_position(), Some(Position::new(12, 50_000)));
}

#[tokio::test]
async fn request_is_signed_and_contains_the_whole_position() {
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
    let server = Server::start([StubResponse::new(200, DOCUMENTED_PAGE)]).await;
    let client = client(&server);
    for (start, iterator_type, commit_num, op_num) in expected {
        assert!(client.read(start, 77).await.is_ok());
        let request = server.requests().pop().expect("a request");
        assert_eq!(request.path, "/propertygraph/stream");
        assert_eq!(request.get("iteratorType"), Some(iterator_type));
        assert_eq!((request.get("commitNum"), request.get("opNum")), (commit_num, op_num));
        assert_eq!(request.get("limit"), Some("77"));
        assert_eq!(request.headers["accept-encoding"], "gzip");
        let signature = request.headers["authorization"].to_str().expect("text");
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signature}");
        assert!(signature.contains("/eu-central-1/neptune-db/aws4_request"), "{signature}");
    }
}

#[tokio::test]
async fn clones_share_one_connection() {
    let server = Server::start([StubResponse::new(200, DOCUMENTED_PAGE)]).await;
    let client = client(&server);
    for _ in 0..3 {
        assert!(client.clone().read(AFTER, 10).await.is_ok());
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}

#[tokio::test]
async fn not_found_is_idle_and_not_retried() {
    let idle = StubResponse::error(404, "StreamRecordsNotFoundException", "No records");
    let (found, requests) = read([idle.clone()]).await;
    assert_eq!((found.expect("idle"), requests), (Read::Idle { head: None }, 1));
    let (found, _) = read([idle.gzipped()]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: None });
    let (found, _) = read([StubResponse::error(404, "StreamRecordsNotFoundException", BEYOND_END)]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: Some(Position::new(1132, 200)) });
    let (found, _) = read([StubResponse::page(&[])]).await;
    assert_eq!(found.expect("idle"), Read::Idle { head: None });
}

#[tokio::test]
async fn head_is_parsed_from_the_error_message() {
    let request_repeated = "nothing at commitNum = 9223372036854775807, opNum = 1";
    for (message, expected) in
        [(BEYOND_END, Some(Position::new(1132, 200))), ("another wording", None), (request_repeated, None)]
    {
        let server = Server::start([StubResponse::error(404, "StreamRecordsNotFoundException", message)]).await;
        assert_eq!(client(&server).head().await.expect("a response"), expected);
        let request = server.requests().pop().expect("a request");
        assert_eq!(request.get("commitNum"), Some("9223372036854775807"));
        assert_eq!((request.get("limit"), request.get("iteratorType")), (Some("1"), Some("AT_SEQUENCE_NUMBER")));
    }
}

/// Runs the cases concurrently, because each waits between its retries.
async fn run_all(cases: impl IntoIterator<Item = impl Future<Output = ()> + Send + 'static>) {
    let cases: Vec<_> = cases.into_iter().map(tokio::spawn).collect();
    for case in cases {
        case.await.expect("a passing case");
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
        _ => "other",
    }
}

#[tokio::test]
async fn error_code_decides_kind_and_retries() {
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
        (400, "UnknownException", "invalid request", 1),
        (400, "ConstraintViolationException", "failed", 3),
        (500, "InternalFailureException", "failed", 3),
        (403, "AccessDeniedException", "access denied", 1),
        (403, "InvalidSignatureException", "access denied", 1),
    ];
    run_all(cases.map(|(status, code, expected, tries)| async move {
        // The message must not influence the kind.
        let (found, requests) =
            read([StubResponse::error(status, code, "expired: throttled, commitNum = 1, opNum = 1")]).await;
        let error = found.expect_err("an error");
        assert_eq!((kind(&error), requests), (expected, tries), "{status} {code}: {error:?}");
    }))
    .await;
}

#[tokio::test]
async fn error_keeps_the_fields_of_the_response() {
    let (found, _) = read([StubResponse::error(400, "ExpiredStreamException", "trimmed")]).await;
    let Err(Error::Expired(response)) = found else { panic!("expired") };
    let ErrorResponse { status, code, message, request_id, .. } = &response;
    assert_eq!(*status, 400);
    assert_eq!(code.as_deref(), Some("ExpiredStreamException"));
    assert_eq!((message.as_deref(), request_id.as_deref()), (Some("trimmed"), Some("r-1")));
    assert_eq!(Error::Expired(response).to_string(), "expired: ExpiredStreamException (HTTP 400): trimmed");
}

#[tokio::test]
async fn throttled_request_is_retried_until_it_succeeds() {
    let throttled = StubResponse::error(500, "ThrottlingException", "slow down");
    let (page, requests) = read([throttled.clone(), throttled, StubResponse::new(200, DOCUMENTED_PAGE)]).await;
    assert_eq!((page.expect("a page"), requests), (documented_page(), 3));
}

#[tokio::test]
async fn timed_out_request_is_not_retried() {
    let server = Server::start([StubResponse::new(200, DOCUMENTED_PAGE).after(Duration::from_secs(60))]).await;
    let found = short_timeout_client(&server).read(AFTER, 10).await;
    assert!(matches!(found, Err(Error::TimedOut(None))), "{found:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn other_body_is_an_invalid_page() {
    for body in ["", "<html>It works!</html>", "{}", "\u{1f}\u{8b}"] {
        let (found, requests) = read([StubResponse::new(200, body)]).await;
        assert_eq!((kind(&found.expect_err("an error")), requests), ("invalid page", 1), "{body}");
    }
}

#[tokio::test]
async fn error_without_code_is_classified_by_status() {
    let cases = [
        (403, "access denied"),
        (404, "invalid request"),
        (408, "timed out"),
        (429, "throttled"),
        (502, "failed"),
        (503, "throttled"),
    ];
    run_all(cases.map(|(status, expected)| async move {
        let (found, _) = read([StubResponse::new(status, "<html>a proxy</html>")]).await;
        let error = found.expect_err("an error");
        assert_eq!(kind(&error), expected, "{status}: {error:?}");
    }))
    .await;
}

#[tokio::test]
async fn refused_connection_is_a_transport_error() {
    // The port is free again, so the connection is refused.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = Client::new(&sdk_config(), url).expect("a client");
    let error = client.read(AFTER, 10).await.expect_err("an error");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn truncated_gzip_is_a_transport_error() {
    let server = Server::start([StubResponse::new(200, "").truncated_gzip()]).await;
    let error = client(&server).read(AFTER, 10).await.expect_err("an error");
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn configuration_without_http_client_is_rejected() {
    let mut config = sdk_config().into_builder();
    config.set_http_client(None);
    assert!(Client::new(&config.build(), "https://localhost:8182").is_err());
}
