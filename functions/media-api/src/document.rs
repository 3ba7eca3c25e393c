use std::sync::LazyLock;

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use http::{HeaderValue, header};
use rest_kit::{request::only_parameters, response::HandlerError};

use crate::tag;

/// The route that needs no sign-in.
pub const ROUTE: &str = "GET /v1/openapi.json";

/// The OpenAPI document of the API; `cargo xtask openapi` writes it.
const TEXT: &str = include_str!("../../../docs/api/openapi.json");

static TAG: LazyLock<String> = LazyLock::new(|| tag::of([TEXT]));

/// The document, for everybody: it says nothing of anybody.
pub fn answer(request: &ApiGatewayV2httpRequest) -> Result<ApiGatewayV2httpResponse, HandlerError> {
    only_parameters(request, &[])?;
    let mut answer = if tag::is_known(request, &TAG) { tag::not_modified() } else { whole() };
    if let Ok(tag) = HeaderValue::from_str(&TAG) {
        answer.headers.insert(header::ETAG, tag);
    }
    answer.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(answer)
}

fn whole() -> ApiGatewayV2httpResponse {
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = 200;
    answer.body = Some(Body::Text(TEXT.to_owned()));
    answer.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn ask(headers: Value, query: Value) -> Result<ApiGatewayV2httpResponse, HandlerError> {
        let request = json!({
            "version": "2.0", "routeKey": ROUTE, "rawPath": "/v1/openapi.json", "rawQueryString": "",
            "headers": headers, "queryStringParameters": query, "isBase64Encoded": false,
            "requestContext": {"http": {"method": "GET"}}
        });
        answer(&serde_json::from_value(request).expect("a request"))
    }

    #[test]
    fn the_document_may_be_kept_and_is_sent_once() {
        let first = ask(json!({}), json!({})).expect("an answer");
        assert_eq!(
            (first.status_code, first.headers["cache-control"].as_bytes()),
            (200, b"public, max-age=300".as_slice())
        );
        let Some(Body::Text(text)) = first.body else { panic!("no text") };
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["paths"]["/v1/openapi.json"]["get"]["security"], json!([]));
        let tag = first.headers["etag"].to_str().expect("a tag");
        let again = ask(json!({"if-none-match": tag}), json!({})).expect("an answer");
        assert_eq!((again.status_code, again.body), (304, None));
        assert_eq!(again.headers["etag"], first.headers["etag"]);
        assert!(ask(json!({}), json!({"x": "1"})).is_err());
    }
}
