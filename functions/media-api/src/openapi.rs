use std::sync::LazyLock;

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use http::{HeaderValue, header};
use rest_kit::{request::only_parameters, response::HandlerError};

use crate::etag;

/// The route, which needs no access token.
pub const ROUTE: &str = "GET /v1/openapi.json";

/// The OpenAPI document, which `cargo xtask openapi` writes.
const TEXT: &str = include_str!("../../../docs/api/openapi.json");

static TAG: LazyLock<String> = LazyLock::new(|| etag::of([TEXT]));

/// Returns the document. It is public and may be cached by everyone.
///
/// # Errors
/// 400 if the request has query parameters.
pub fn handle(request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    only_parameters(request, &[])?;
    let mut response = if etag::matches(request, &TAG) { etag::not_modified() } else { document() };
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        response.headers.insert(header::ETAG, tag);
    }
    response.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

fn document() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 200;
    response.body = Some(Body::Text(TEXT.to_owned()));
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn get(headers: Value, query: Value) -> Result<ApiGatewayV2httpResponse, HandlerError> {
        let request = json!({
            "version": "2.0", "routeKey": ROUTE, "rawPath": "/v1/openapi.json",
            "rawQueryString": serde_urlencoded::to_string(&query).expect("a query"), "headers": headers,
            "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}}
        });
        handle(&serde_json::from_value(request).expect("a request"))
    }

    #[test]
    fn document_is_cacheable_and_returns_304_when_unchanged() {
        let first = get(json!({}), json!({})).expect("a response");
        assert_eq!(
            (first.status_code, first.headers["cache-control"].as_bytes()),
            (200, b"public, max-age=300".as_slice())
        );
        let Some(Body::Text(text)) = first.body else { panic!("no text") };
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["paths"]["/v1/openapi.json"]["get"]["security"], json!([]));
        let tag = first.headers["etag"].to_str().expect("a tag");
        let again = get(json!({"if-none-match": tag}), json!({})).expect("a response");
        assert_eq!((again.status_code, again.body), (304, None));
        assert_eq!(again.headers["etag"], first.headers["etag"]);
        assert!(get(json!({}), json!({"x": "1"})).is_err());
    }
}
