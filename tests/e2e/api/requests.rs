//! Requests that do not follow the API's document.

use domain::media::MediaId;
use http::Method;
use serde_json::{Value, json};

use crate::deployed::Deployed;

#[tokio::test]
async fn undocumented_parameter_or_field_returns_400() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let unknown = MediaId::of_key("photo/unknown/nothing");
    let batch = json!({"ids": [unknown]});
    for (method, path, body) in [
        (Method::GET, "/v1/media?sort=newest".to_owned(), None),
        (Method::GET, format!("/v1/media/{unknown}?view=all"), None),
        (Method::DELETE, format!("/v1/media/{unknown}?force=true"), None),
        (Method::POST, "/v1/media/batch?fields=id".to_owned(), Some(&batch)),
        (Method::POST, "/v1/media/batch".to_owned(), Some(&json!({"ids": null}))),
        (Method::POST, "/v1/media/batch".to_owned(), Some(&json!([[unknown]]))),
    ] {
        let response = deployed.request(&mina, method.clone(), &path, body).await;
        assert_eq!(response.problem(), (400, "urn:iyagi:problem:invalid-request"), "{method} {path}");
    }
}

#[tokio::test]
async fn manipulated_path_returns_404() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let long = "A".repeat(2_000);
    for path in [
        "/v1/media/%2e%2e%2fopenapi.json",
        "/v1/media/..%2f..%2fetc%2fpasswd",
        "/v1/media/%00",
        "/v1/media/%ED%A0%80",
        "/v1/media/01ARZ3NDEKTSV4RRFFQ69G5FA",
        "/v1/media/01arz3ndektsv4rrffq69g5fav%20",
        "/v1/media/*",
        long.as_str(),
    ] {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/v1/media/{path}") };
        let response = deployed.get(&mina, &path).await;
        assert_eq!(response.status, 404, "{path}: {response:?}");
        // The gateway itself refuses an encoded slash: no route has such a path.
        if !path.contains("%2f") {
            assert_eq!(response.problem(), (404, "urn:iyagi:problem:not-found"), "{path}");
        }
    }
}

#[tokio::test]
async fn invalid_body_returns_the_same_problem_on_every_route() {
    let deployed = Deployed::shared().await;
    let mina = deployed.sign_up("Mina").await;
    let http = reqwest::Client::new();
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let routes = [
        (Method::POST, "/v1/media/batch".to_owned()),
        (Method::POST, "/v1/uploads".to_owned()),
        (Method::POST, format!("/v1/uploads/{id}/parts")),
        (Method::POST, format!("/v1/uploads/{id}/complete")),
        (Method::PUT, "/v1/devices/phone".to_owned()),
        (Method::PUT, "/v1/notification-preferences".to_owned()),
        (Method::PUT, "/v1/notifications/read".to_owned()),
    ];
    let huge = format!("{{\"x\": \"{}\"}}", "x".repeat(100_000));
    let bodies: [(&[u8], u16, &str); 8] = [
        (b"", 400, "urn:iyagi:problem:invalid-request"),
        (b"{", 400, "urn:iyagi:problem:invalid-request"),
        (b"[]", 400, "urn:iyagi:problem:invalid-request"),
        (b"null", 400, "urn:iyagi:problem:invalid-request"),
        (b"\"text\"", 400, "urn:iyagi:problem:invalid-request"),
        (b"{\"unknown\": 1}", 400, "urn:iyagi:problem:invalid-request"),
        (b"\xff\xfe\x00", 400, "urn:iyagi:problem:invalid-request"),
        (huge.as_bytes(), 413, "urn:iyagi:problem:too-large"),
    ];
    for (method, path) in &routes {
        for (body, status, kind) in bodies {
            let request = http.request(method.clone(), deployed.stack.api_url(path).expect("URL"));
            let request = request.bearer_auth(&mina.access_token).header("content-type", "application/json");
            let response = request.body(body.to_vec()).send().await.expect("response");
            let content_type = response.headers()["content-type"].to_str().expect("text").to_owned();
            let got = (response.status().as_u16(), content_type);
            let problem: Value = serde_json::from_slice(&response.bytes().await.expect("body")).expect("JSON");
            let row = format!("{method} {path} {:?}", String::from_utf8_lossy(&body[..body.len().min(20)]));
            assert_eq!(got, (status, "application/problem+json".to_owned()), "{row}: {problem}");
            assert_eq!(problem["type"], kind, "{row}");
        }
    }
}
