//! Web clients: CORS, the page to try the API with, and the published document.

use std::fs;

use http::Method;
use serde_json::{Value, json};
use stack::users::User;
use uuid::Uuid;

use crate::deployed::Deployed;

#[tokio::test]
async fn cors_allows_configured_origins_only() {
    let deployed = Deployed::shared().await;
    let http = reqwest::Client::new();
    let url = deployed.stack.api_url("/v1/uploads").expect("URL");
    let preflight = async |origin: &str| {
        let request = http.request(Method::OPTIONS, &url).header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "authorization,content-type,idempotency-key");
        let response = request.send().await.expect("response");
        let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        ["allow-origin", "allow-methods", "allow-headers"].map(|name| text(&format!("access-control-{name}")))
    };
    let page = deployed.stack.docs_endpoint();
    let [origin, methods, headers] = preflight(page).await.map(Option::unwrap_or_default);
    assert_eq!(origin, page);
    assert!(["GET", "POST", "PUT", "DELETE"].iter().all(|method| methods.contains(method)), "{methods}");
    assert!(
        ["authorization", "content-type", "idempotency-key"].iter().all(|name| headers.contains(name)),
        "{headers}"
    );
    assert_eq!(preflight("https://elsewhere.example").await[0], None);

    // Responses expose the headers that clients need to those origins.
    let mina = deployed.sign_up("Mina").await;
    let response = mina.send(&deployed.stack, Method::GET, "/v1/media", &[("origin", page)], None).await;
    let response = response.expect("response");
    assert_eq!(response.headers["access-control-allow-origin"], page);
    let exposed = response.headers["access-control-expose-headers"].to_str().expect("text").to_lowercase();
    assert!(["etag", "ratelimit", "retry-after"].iter().all(|name| exposed.contains(name)), "{exposed}");
    assert!(response.headers.contains_key("ratelimit-policy"), "{:?}", response.headers);
}

#[tokio::test]
async fn docs_page_signs_users_up_and_in() {
    let deployed = Deployed::shared().await;
    let http = reqwest::Client::new();
    let page = deployed.stack.docs_endpoint();
    let get = async |path: &str| {
        let response = http.get(format!("{page}{path}")).send().await.expect("response");
        (response.status().as_u16(), response.text().await.expect("text"))
    };
    let (status, html) = get("/docs").await;
    assert!(status == 200 && html.contains("SwaggerUIBundle"), "{status} {html}");
    assert_eq!(get("/docs/swagger-ui-bundle.js").await.0, 200);
    assert_eq!(get("/docs/nothing.js").await.0, 404);
    assert!(get("/docs/api.json").await.1.contains(&deployed.stack.api_url("").expect("URL")));

    let email = format!("{}@iyagi.example", Uuid::new_v4().simple());
    let credentials = json!({"email": email, "password": "Abcdef123456"});
    let submit = async |form: &str| {
        let request = http.post(format!("{page}/docs/{form}")).header("content-type", "application/json");
        let response = request.body(credentials.to_string()).send().await.expect("response");
        (response.status().as_u16(), serde_json::from_slice::<Value>(&response.bytes().await.expect("body")).ok())
    };
    assert_eq!(submit("sign-in").await.0, 502, "the account does not exist yet");
    let (_, signed_up) = submit("sign-up").await;
    let (status, signed_in) = submit("sign-in").await;
    let (signed_up, signed_in) = (signed_up.expect("account"), signed_in.expect("account"));
    assert_eq!((status, &signed_up["sub"]), (200, &signed_in["sub"]));
    let user = User {
        id: signed_in["sub"].as_str().expect("sub").to_owned(),
        name: "visitor".into(),
        access_token: signed_in["accessToken"].as_str().expect("token").to_owned(),
        id_token: String::new(),
    };
    assert_eq!(deployed.get(&user, "/v1/media").await.body, json!({"items": []}));
}

#[tokio::test]
async fn document_is_public_and_cacheable() {
    let deployed = Deployed::shared().await;
    let url = deployed.stack.api_url("/v1/openapi.json").expect("URL");
    let http = reqwest::Client::new();
    let response = http.get(&url).send().await.expect("response");
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert_eq!(header("content-type").as_deref(), Some("application/json"));
    assert_eq!(header("cache-control").as_deref(), Some("public, max-age=300"));
    let etag = header("etag").expect("ETag");
    let written = fs::read(stack::paths::openapi()).expect("document");
    let written: Value = serde_json::from_slice(&written).expect("JSON");
    let mut served: Value = serde_json::from_slice(&response.bytes().await.expect("body")).expect("JSON");
    // The server's address is a whole one.
    assert!(
        served["servers"][0]["url"].as_str().is_some_and(|url| url.starts_with("https://")),
        "{}",
        served["servers"]
    );
    served["servers"] = written["servers"].clone();
    assert!(served == written, "another document is deployed");
    let again = http.get(&url).header("if-none-match", etag).send().await.expect("response");
    assert_eq!(again.status(), 304);
}
