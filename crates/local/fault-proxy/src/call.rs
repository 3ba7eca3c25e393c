use axum::http::{Method, header, request::Parts};
use serde::{Deserialize, Serialize};

/// The service and operation of a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// Signing name of the service: `s3`, `sqs`, `neptune-db`, `es`. [`CLIENT`] for requests with presigned URLs.
    pub service: String,
    /// Name of the operation in AWS's API models.
    pub operation: String,
}

/// The service name of requests that clients send with presigned URLs.
pub const CLIENT: &str = "client";

impl Call {
    /// `operation` of `service`.
    pub fn new(service: &str, operation: &str) -> Self {
        Self { service: service.to_owned(), operation: operation.to_owned() }
    }

    /// Derives the call from the signature, the headers and the URL.
    pub fn from_request(parts: &Parts, body: &[u8]) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let service = match signing_name(parts) {
            Some(service) => service,
            None if parameter(query.as_bytes(), "X-Amz-Credential").is_some() => CLIENT.to_owned(),
            None => "unsigned".to_owned(),
        };
        let operation = target(parts)
            .or_else(|| action(parts, query, body))
            .unwrap_or_else(|| from_url(&service, parts, query).to_owned());
        Self { service, operation }
    }
}

/// The service in the credential scope: `Credential=<id>/<day>/<region>/<service>/aws4_request`.
fn signing_name(parts: &Parts) -> Option<String> {
    let authorization = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split(',').next()?.split('/').nth(3).map(str::to_owned)
}

/// The JSON protocol's target, such as `DynamoDB_20120810.GetItem`, ends with the operation.
fn target(parts: &Parts) -> Option<String> {
    let target = parts.headers.get("x-amz-target")?.to_str().ok()?;
    Some(target.rsplit('.').next().unwrap_or(target).to_owned())
}

/// The query protocol's `Action`, in the URL or in a form.
fn action(parts: &Parts, query: &str, body: &[u8]) -> Option<String> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    parameter(query.as_bytes(), "Action").or_else(|| is_form.then(|| parameter(body, "Action")).flatten())
}

fn parameter(text: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(text).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The operation of services that use methods and paths.
fn from_url<'a>(service: &str, parts: &'a Parts, query: &str) -> &'a str {
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
    let has_parameter = |name: &str| form_urlencoded::parse(query.as_bytes()).any(|(key, _)| key == name);
    // `/bucket/key`, or `/bucket` with an optional slash.
    let has_key = parts.uri.path().trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    match (&parts.method, has_key) {
        (&Method::PUT, true) if has_parameter("partNumber") => "UploadPart",
        (&Method::PUT, true) if parts.headers.contains_key("x-amz-copy-source") => "CopyObject",
        (&Method::PUT, true) => "PutObject",
        (&Method::GET, true) => "GetObject",
        (&Method::HEAD, true) => "HeadObject",
        (&Method::DELETE, true) => "DeleteObject",
        (&Method::POST, true) if has_parameter("uploads") => "CreateMultipartUpload",
        (&Method::POST, true) => "CompleteMultipartUpload",
        (&Method::POST, false) if has_parameter("delete") => "DeleteObjects",
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
    fn call_is_derived_in_every_protocol() {
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
    fn s3_operation_is_derived_from_method_and_path() {
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
    fn presigned_request_belongs_to_the_client() {
        let uri = "/b/photo/a.jpg?X-Amz-Credential=ID%2F20261123%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=x";
        assert_eq!(call("PUT", uri, &[], ""), named(CLIENT, "PutObject"));
        assert_eq!(call("GET", "/anything", &[], ""), named("unsigned", "GET"));
    }
}
