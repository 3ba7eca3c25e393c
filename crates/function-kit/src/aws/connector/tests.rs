use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_types::{byte_stream::ByteStream, retry::ErrorKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::aws::tls;

const UNLIMITED: Limits = Limits { connect: None, read: None };
const SOON: Option<Duration> = Some(Duration::from_millis(50));

fn connector(limits: Limits) -> SharedHttpConnector {
    SharedHttpConnector::new(Connector::new(&Arc::new(tls::config()), limits))
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    (listener, address)
}

fn get(url: &str) -> HttpRequest {
    HttpRequest::get(url).expect("a request")
}

/// Reads a request without a body.
async fn read(stream: &mut TcpStream) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.expect("a request"));
    }
}

async fn answer(stream: &mut TcpStream, body: &str) {
    read(stream).await;
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(answer.as_bytes()).await.expect("somebody who listens");
}

async fn body(answer: HttpResponse) -> Vec<u8> {
    ByteStream::new(answer.into_body()).collect().await.expect("a body").to_vec()
}

#[tokio::test]
async fn connections_serve_again() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // Nobody else is let in.
        drop(listener);
        answer(&mut stream, "one").await;
        answer(&mut stream, "two").await;
    });
    let connector = connector(UNLIMITED);
    for expected in ["one", "two"] {
        let answer = connector.call(get(&format!("http://{address}/"))).await.expect("an answer");
        assert_eq!(body(answer).await, expected.as_bytes());
    }
    server.await.expect("both were answered");
}

#[tokio::test]
async fn a_spoilt_connection_serves_no_more() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.expect("a connection");
        answer(&mut first, "one").await;
        let (mut second, _) = listener.accept().await.expect("a second connection");
        answer(&mut second, "two").await;
    });
    let connector = connector(UNLIMITED);
    let capture = CaptureSmithyConnection::new();
    let mut request = get(&format!("http://{address}/"));
    request.add_extension(capture.clone());
    let first = connector.call(request).await.expect("an answer");
    let connection = capture.get().expect("a connection");
    assert_eq!(connection.remote_addr().map(|address| address.to_string()), Some(address.clone()));
    connection.poison();
    assert_eq!(body(first).await, b"one");
    let second = connector.call(get(&format!("http://{address}/"))).await.expect("an answer");
    assert_eq!(body(second).await, b"two");
    server.await.expect("two connections");
}

#[tokio::test]
async fn nobody_there_is_a_fault_of_the_network() {
    let (listener, address) = listener().await;
    drop(listener);
    let error = connector(UNLIMITED).call(get(&format!("http://{address}/"))).await.expect_err("nobody is there");
    assert!(error.is_io(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_asked_again() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read(&mut stream).await;
    });
    let error = connector(UNLIMITED).call(get(&format!("http://{address}/"))).await.expect_err("no answer");
    assert_eq!(error.as_other(), Some(ErrorKind::TransientError), "{error:?}");
    server.await.expect("a request");
}

#[tokio::test]
async fn answers_are_not_waited_for_forever() {
    // Whoever listens lets connections in, and says nothing.
    let (_listener, address) = listener().await;
    let limits = Limits { connect: None, read: SOON };
    let error = connector(limits).call(get(&format!("http://{address}/"))).await.expect_err("no answer");
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn the_handshake_is_a_part_of_connecting() {
    let (_listener, address) = listener().await;
    let limits = Limits { connect: SOON, read: None };
    let error = connector(limits).call(get(&format!("https://{address}/"))).await.expect_err("no handshake");
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn what_does_not_speak_tls_is_no_server() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("somebody who listens");
        // Until the other side has had enough.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = connector(UNLIMITED).call(get(&format!("https://{address}/"))).await.expect_err("no handshake");
    assert!(error.is_io(), "{error:?}");
    server.await.expect("a connection");
}
