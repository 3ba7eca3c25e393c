use axum::http::{Method, header, request::Parts};
use serde::{Deserialize, Serialize};

/// What a request asks of whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The service, by the name in signatures: `s3`, `sqs`, `neptune-db`, `es`. [`CLIENT`], if it is
    /// not a function that asks.
    pub service: String,
    /// The operation, by the name in AWS's API models.
    pub operation: String,
}

/// Whoever sends what a function has signed for them, by an address that holds the signature.
pub const CLIENT: &str = "client";

impl Call {
    /// `operation` of `service`.
    pub fn new(service: &str, operation: &str) -> Self {
        Self { service: service.to_owned(), operation: operation.to_owned() }
    }

    /// What a request asks, by its signature, its headers and its address.
    pub fn from_request(parts: &Parts, body: &[u8]) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let service = match signed_for(parts) {
            Some(service) => service,
            None if parameter(query.as_bytes(), "X-Amz-Credential").is_some() => CLIENT.to_owned(),
            None => "unsigned".to_owned(),
        };
        let operation = target(parts)
            .or_else(|| action(parts, query, body))
            .unwrap_or_else(|| by_address(&service, parts, query).to_owned());
        Self { service, operation }
    }
}

/// The service in the credential's scope: `Credential=<id>/<day>/<region>/<service>/aws4_request`.
fn signed_for(parts: &Parts) -> Option<String> {
    let authorization = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split(',').next()?.split('/').nth(3).map(str::to_owned)
}

/// `DynamoDB_20120810.GetItem` names the operation behind the dot.
fn target(parts: &Parts) -> Option<String> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    Some(target.rsplit('.').next().unwrap_or(target).to_owned())
}

/// The query protocol's `Action`, in the address or in a form.
fn action(parts: &Parts, query: &str, body: &[u8]) -> Option<String> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    parameter(query.as_bytes(), "Action").or_else(|| is_form.then(|| parameter(body, "Action")).flatten())
}

fn parameter(text: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(text).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// For the services whose operations are methods and paths.
fn by_address<'a>(service: &str, parts: &'a Parts, query: &str) -> &'a str {
    let path = parts.uri.path();
    match service {
        "s3" | CLIENT => s3(parts, query),
        "neptune-db" if path.ends_with("/stream") => "GetPropertygraphStream",
        "neptune-db" if path == "/opencypher" => "ExecuteOpenCypherQuery",
        "es" => path.rsplit('/').find(|part| part.starts_with('_')).unwrap_or(parts.method.as_str()),
        "cloudfront" if path.ends_with("/invalidation") => "CreateInvalidation",
        _ => parts.method.as_str(),
    }
}

fn s3<'a>(parts: &'a Parts, query: &str) -> &'a str {
    let asks = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
    // `/bucket/key`, or `/bucket` with or without a slash.
    let has_key = parts.uri.path().trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    match (&parts.method, has_key) {
        (&Method::PUT, true) if asks("partNumber") => "UploadPart",
        (&Method::PUT, true) if parts.headers.contains_key("x-amz-copy-source") => "CopyObject",
        (&Method::PUT, true) => "PutObject",
        (&Method::GET, true) => "GetObject",
        (&Method::HEAD, true) => "HeadObject",
        (&Method::DELETE, true) => "DeleteObject",
        (&Method::POST, true) if asks("uploads") => "CreateMultipartUpload",
        (&Method::POST, true) => "CompleteMultipartUpload",
        (&Method::POST, false) if asks("delete") => "DeleteObjects",
        (&Method::GET, false) => "ListObjectsV2",
        _ => parts.method.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn call(method: &str, uri: &str, headers: &[(&str, &str)], body: &str) -> (String, String) {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let Call { service, operation } = Call::from_request(&parts, body.as_bytes());
        (service, operation)
    }

    fn scope(service: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential=ID/20261123/ap-northeast-2/{service}/aws4_request, SignedHeaders=host")
    }

    fn named(service: &str, operation: &str) -> (String, String) {
        (service.to_owned(), operation.to_owned())
    }

    #[test]
    fn every_protocol_says_what_it_asks() {
        let dynamodb = scope("dynamodb");
        let headers = [("authorization", dynamodb.as_str()), ("x-amz-target", "DynamoDB_20120810.GetItem")];
        assert_eq!(call("POST", "/", &headers, "{}"), named("dynamodb", "GetItem"));
        let sns = scope("sns");
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("authorization", sns.as_str()), form];
        assert_eq!(call("POST", "/", &headers, "Version=1&Action=PublishBatch"), named("sns", "PublishBatch"));
        let es = scope("es");
        let headers = [("authorization", es.as_str())];
        assert_eq!(call("POST", "/search/_bulk?require_alias=true", &headers, ""), named("es", "_bulk"));
        assert_eq!(call("GET", "/search/_doc/7", &headers, ""), named("es", "_doc"));
        assert_eq!(call("PUT", "/stories-1", &headers, ""), named("es", "PUT"));
        let neptune = scope("neptune-db");
        let headers = [("authorization", neptune.as_str())];
        let stream = named("neptune-db", "GetPropertygraphStream");
        assert_eq!(call("GET", "/propertygraph/stream?limit=1", &headers, ""), stream);
    }

    #[test]
    fn s3_is_methods_and_paths() {
        let s3 = scope("s3");
        let headers = [("authorization", s3.as_str())];
        for (method, uri, operation) in [
            ("PUT", "/b/photo/a.jpg", "PutObject"),
            ("PUT", "/b/photo/a.jpg?partNumber=1&uploadId=u", "UploadPart"),
            ("GET", "/b/photo/a.jpg", "GetObject"),
            ("HEAD", "/b/photo/a.jpg", "HeadObject"),
            ("DELETE", "/b/photo/a.jpg", "DeleteObject"),
            ("POST", "/b?delete", "DeleteObjects"),
            ("POST", "/b/?delete", "DeleteObjects"),
            ("GET", "/b?list-type=2&prefix=x", "ListObjectsV2"),
            ("GET", "/b/?list-type=2&prefix=x", "ListObjectsV2"),
        ] {
            assert_eq!(call(method, uri, &headers, ""), named("s3", operation), "{method} {uri}");
        }
    }

    #[test]
    fn what_a_client_was_signed_for_is_the_clients() {
        let uri = "/b/photo/a.jpg?X-Amz-Credential=ID%2F20261123%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=x";
        assert_eq!(call("PUT", uri, &[], ""), named(CLIENT, "PutObject"));
        assert_eq!(call("GET", "/anything", &[], ""), named("unsigned", "GET"));
    }
}
