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

/// The address in the document, which a response replaces by the address that the client has called.
const ADDRESS: &str = "\"url\": \"/\"";

/// Returns the document. It is public and may be cached by everyone.
///
/// # Errors
/// 400 if the request has query parameters.
pub fn handle(request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    only_parameters(request, &[])?;
    let address = address(request);
    let tag = etag::of([TEXT, &address]);
    let mut response = if etag::matches(request, &tag) { etag::not_modified() } else { document(&address) };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers.insert(header::ETAG, tag);
    }
    response.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

/// The address of the API that the client has called: generated clients need a whole one.
fn address(request: &ApiGatewayV2httpRequest) -> String {
    let context = &request.request_context;
    let Some(domain) = context.domain_name.as_deref().filter(|domain| is_domain(domain)) else { return "/".to_owned() };
    let stage = context.stage.as_deref().filter(|stage| *stage != "$default").map(|stage| format!("/{stage}"));
    format!("https://{domain}{}", stage.unwrap_or_default())
}

fn is_domain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
}

fn document(address: &str) -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 200;
    response.body = Some(Body::Text(TEXT.replacen(ADDRESS, &format!("\"url\": \"{address}\""), 1)));
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
            "requestContext": {"http": {"method": "GET"}, "domainName": "api.iyagi.example", "stage": "$default"}
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
        assert_eq!(document["servers"][0]["url"], "https://api.iyagi.example");
        let tag = first.headers["etag"].to_str().expect("a tag");
        let again = get(json!({"if-none-match": tag}), json!({})).expect("a response");
        assert_eq!((again.status_code, again.body), (304, None));
        assert_eq!(again.headers["etag"], first.headers["etag"]);
        assert!(get(json!({}), json!({"x": "1"})).is_err());
    }
}
