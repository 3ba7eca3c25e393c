//! Requests to the API.

use http::Method;
use serde_json::Value;
use stack::users::User;

use super::Deployed;

/// A response of the API.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub content_type: String,
    pub etag: Option<String>,
    /// In seconds.
    pub retry_after: Option<u64>,
    /// `null` if it is no JSON.
    pub body: Value,
}

impl Response {
    /// Status and type of a problem. Panics if the response has another content type.
    pub fn problem(&self) -> (u16, &str) {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        (self.status, self.body["type"].as_str().expect("problem type"))
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no items: {self:?}"))
    }
}

impl Deployed {
    pub async fn get(&self, user: &User, path: &str) -> Response {
        self.request(user, Method::GET, path, None).await
    }

    pub async fn delete(&self, user: &User, path: &str) -> Response {
        self.request(user, Method::DELETE, path, None).await
    }

    pub async fn post(&self, user: &User, path: &str, body: &Value) -> Response {
        self.request(user, Method::POST, path, Some(body)).await
    }

    pub async fn request(&self, user: &User, method: Method, path: &str, body: Option<&Value>) -> Response {
        self.request_with_headers(user, method, path, &[], body).await
    }

    pub async fn request_with_headers(
        &self,
        user: &User,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Response {
        let response = user.send(&self.stack, method, path, headers, body).await.expect("response");
        let text = |name: &str| response.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Response {
            status: response.status.as_u16(),
            content_type: text("content-type").unwrap_or_default(),
            etag: text("etag"),
            retry_after: text("retry-after").and_then(|seconds| seconds.parse().ok()),
            body: serde_json::from_slice(&response.body).unwrap_or(Value::Null),
        }
    }

    /// Status and body of a PUT with any text as access token, or without.
    pub async fn put_with_token(&self, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
        let mut request = self.http.put(self.stack.api_url(path).expect("URL"));
        request = request.header("content-type", "application/json").body(body.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.expect("response");
        let status = response.status().as_u16();
        let body = response.bytes().await.expect("body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Status, content type and body of a GET without credentials.
    pub async fn fetch(&self, url: &str) -> (u16, String, Vec<u8>) {
        let response = self.http.get(url).send().await.expect("response");
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        (status, content_type, response.bytes().await.expect("body").to_vec())
    }
}
