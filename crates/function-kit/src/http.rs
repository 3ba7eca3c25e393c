//! Answers of the REST API.

use aws_lambda_events::{
    apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    encodings::Body,
};
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;
use tracing::{error, warn};

use crate::failure::{Failure, Kind};

/// Why a request has no other answer, as RFC 9457 problem details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `urn:iyagi:problem:…`: stable, for programs.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The same for every problem of this type, for people.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong with this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Problem {
    /// 400: the request breaks the API's rules; `detail` says which.
    pub fn invalid_request(detail: impl Into<String>) -> Self {
        let detail = Some(detail.into());
        Self { kind: "urn:iyagi:problem:invalid-request", title: "The request is invalid", status: 400, detail }
    }

    /// 401: nobody has shown who asks.
    pub fn unauthorized() -> Self {
        Self { kind: "urn:iyagi:problem:unauthorized", title: "Sign in first", status: 401, detail: None }
    }

    /// 404: there is no such thing, or it is not to be known that there is.
    pub fn not_found() -> Self {
        Self { kind: "urn:iyagi:problem:not-found", title: "There is no such thing", status: 404, detail: None }
    }

    /// 413: the body has more than `max_bytes`.
    pub fn too_large(max_bytes: usize) -> Self {
        let detail = Some(format!("the body may have at most {max_bytes} bytes"));
        Self { kind: "urn:iyagi:problem:too-large", title: "The request is too large", status: 413, detail }
    }

    /// 500 or 503, by the kind of `failure`, whose text stays inside.
    pub fn of_failure(failure: &Failure) -> Self {
        match failure.kind {
            Kind::Transient => Self {
                kind: "urn:iyagi:problem:unavailable",
                title: "The service is busy: try again",
                status: 503,
                detail: None,
            },
            Kind::Bug => {
                Self { kind: "urn:iyagi:problem:internal", title: "The service has a fault", status: 500, detail: None }
            }
        }
    }
}

/// A 200 with a JSON body.
pub fn json<T: Serialize>(value: &T) -> ApiGatewayV2httpResponse {
    answer(200, "application/json", value)
}

/// A 204, which has no body.
pub fn no_content() -> ApiGatewayV2httpResponse {
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = 204;
    response
}

/// The problem as an answer, `application/problem+json`.
pub fn problem(problem: &Problem) -> ApiGatewayV2httpResponse {
    let mut response = answer(problem.status, "application/problem+json", problem);
    match problem.status {
        401 => drop(response.headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))),
        // In seconds.
        503 => drop(response.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"))),
        _ => {}
    }
    response
}

/// The answer where a failure left none; logs the failure, with the route and not the path.
pub fn failed(request: &ApiGatewayV2httpRequest, failure: &Failure) -> ApiGatewayV2httpResponse {
    let route = request.route_key.as_deref().unwrap_or_default();
    match failure.kind {
        Kind::Transient => warn!(route, kind = failure.kind.as_str(), %failure, "no answer"),
        Kind::Bug => error!(route, kind = failure.kind.as_str(), %failure, "no answer"),
    }
    problem(&Problem::of_failure(failure))
}

fn answer<T: Serialize>(status: u16, content_type: &'static str, value: &T) -> ApiGatewayV2httpResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Bodies hold URLs that expire.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut response = ApiGatewayV2httpResponse::default();
    (response.status_code, response.body) = match serde_json::to_string(value) {
        Ok(body) => (i64::from(status), Some(Body::Text(body))),
        // Only for types whose maps have keys that are no strings: none of ours.
        Err(_) => (500, None),
    };
    response.headers = headers;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failures_text_stays_inside() {
        let answer = problem(&Problem::of_failure(&Failure::transient("read the table", "secret")));
        assert_eq!(answer.status_code, 503);
        assert!(answer.headers.contains_key("retry-after"));
        let Some(Body::Text(body)) = answer.body else { panic!("no text") };
        assert_eq!(
            body,
            r#"{"type":"urn:iyagi:problem:unavailable","title":"The service is busy: try again","status":503}"#
        );
    }
}
