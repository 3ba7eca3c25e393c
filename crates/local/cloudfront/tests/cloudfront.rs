//! The edge server in front of a server with a distribution.

use axum::{Router, body::Body, extract::Request, response::Response, routing::any};
use cdn_signing::{Signer, UrlBuilder};
use cloudfront::{EdgeServer, KeyPair, Options, PublicKey, PublicKeys};
use domain::media::{MediaId, Sequencer, Visibility, variant_key};
use http::{HeaderMap, Method, StatusCode};
use http_server::Server;
use serde_json::{Value, json};

const LIST: &str = r#"<DistributionList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Items>
    <DistributionSummary><Id>E1</Id><DomainName>d1.cloudfront.net</DomainName></DistributionSummary>
    </Items></DistributionList>"#;
const CONFIG: &str = r#"<DistributionConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">
    <DefaultCacheBehavior><TrustedKeyGroups><Enabled>true</Enabled></TrustedKeyGroups></DefaultCacheBehavior>
    <CacheBehaviors><Items><CacheBehavior><PathPattern>*/open/*</PathPattern></CacheBehavior></Items></CacheBehaviors>
    </DistributionConfig>"#;
/// An expiry in the future.
const LATER: u64 = 4_102_444_800;

/// Echoes the request in a header.
async fn echo(request: Request) -> Response {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let echo = json!({
        "method": request.method().as_str(), "uri": request.uri().to_string(), "host": header("host"),
        "proto": header("x-forwarded-proto"), "range": header("range"),
    });
    let response =
        Response::builder().status(206).header("cache-control", "immutable").header("echo", echo.to_string());
    response.body(Body::from("part")).expect("a response")
}

fn emulator(list: &'static str) -> Server {
    let router = Router::new()
        .route("/2020-05-31/distribution", any(move || async move { list }))
        .route("/2020-05-31/distribution/E1/config", any(|| async { CONFIG }))
        .fallback(echo);
    Server::start("emulator", 0, |_| router).expect("a server")
}

struct Setup {
    edge: EdgeServer,
    urls: UrlBuilder,
    _emulator: Server,
}

fn setup(list: &'static str) -> Setup {
    let emulator = emulator(list);
    let pair = KeyPair::generate().expect("a pair");
    let keys = PublicKeys::from([("K1".to_owned(), PublicKey::from_pem(&pair.public).expect("a key"))]);
    let edge = EdgeServer::start(Options { port: 0, upstream: emulator.endpoint(), keys }).expect("an edge server");
    let signer = Signer::from_pem("K1", &pair.private).expect("a signer");
    let urls = UrlBuilder::new(&edge.endpoint(), Some(signer)).expect("urls");
    Setup { edge, urls, _emulator: emulator }
}

fn key(visibility: Visibility) -> String {
    let sequencer = Sequencer::parse("0A").expect("a sequencer");
    variant_key(MediaId::of_key("photo/mina/a.jpg"), &sequencer, visibility, (8, 8), "hash", "webp")
}

async fn send(method: Method, url: &str) -> (StatusCode, HeaderMap, String) {
    let request = reqwest::Client::new().request(method, url).header("range", "bytes=0-3");
    let response = request.send().await.expect("a response");
    (response.status(), response.headers().clone(), response.text().await.expect("text"))
}

fn echoed(headers: &HeaderMap) -> Value {
    serde_json::from_str(headers["echo"].to_str().expect("text")).expect("JSON")
}

#[tokio::test]
async fn allowed_request_is_forwarded_without_its_signature() {
    let setup = setup(LIST);
    for visibility in [Visibility::Public, Visibility::Private] {
        let key = key(visibility);
        let url = setup.urls.urls(&[&key], LATER).expect("a URL").swap_remove(0);
        assert_eq!(url.contains("Signature="), visibility == Visibility::Private);
        for method in [Method::GET, Method::HEAD] {
            let (status, headers, body) = send(method.clone(), &url).await;
            assert_eq!(status, 206, "{url}");
            assert_eq!(body, if method == Method::GET { "part" } else { "" });
            assert_eq!(
                (&headers["cache-control"], &headers["content-length"]),
                (&"immutable".parse().expect("a value"), &4.into())
            );
            let expected = json!({
                "method": method.as_str(), "uri": format!("/{key}"), "host": "d1.cloudfront.net",
                "proto": "https", "range": "bytes=0-3",
            });
            assert_eq!(echoed(&headers), expected);
        }
    }
}

#[tokio::test]
async fn denied_request_gets_the_error_of_cloudfront() {
    let setup = setup(LIST);
    let key = key(Visibility::Private);
    let url = setup.urls.urls(&[&key], LATER).expect("a URL").swap_remove(0);
    let past = setup.urls.urls(&[&key], 1).expect("a URL").swap_remove(0);
    let (unsigned, query) = url.split_once('?').expect("a query");
    for (url, code, message) in [
        (unsigned, "MissingKey", "Missing Key-Pair-Id query parameter or cookie value"),
        (&url.replace("K1", "K2"), "InvalidKey", "Unknown Key"),
        (&url.replace("Policy=", "Policy=A"), "MalformedPolicy", "Malformed Policy"),
        (&url.replace("127.0.0.1", "localhost"), "AccessDenied", "Access denied"),
        (&past, "AccessDenied", "Access denied"),
        (&format!("{}/?{query}", setup.edge.endpoint()), "AccessDenied", "Access denied"),
    ] {
        let (status, headers, body) = send(Method::GET, url).await;
        assert_eq!((status, &headers["content-type"]), (StatusCode::FORBIDDEN, &"text/xml".parse().expect("a value")));
        assert!(
            body.ends_with(&format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")),
            "{url}: {body}"
        );
    }
}

#[tokio::test]
async fn request_without_distribution_returns_502() {
    let setup = setup("<DistributionList/>");
    let (status, _, body) = send(Method::GET, &format!("{}/x", setup.edge.endpoint())).await;
    assert_eq!((status, body.as_str()), (StatusCode::BAD_GATEWAY, "there is no distribution\n"));
}
