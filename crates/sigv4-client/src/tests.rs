use std::{
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use aws_smithy_runtime_api::client::{
    http::HttpConnectorFuture,
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};

use super::*;

/// The signature of a request with the keys and the time, 2013-05-24T00:00:00Z, of the examples in "Signature Calculations for the Authorization
/// Header" (Amazon S3 API Reference).
fn example(request: http::request::Builder, body: &str) -> String {
    let keys = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None);
    let request = request.body(body.as_bytes().to_vec()).expect("a request");
    let now = UNIX_EPOCH + Duration::from_secs(1_369_353_600);
    let signed = signed(request, "s3", "us-east-1", keys, now).expect("signed");
    let authorization = signed.headers()["authorization"].to_str().expect("text");
    authorization.rsplit_once("Signature=").expect("a signature").1.to_owned()
}

#[test]
fn s3_example_of_the_reference_has_its_signature() {
    let get = Request::get("https://examplebucket.s3.amazonaws.com/test.txt").header("range", "bytes=0-9");
    assert_eq!(example(get, ""), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

#[test]
fn encoded_s3_path_is_not_encoded_again() {
    let put = Request::put("https://examplebucket.s3.amazonaws.com/test%24file.text")
        .header("date", "Fri, 24 May 2013 00:00:00 GMT")
        .header("x-amz-storage-class", "REDUCED_REDUNDANCY");
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    assert_eq!(example(put, "Welcome to Amazon S3."), signature);
}

/// Records requests. Returns 404, or a connection error.
#[derive(Debug, Clone, Default)]
struct Recorder {
    requests: Arc<Mutex<Vec<(String, String)>>>,
    fails: bool,
}

impl HttpConnector for Recorder {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let authorization = request.headers().get("authorization").unwrap_or_default().to_owned();
        self.requests.lock().expect("a lock").push((request.uri().to_owned(), authorization));
        if self.fails {
            return HttpConnectorFuture::ready(Err(ConnectorError::io("refused".into())));
        }
        let status = 404.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from("{}"))))
    }
}

fn client(recorder: &Recorder) -> Client {
    Client::new(
        SharedHttpConnector::new(recorder.clone()),
        "ap-northeast-2",
        Credentials::from_keys("AKID", "secret", None),
    )
}

#[tokio::test]
async fn response_of_any_status_is_returned_to_a_signed_request() {
    let recorder = Recorder::default();
    let request = Request::get("https://search.example/_search?q=1").header("content-type", "application/json");
    let response =
        client(&recorder).send("es", request.body(Vec::new()).expect("a request")).await.expect("a response");
    assert_eq!((response.status().as_u16(), response.body().as_slice()), (404, &b"{}"[..]));
    let (url, authorization) = recorder.requests.lock().expect("a lock").remove(0);
    assert_eq!(url, "https://search.example/_search?q=1");
    assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKID/"), "{authorization}");
    assert!(authorization.contains("/ap-northeast-2/es/aws4_request, "), "{authorization}");
    assert!(
        authorization.contains("SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date"),
        "{authorization}"
    );
}

#[tokio::test]
async fn refused_connection_is_a_connection_error() {
    let recorder = Recorder { fails: true, ..Recorder::default() };
    let request = Request::get("https://search.example/").body(Vec::new()).expect("a request");
    let error = client(&recorder).send("es", request).await.expect_err("no response");
    assert!(matches!(error, Error::Connection(_)), "{error:?}");
}

#[tokio::test]
async fn relative_url_is_a_request_error_and_is_not_sent() {
    let recorder = Recorder::default();
    let request = Request::get("/_search").body(Vec::new()).expect("a request");
    let error = client(&recorder).send("es", request).await.expect_err("not signed");
    assert!(matches!(error, Error::Request(_)), "{error:?}");
    assert!(recorder.requests.lock().expect("a lock").is_empty());
}
