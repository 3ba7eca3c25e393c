//! Connections to servers in the same process.

use std::sync::Arc;

use aws_smithy_runtime_api::client::{
    connection::CaptureSmithyConnection, orchestrator::HttpResponse, result::ConnectorError,
};
use aws_smithy_types::{byte_stream::ByteStream, retry::ErrorKind};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
use rustls::{
    ServerConfig,
    crypto::{
        CryptoProvider,
        ring::{ALL_CIPHER_SUITES, ALL_KX_GROUPS, default_provider},
    },
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A connector that trusts only `trusted` certificates (PEM).
fn trusting(trusted: &[&str]) -> Connector {
    let store = trusted.iter().copied().fold(TrustStore::empty(), TrustStore::with_pem_certificate);
    connector(store, CONNECT_TIMEOUT)
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, format!("localhost:{port}"))
}

fn get(url: &str) -> HttpRequest {
    HttpRequest::get(url).expect("a request")
}

/// Reads a request without a body.
async fn read(stream: &mut (impl AsyncRead + Unpin)) {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.expect("a request"));
    }
}

async fn respond(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), body: &str) {
    read(stream).await;
    let response = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(response.as_bytes()).await.expect("an open connection");
}

async fn body(response: HttpResponse) -> Vec<u8> {
    ByteStream::new(response.into_body()).collect().await.expect("a body").to_vec()
}

#[tokio::test]
async fn connector_is_built_at_the_first_request_and_reuses_its_connection() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        // A second connection is refused.
        drop(listener);
        respond(&mut stream, "one").await;
        respond(&mut stream, "two").await;
    });
    let lazy = LazyConnector::default();
    assert!(lazy.0.get().is_none());
    for expected in ["one", "two"] {
        let response = lazy.call(get(&format!("http://{address}/"))).await.expect("a response");
        assert_eq!(body(response).await, expected.as_bytes());
    }
    server.await.expect("two requests");
}

#[tokio::test]
async fn poisoned_connection_is_not_reused() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.expect("a connection");
        respond(&mut first, "one").await;
        let (mut second, _) = listener.accept().await.expect("a second connection");
        respond(&mut second, "two").await;
    });
    let connector = trusting(&[]);
    let capture = CaptureSmithyConnection::new();
    let mut request = get(&format!("http://{address}/"));
    request.add_extension(capture.clone());
    let first = connector.call(request).await.expect("a response");
    capture.get().expect("a connection").poison();
    assert_eq!(body(first).await, b"one");
    let second = connector.call(get(&format!("http://{address}/"))).await.expect("a response");
    assert_eq!(body(second).await, b"two");
    server.await.expect("two connections");
}

#[tokio::test]
async fn refused_connection_is_an_io_error() {
    let (listener, address) = listener().await;
    drop(listener);
    let error = trusting(&[]).call(get(&format!("http://{address}/"))).await.expect_err("no server");
    assert!(error.is_io(), "{error:?}");
}

#[tokio::test]
async fn closed_connection_is_a_transient_error() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        read(&mut stream).await;
    });
    let error = trusting(&[]).call(get(&format!("http://{address}/"))).await.expect_err("no response");
    assert_eq!(error.as_other(), Some(ErrorKind::TransientError), "{error:?}");
    server.await.expect("a request");
}

#[tokio::test]
async fn slow_handshake_is_a_connect_timeout() {
    // The server accepts connections and sends nothing.
    let (_listener, address) = listener().await;
    let connector = connector(TrustStore::empty(), Duration::from_millis(50));
    let error = connector.call(get(&format!("https://{address}/"))).await.expect_err("no handshake");
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn server_without_tls_is_an_io_error() {
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("an open connection");
        // Until the client closes the connection.
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let error = trusting(&[]).call(get(&format!("https://{address}/"))).await.expect_err("no handshake");
    assert!(error.is_io(), "{error:?}");
    server.await.expect("a connection");
}

/// A self-signed certificate.
struct Identity {
    key: KeyPair,
    certificate: CertificateDer<'static>,
    pem: String,
}

/// One of each kind that AWS uses: RSA and both curves.
fn identities() -> [Identity; 3] {
    let rsa = KeyPair::from_pkcs8_pem_and_sign_algo(include_str!("rsa-key-of-tests.pem"), &PKCS_RSA_SHA256);
    let [p256, p384] = [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384].map(KeyPair::generate_for);
    [rsa, p256, p384].map(|key| {
        let key = key.expect("a key");
        let names = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        let certificate = names.self_signed(&key).expect("a certificate");
        Identity { key, certificate: certificate.der().clone(), pem: certificate.pem() }
    })
}

/// The body of a response of a server with this identity and `provider`, for a connector that trusts `trusted`.
async fn fetch(server: &Identity, provider: CryptoProvider, trusted: &Identity) -> Result<Vec<u8>, ConnectorError> {
    let key = PrivatePkcs8KeyDer::from(server.key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .expect("a suite of one version")
        .with_no_client_auth()
        .with_single_cert(vec![server.certificate.clone()], key.into())
        .expect("a key of the certificate");
    let (listener, address) = listener().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
            respond(&mut stream, "hello").await;
        }
    });
    let connector = trusting(&[&trusted.pem]);
    let response = connector.call(get(&format!("https://{address}/"))).await;
    let body = match response {
        Ok(response) => Ok(body(response).await),
        Err(error) => Err(error),
    };
    server.abort();
    body
}

#[tokio::test]
async fn every_kind_of_certificate_is_accepted_with_every_aes_suite() {
    for (kind, identity) in ["RSA", "ECDSA", "ECDSA"].into_iter().zip(identities()) {
        for &suite in ALL_CIPHER_SUITES {
            let name = format!("{:?}", suite.suite());
            if name.contains("AES") && (suite.tls13().is_some() || name.contains(&format!("_{kind}_"))) {
                let provider = CryptoProvider { cipher_suites: vec![suite], ..default_provider() };
                let fetched = fetch(&identity, provider, &identity).await;
                assert_eq!(fetched.expect("a response"), b"hello", "{name} with {kind}");
            }
        }
    }
}

#[tokio::test]
async fn every_key_exchange_group_is_accepted() {
    let [identity, ..] = identities();
    for &group in ALL_KX_GROUPS {
        let provider = CryptoProvider { kx_groups: vec![group], ..default_provider() };
        assert_eq!(fetch(&identity, provider, &identity).await.expect("a response"), b"hello", "{group:?}");
    }
}

#[tokio::test]
async fn untrusted_certificate_is_refused() {
    let [one, other, _] = identities();
    let error = fetch(&one, default_provider(), &other).await.expect_err("no handshake");
    assert!(format!("{error:?}").contains("InvalidCertificate"), "{error:?}");
}
